// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// FOR TESTS ONLY.

import {TestToken} from "./TestToken.sol";

/// Takes 1 % of each transfer.
contract FeeOnTransferToken is TestToken {
    function _update(address from, address to, uint256 value) internal override {
        uint256 fee = from == address(0) || to == address(0) ? 0 : value / 100;
        super._update(from, to, value - fee);
        if (fee != 0) super._update(from, address(0), fee);
    }
}

/// Halves every balance when its owner wishes, as a token does whose balances follow something else.
contract RebasingToken is TestToken {
    mapping(address account => uint256) private _halved;
    uint256 public halvings;

    function rebase() external {
        ++halvings;
    }

    function balanceOf(address account) public view override returns (uint256) {
        return super.balanceOf(account) >> (halvings - _halved[account]);
    }

    function _update(address from, address to, uint256 value) internal override {
        _halve(from);
        _halve(to);
        super._update(from, to, value);
    }

    function _halve(address account) private {
        if (account == address(0)) return;
        uint256 lost = super.balanceOf(account) - balanceOf(account);
        _halved[account] = halvings;
        if (lost != 0) super._update(account, address(0), lost);
    }
}

/// Refuses transfers from and to listed accounts, and all of them while it is paused, as an issuer's token does.
contract BlacklistingToken is TestToken {
    mapping(address account => bool) public isBlacklisted;
    bool public paused;

    error Blacklisted(address account);
    error Paused();

    function setBlacklisted(address account, bool listed) external {
        isBlacklisted[account] = listed;
    }

    function setPaused(bool on) external {
        paused = on;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (paused) revert Paused();
        if (isBlacklisted[from]) revert Blacklisted(from);
        if (isBlacklisted[to]) revert Blacklisted(to);
        super._update(from, to, value);
    }
}

/// Returns false instead of reverting when a transfer fails, as the first tokens did.
contract FalseReturningToken is TestToken {
    mapping(address account => bool) public isRefused;

    function setRefused(address account, bool refused) external {
        isRefused[account] = refused;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return !isRefused[to] && super.transfer(to, value);
    }
}
