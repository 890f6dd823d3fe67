// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IDepositCollector} from "../src/IBatchSettlement.sol";

/// A wallet that is a contract and signs by ERC-1271 with its owner's key.
contract ContractWallet {
    address public owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function setOwner(address to) external {
        owner = to;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return signer == owner ? this.isValidSignature.selector : bytes4(0);
    }
}

/// A payer whose check of a signature never ends.
contract BurningPayer {
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 sum;
        while (gasleft() > 100) {
            sum += gasleft();
        }
        return sum == 0 ? bytes4(0) : this.isValidSignature.selector;
    }
}

/// A collector that takes any allowance for any channel, so strangers can use it up.
contract AllowanceCollector is IDepositCollector {
    function collect(address payer, address token, uint256 amount, bytes32, bytes calldata) external {
        require(IERC20(token).transferFrom(payer, msg.sender, amount));
    }
}

/// A collector that takes an allowance for the one channel that its owner named.
contract BoundCollector is IDepositCollector {
    mapping(address owner => mapping(bytes32 channelId => uint256)) public allowed;

    function allow(bytes32 channelId, uint256 amount) external {
        allowed[msg.sender][channelId] = amount;
    }

    function collect(address, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData) external {
        address from = abi.decode(collectorData, (address));
        allowed[from][channelId] -= amount;
        require(IERC20(token).transferFrom(from, msg.sender, amount));
    }
}
