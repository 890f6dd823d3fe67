// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {Payouts} from "../src/Payouts.sol";
import {TestToken} from "../test-only/TestToken.sol";
import {PayoutsFixture} from "./PayoutsFixture.sol";
import {Tree} from "./Tree.sol";

/// Clients, hosts, a pool that is not always honest, and strangers, whose calls forge draws. Each call that may fail is
/// predicted first: one that succeeds and should not, or the reverse, ends the campaign.
contract World is PayoutsFixture {
    uint256 private constant CLIENTS = 3;
    uint256 private constant HOSTS = 4;

    struct Client {
        uint256 key;
        IBatchSettlement.ChannelConfig config;
        uint128 deposited;
        uint128 signed;
    }

    /// A root as its poster knows it.
    struct Posted {
        uint256[HOSTS] cumulative;
        uint128 total;
        uint256 maturesAt;
        bool cancelled;
    }

    Client[] private _clients;
    Posted[] private _posted;
    uint256[HOSTS] private _earned;
    /// Tokens that came to `Payouts` by a plain transfer.
    uint256 private _given;
    /// How often a call did what only the right state allows.
    uint256 public payments;
    uint256 public cancellations;
    uint256 public withdrawals;
    uint256 public redeemed;

    constructor() {
        _setUpPayouts(TestToken(_token("TestToken")));
        for (uint256 i = 0; i < CLIENTS; ++i) {
            IBatchSettlement.ChannelConfig memory config = _nextChannel();
            uint256 key = 1000 + i;
            config.payer = vm.addr(key);
            config.payerAuthorizer = vm.addr(key);
            _clients.push(Client(key, config, 0, 0));
        }
    }

    function _host(uint256 i) private pure returns (address) {
        return address(uint160(0x4057000 + i));
    }

    /// Where a host has its payment sent that does not want it on its own account.
    function _cold(uint256 i) private pure returns (address) {
        return address(uint160(0xC01D000 + i));
    }

    function _between(uint256 x, uint256 least, uint256 most) private pure returns (uint256) {
        return least + x % (most - least + 1);
    }

    // --- Clients

    function deposit(uint256 client, uint256 amount) external {
        Client storage one = _clients[client % CLIENTS];
        uint128 value = uint128(_between(amount, 1, 1_000_000));
        _deposit(one.key, one.config, value);
        one.deposited += value;
    }

    function sign(uint256 client, uint256 amount) external {
        Client storage one = _clients[client % CLIENTS];
        one.signed += uint128(_between(amount, 0, 100_000));
    }

    function initiateWithdraw(uint256 client, uint256 amount) external {
        IBatchSettlement.ChannelConfig memory config = _clients[client % CLIENTS].config;
        (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(config));
        (, uint40 pendingSince) = escrow.pendingWithdrawals(escrow.getChannelId(config));
        uint128 value = uint128(_between(amount, 1, 500_000));
        vm.prank(config.payer);
        bool done = _tries(address(escrow), abi.encodeCall(escrow.initiateWithdraw, (config, value)));
        vm.assertTrue(done == (pendingSince == 0 && value <= balance - claimed), "initiateWithdraw");
    }

    function finalizeWithdraw(uint256 client) external {
        IBatchSettlement.ChannelConfig memory config = _clients[client % CLIENTS].config;
        (, uint40 pendingSince) = escrow.pendingWithdrawals(escrow.getChannelId(config));
        vm.prank(config.payer);
        bool done = _tries(address(escrow), abi.encodeCall(escrow.finalizeWithdraw, (config)));
        vm.assertTrue(done == (pendingSince != 0 && block.timestamp >= pendingSince + DELAY), "finalizeWithdraw");
        if (done) ++withdrawals;
    }

    // --- The pool

    /// Claims some amount by a client's newest voucher; too much, or with a forged voucher, fails and claims nothing.
    function redeem(uint256 client, uint256 amount, uint8 forgery) external {
        bool forged = forgery % 8 == 0;
        Client storage one = _clients[client % CLIENTS];
        if (one.signed == 0) return;
        (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(one.config));
        uint256 most = one.signed < balance || amount % 4 == 0 ? one.signed : balance;
        uint128 total = uint128(_between(amount, 0, most + 10));
        uint256 failed = _redeem(_row(forged ? STRANGER_KEY : one.key, one.config, one.signed, total));
        bool fails = total > claimed && (forged || total > one.signed || total > balance);
        vm.assertTrue((failed == 1) == fails, "redeem");
        if (total > claimed && !fails) ++redeemed;
    }

    function refund(uint256 client, uint256 amount) external {
        vm.prank(OPERATOR);
        payouts.refund(_clients[client % CLIENTS].config, uint128(_between(amount, 1, 200_000)));
    }

    /// Honest leaves grow, and their sum is the total. Of four roots one has leaves and a total that were drawn.
    function post(uint256 host, uint256 amount, uint256 total, uint8 honesty) external {
        bool dishonest = honesty % 4 == 0;
        uint256 free = uint256(payouts.collected()) - payouts.feeTotal();
        uint256 value = dishonest ? _between(amount, 0, 100_000) : _between(amount, 0, free / 8);
        uint256[HOSTS] memory cumulative = _earned;
        cumulative[host % HOSTS] += value;
        uint256 sum;
        for (uint256 i = 0; i < HOSTS; ++i) {
            sum += cumulative[i];
        }
        if (sum < _promised()) sum = _promised();
        if (dishonest) sum = _between(total, 0, free + free / 10);
        bytes memory data = abi.encodeCall(payouts.post, (_posted.length, _root(cumulative), uint128(sum)));
        bool fits = sum <= free && sum >= _promised();
        vm.prank(OPERATOR);
        bool done = _tries(address(payouts), data);
        vm.assertTrue(done == fits, "post");
        if (!done) return;
        _posted.push(Posted(cumulative, uint128(sum), block.timestamp + WINDOW, false));
        if (!dishonest) _earned = cumulative;
    }

    function _promised() private view returns (uint128) {
        for (uint256 i = _posted.length; i > 0; --i) {
            if (!_posted[i - 1].cancelled) return _posted[i - 1].total;
        }
        return 0;
    }

    function _root(uint256[HOSTS] memory cumulative) private pure returns (bytes32) {
        return Tree.root(_leaves(cumulative));
    }

    function _leaves(uint256[HOSTS] memory cumulative) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](HOSTS);
        for (uint256 i = 0; i < HOSTS; ++i) {
            leaves[i] = Tree.leaf(_host(i), cumulative[i]);
        }
    }

    // --- The owner

    function cancel(uint256 index, uint8 mood) external {
        if (_posted.length == 0 || mood % 2 == 0) return;
        index = _posted.length - 1 - index % (_posted.length < 3 ? _posted.length : 3);
        Posted storage root = _posted[index];
        vm.prank(OWNER);
        bool done = _tries(address(payouts), abi.encodeCall(payouts.cancel, (index)));
        vm.assertTrue(done == (!root.cancelled && block.timestamp < root.maturesAt), "cancel");
        if (!done) return;
        root.cancelled = true;
        ++cancellations;
    }

    function takeFee(uint256 amount) external {
        uint256 total = payouts.collected();
        uint256 value = _between(amount, 1, total / 10 + 10);
        bool fits = payouts.feeTotal() + value <= total / 10 && payouts.feeTotal() + value + _promised() <= total;
        vm.prank(OWNER);
        bool done = _tries(address(payouts), abi.encodeCall(payouts.takeFee, (OWNER, uint128(value))));
        vm.assertTrue(done == fits, "takeFee");
    }

    // --- Hosts

    function claim(uint256 index, uint256 cap, uint256 host, bool toCold) external {
        if (_posted.length == 0) return;
        (index, cap, host) = (_drawn(index), _drawn(cap), host % HOSTS);
        Posted storage root = _posted[index];
        uint256 cumulative = root.cumulative[host];
        bytes32[] memory proof = Tree.proof(_leaves(root.cumulative), host);
        uint256 paid = payouts.paid(_host(host));
        bool pays = _pays(root) && _pays(_posted[cap]) && cumulative > paid;
        if (pays) pays = payouts.paidTotal() + cumulative - paid <= _posted[cap].total;
        bytes memory data = toCold
            ? abi.encodeCall(payouts.claimTo, (index, cap, cumulative, proof, _cold(host)))
            : abi.encodeCall(payouts.claim, (index, cap, _host(host), cumulative, proof));
        vm.prank(toCold ? _host(host) : stranger);
        vm.assertTrue(_tries(address(payouts), data) == pays, "claim");
        if (pays) ++payments;
    }

    function claimMany(uint256 index, uint256 cap) external {
        if (_posted.length == 0) return;
        (index, cap) = (_drawn(index), _drawn(cap));
        Posted storage root = _posted[index];
        bytes32[] memory leaves = _leaves(root.cumulative);
        Payouts.Claim[] memory claims = new Payouts.Claim[](HOSTS);
        for (uint256 i = 0; i < HOSTS; ++i) {
            claims[i] = Payouts.Claim(_host(i), root.cumulative[i], Tree.proof(leaves, i));
        }
        uint128 before = payouts.paidTotal();
        vm.prank(stranger);
        bool done = _tries(address(payouts), abi.encodeCall(payouts.claimMany, (index, cap, claims)));
        vm.assertTrue(done == (_pays(root) && _pays(_posted[cap])), "claimMany");
        if (payouts.paidTotal() > before) ++payments;
    }

    function _pays(Posted storage root) private view returns (bool) {
        return !root.cancelled && block.timestamp >= root.maturesAt;
    }

    /// Any root, one of the last, or most often the newest that pays.
    function _drawn(uint256 index) private view returns (uint256) {
        uint256 count = _posted.length;
        if (index % 4 == 0) return (index / 4) % count;
        if (index % 4 == 1) return count - 1 - (index / 4) % (count < 4 ? count : 4);
        for (uint256 i = count; i > 0; --i) {
            if (_pays(_posted[i - 1])) return i - 1;
        }
        return 0;
    }

    // --- Strangers and time

    function settle() external {
        vm.prank(stranger);
        escrow.settle(address(payouts), address(token));
    }

    /// Tokens that come from elsewhere belong to nobody.
    function give(uint256 amount) external {
        uint256 value = _between(amount, 1, 1000);
        token.mint(address(payouts), value);
        _given += value;
    }

    function strangerTries(uint256 which, uint256 client) external {
        IBatchSettlement.ChannelConfig memory config = _clients[client % CLIENTS].config;
        bytes[7] memory attempts = [
            abi.encodeCall(payouts.post, (_posted.length, bytes32(which), 0)),
            abi.encodeCall(payouts.cancel, (0)),
            abi.encodeCall(payouts.takeFee, (stranger, 1)),
            abi.encodeCall(payouts.setOperator, (stranger)),
            abi.encodeCall(payouts.refund, (config, 1)),
            abi.encodeCall(payouts.redeem, (new IBatchSettlement.VoucherClaim[][](0))),
            abi.encodeCall(payouts.transferOwnership, (stranger))
        ];
        vm.prank(stranger);
        vm.assertFalse(_tries(address(payouts), attempts[which % 7]));
    }

    function letTimePass(uint256 time) external {
        vm.warp(block.timestamp + _between(time, 1 hours, 4 days));
    }

    function _tries(address target, bytes memory data) private returns (bool done) {
        (done,) = target.call(data);
    }

    // --- What always holds

    /// What the token counts for a host is what the contract noted, and one live matured leaf covers it.
    function checkNoHostIsPaidTwice() external view {
        for (uint256 i = 0; i < HOSTS; ++i) {
            uint256 got = token.balanceOf(_host(i)) + token.balanceOf(_cold(i));
            vm.assertEq(got, payouts.paid(_host(i)), "paid and got differ");
            uint256 most;
            for (uint256 j = 0; j < _posted.length; ++j) {
                if (_pays(_posted[j]) && _posted[j].cumulative[i] > most) most = _posted[j].cumulative[i];
            }
            vm.assertLe(got, most, "a host got more than any matured root gives it");
        }
    }

    function checkPaymentsStayBelowWhatWasSettled() external view {
        (, uint128 settled) = escrow.receivers(address(payouts), address(token));
        uint256 sum;
        for (uint256 i = 0; i < HOSTS; ++i) {
            sum += payouts.paid(_host(i));
        }
        vm.assertEq(sum, payouts.paidTotal(), "paidTotal");
        vm.assertLe(sum + payouts.feeTotal(), settled, "more was paid than settled");
        vm.assertLe(uint256(payouts.promised()) + payouts.feeTotal(), settled, "more is promised than settled");
        vm.assertLe(payouts.feeTotal(), settled / 10, "fee");
        uint256 held = settled + _given - sum - payouts.feeTotal();
        vm.assertEq(token.balanceOf(address(payouts)), held, "what Payouts holds");
    }

    function checkCancelledRootsPayNobody() external view {
        uint256 most;
        for (uint256 i = 0; i < _posted.length; ++i) {
            (,,, bool cancelled) = payouts.rootAt(i);
            vm.assertTrue(cancelled == _posted[i].cancelled, "cancelled");
            if (_pays(_posted[i]) && _posted[i].total > most) most = _posted[i].total;
        }
        vm.assertLe(payouts.paidTotal(), most, "more was paid than a matured root allows");
    }

    function checkTheEscrowAddsUp() external view {
        uint256 sum;
        uint256 claimedByAll;
        for (uint256 i = 0; i < CLIENTS; ++i) {
            (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(_clients[i].config));
            sum += balance - claimed;
            claimedByAll += claimed;
        }
        (uint128 total, uint128 settled) = escrow.receivers(address(payouts), address(token));
        vm.assertEq(claimedByAll, total, "claimed");
        vm.assertEq(token.balanceOf(address(escrow)), sum + total - settled, "what the escrow holds");
    }

    function checkClientsLoseOnlyWhatTheySigned() external view {
        for (uint256 i = 0; i < CLIENTS; ++i) {
            Client storage one = _clients[i];
            (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(one.config));
            vm.assertLe(claimed, one.signed, "more was claimed than signed");
            uint256 back = token.balanceOf(one.config.payer);
            vm.assertEq(back + balance, one.deposited, "a client's money");
        }
    }
}
