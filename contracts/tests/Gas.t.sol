// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {Payouts} from "../src/Payouts.sol";
import {TestToken} from "../test-only/TestToken.sol";
import {PayoutsFixture} from "./PayoutsFixture.sol";
import {Tree} from "./Tree.sol";

/// What transactions cost, with their calldata, in the state that a pool has after some epochs. The figures are written
/// to snapshots/gas.json; `./test` compares them. Redeeming is measured with the double of the escrow: with the
/// standard's it costs about as much, but not the same.
contract GasTest is PayoutsFixture {
    uint256 private constant VOUCHERS = 250;
    uint256 private constant CHUNK = 25;
    uint256 private constant HOSTS = 1_000;
    uint256 private constant BATCH = 100;

    bytes private redeemCall;
    bytes private refundCall;
    bytes32[] private before;
    bytes32[] private leaves;

    function setUp() external {
        _setUpPayouts(TestToken(_token("TestToken")));
        IBatchSettlement.VoucherClaim[][] memory first = new IBatchSettlement.VoucherClaim[][](VOUCHERS / CHUNK);
        IBatchSettlement.VoucherClaim[][] memory chunks = new IBatchSettlement.VoucherClaim[][](VOUCHERS / CHUNK);
        for (uint256 i = 0; i < chunks.length; ++i) {
            first[i] = new IBatchSettlement.VoucherClaim[](CHUNK);
            chunks[i] = new IBatchSettlement.VoucherClaim[](CHUNK);
            for (uint256 j = 0; j < CHUNK; ++j) {
                IBatchSettlement.ChannelConfig memory config = _nextChannel();
                _deposit(config, 20_000_000);
                first[i][j] = _row(config, 6_543_210);
                chunks[i][j] = _row(config, 12_345_678);
                refundCall = abi.encodeCall(Payouts.refund, (config, 1_234_567));
            }
        }
        vm.prank(OPERATOR);
        vm.assertEq(
            payouts.redeem(first), 0, "a chunk's limit of gas is enough for channels that pay for the first time"
        );
        redeemCall = abi.encodeCall(Payouts.redeem, (chunks));

        for (uint256 i = 0; i < HOSTS; ++i) {
            before.push(Tree.leaf(_host(i), _earned(i)));
            leaves.push(Tree.leaf(_host(i), 2 * _earned(i)));
        }
    }

    function _host(uint256 i) private pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("host", i)))));
    }

    function _earned(uint256 i) private pure returns (uint256) {
        return 100_000 + i;
    }

    function _claims(bytes32[] memory all, uint256 times, uint256 count) private pure returns (Payouts.Claim[] memory) {
        Payouts.Claim[] memory claims = new Payouts.Claim[](count);
        for (uint256 i = 0; i < count; ++i) {
            claims[i] = Payouts.Claim(_host(i), times * _earned(i), Tree.proof(all, i));
        }
        return claims;
    }

    function _total(uint256 times) private pure returns (uint128 total) {
        for (uint256 i = 0; i < HOSTS; ++i) {
            total += uint128(times * _earned(i));
        }
    }

    /// The gas of a transaction with nothing warm: 21,000, its calldata, and what it runs. `vm.cool` leaves the accounts
    /// themselves warm, of which the transaction also calls `accounts`.
    function _transaction(address sender, bytes memory data, uint256 accounts) private returns (uint256 used) {
        vm.cool(address(payouts));
        vm.cool(address(escrow));
        vm.cool(address(token));
        vm.prank(sender);
        address to = address(payouts);
        bool done;
        // Not by `to.call(data)`: that copies the data, and the gas for more of the test's own memory would count.
        assembly ("memory-safe") {
            let left := gas()
            done := call(gas(), to, 0, add(data, 32), mload(data), 0, 0)
            used := sub(left, gas())
        }
        vm.assertTrue(done, "the transaction reverts");
        used += 21_000 + accounts * (2_600 - 100);
        uint256 floor = 21_000;
        for (uint256 i = 0; i < data.length; ++i) {
            used += data[i] == 0 ? 4 : 16;
            floor += data[i] == 0 ? 10 : 40;
        }
        if (used < floor) used = floor;
    }

    function _check(string memory what, uint256 gas, uint256 limit) private {
        vm.snapshotValue("gas", what, gas);
        vm.assertLe(gas, limit, what);
    }

    function test_gas_redeem() external {
        uint256 gas = _transaction(OPERATOR, redeemCall, 2);
        vm.assertEq(payouts.collected(), VOUCHERS * 12_345_678);
        vm.assertLe(redeemCall.length, 128 * 1024, "pools of transactions refuse larger ones");
        _check("redeem of 250, a voucher", gas / VOUCHERS, 22_000);
    }

    function test_gas_refund() external {
        _check("refund", _transaction(OPERATOR, refundCall, 2), 110_000);
    }

    function _postAll() private returns (Payouts.Claim[] memory first) {
        first = _claims(before, 1, BATCH);
        bytes memory post = abi.encodeCall(Payouts.post, (0, Tree.root(before), _total(1)));
        _check("post of the first root", _transaction(OPERATOR, post, 1), 130_000);
        post = abi.encodeCall(Payouts.post, (1, Tree.root(leaves), _total(2)));
        _check("post of a root", _transaction(OPERATOR, post, 1), 90_000);
        vm.warp(block.timestamp + WINDOW);
    }

    function test_gas_post_and_pay_many() external {
        Payouts.Claim[] memory claims = _postAll();
        bytes memory call = abi.encodeCall(Payouts.claimMany, (0, 1, claims));
        _check("claimMany of 100, a host, first ever", _transaction(stranger, call, 1) / BATCH, 65_000);
        call = abi.encodeCall(Payouts.claimMany, (1, 1, _claims(leaves, 2, BATCH)));
        _check("claimMany of 100, a host", _transaction(stranger, call, 1) / BATCH, 28_000);
        vm.assertEq(token.balanceOf(_host(BATCH - 1)), 2 * _earned(BATCH - 1));
    }

    function test_gas_one_claim() external {
        Payouts.Claim memory one = _postAll()[7];
        payouts.claim(0, 1, one.payee, one.cumulative, one.proof);
        one = _claims(leaves, 2, 8)[7];
        bytes memory call = abi.encodeCall(Payouts.claim, (1, 1, one.payee, one.cumulative, one.proof));
        _check("claim of one among 1,000 hosts", _transaction(one.payee, call, 1), 80_000);
    }
}
