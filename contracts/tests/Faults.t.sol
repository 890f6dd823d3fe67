// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {Payouts} from "../src/Payouts.sol";
import {TestToken} from "../test-only/TestToken.sol";
import {ContractWallet} from "./Parties.sol";
import {PayoutsFixture} from "./PayoutsFixture.sol";
import {Tree} from "./Tree.sol";

/// The faults of the original's contract (fault D31, docs/faults.md), one test each.
contract FaultsTest is PayoutsFixture {
    IBatchSettlement.ChannelConfig private config;

    function setUp() external {
        _setUpPayouts(TestToken(_token("TestToken")));
        config = _nextChannel();
    }

    /// The original's opSettle writes any balance for anyone.
    function test_d31_no_balance_comes_from_nowhere() external {
        _deposit(config, 100);
        bytes32 root = Tree.root(_leaves(1, 0));
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotCollected.selector, 0));
        payouts.post(0, root, 1);
        token.mint(address(payouts), 100);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotCollected.selector, 0));
        payouts.post(0, root, 1);
    }

    /// The original's operator pays any stranger out of the deposits of others.
    function test_d31_no_stranger_is_paid_out_of_the_deposits_of_others() external {
        _deposit(config, 1000);
        _collect(100);
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = Tree.leaf(stranger, 1000);
        vm.prank(OPERATOR);
        payouts.post(0, leaves[0], 100);
        vm.warp(block.timestamp + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(Payouts.AboveTotal.selector, 100));
        payouts.claim(0, 0, stranger, 1000, new bytes32[](0));
        vm.assertEq(token.balanceOf(address(escrow)), 1000);
    }

    /// The original's opWithdraw takes everything that the contract holds.
    function test_d31_owner_and_operator_together_take_the_fee_and_no_deposit() external {
        _deposit(config, 1000);
        _collect(100);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.AboveFeeCap.selector, 10));
        payouts.takeFee(OWNER, 11);
        vm.prank(OWNER);
        payouts.takeFee(OWNER, 10);
        vm.prank(OPERATOR);
        vm.expectRevert(IBatchSettlement.NotAuthorizedToFinalizeWithdraw.selector);
        escrow.initiateWithdraw(config, 1000);
        vm.prank(OPERATOR);
        payouts.refund(config, 1000);
        vm.assertEq(token.balanceOf(payer), 1000);
        vm.assertEq(token.balanceOf(OWNER) + token.balanceOf(OPERATOR), 10);
    }

    /// In the original, the last client that leaves finds the contract insolvent.
    function test_d31_the_last_client_that_leaves_gets_its_deposit_too() external {
        IBatchSettlement.ChannelConfig[] memory all = new IBatchSettlement.ChannelConfig[](3);
        for (uint128 i = 0; i < 3; ++i) {
            all[i] = _nextChannel();
            _deposit(all[i], 100);
            _redeem(_row(all[i], 10 * i));
        }
        _postAndMature(20, 10);
        payouts.claimMany(0, 0, _bothClaims(20, 10));
        for (uint128 i = 0; i < 3; ++i) {
            vm.prank(payer);
            escrow.initiateWithdraw(all[i], 100 - 10 * i);
        }
        vm.warp(block.timestamp + DELAY);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(payer);
            escrow.finalizeWithdraw(all[i]);
        }
        vm.assertEq(token.balanceOf(payer), 270);
        vm.assertEq(token.balanceOf(address(escrow)), 0);
        vm.assertEq(token.balanceOf(address(payouts)), 0);
    }

    /// The original's opSettle clears the timelock, so that an operator can keep a client from leaving for ever.
    function test_d31_nothing_that_the_operator_does_delays_a_withdrawal() external {
        _deposit(config, 100);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 100);
        uint256 end = block.timestamp + DELAY;
        for (uint128 day = 1; day < 14; ++day) {
            vm.warp(end - DELAY + day * 1 days);
            _redeem(_row(config, day));
        }
        vm.prank(OPERATOR);
        payouts.refund(config, 7);
        vm.warp(end);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
        vm.assertEq(token.balanceOf(payer), 87);
    }

    /// The original's operator writes an absolute balance, and a deposit that was mined in between is lost.
    function test_d31_a_deposit_between_reading_and_redeeming_is_kept() external {
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim memory row = _row(config, 60);
        _deposit(config, 50);
        _redeem(row);
        vm.assertEq(_balance(config) - _claimed(config), 90);
        vm.prank(OPERATOR);
        payouts.refund(config, 1000);
        vm.assertEq(token.balanceOf(payer), 90);
    }

    /// The original pays by `transfer`, whose 2,300 gas are too little for a wallet that is a contract.
    function test_d31_wallets_that_are_contracts_are_paid() external {
        address host = address(new ContractWallet(stranger));
        config.payer = address(new ContractWallet(payer));
        _fund(config, 100);
        _redeem(_row(config, 60));
        vm.prank(OPERATOR);
        payouts.post(0, Tree.leaf(host, 60), 60);
        vm.warp(block.timestamp + WINDOW);
        payouts.claim(0, 0, host, 60, new bytes32[](0));
        vm.assertEq(token.balanceOf(host), 60);
        vm.prank(OPERATOR);
        payouts.refund(config, 40);
        vm.assertEq(token.balanceOf(config.payer), 40);
    }

    /// The original's operator is one key for ever.
    function test_d31_the_owner_replaces_a_stolen_operator_key_and_cancels_what_it_posted() external {
        _collect(100);
        bytes32 thiefs = Tree.leaf(OPERATOR, 100);
        vm.prank(OPERATOR);
        payouts.post(0, thiefs, 100);
        vm.prank(OWNER);
        payouts.setOperator(stranger);
        vm.prank(OWNER);
        payouts.cancel(0);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotAllowed.selector, OPERATOR));
        payouts.post(1, thiefs, 100);
        vm.warp(block.timestamp + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(Payouts.Cancelled.selector, 0));
        payouts.claim(0, 0, OPERATOR, 100, new bytes32[](0));
        bytes32 root = Tree.root(_leaves(60, 40));
        vm.prank(stranger);
        payouts.post(1, root, 100);
    }

    /// The original cannot be stopped. Here the owner takes the operator's rights; what matured is still paid.
    function test_d31_the_owner_stops_the_operator_and_nobody_stops_a_matured_root() external {
        _collect(100);
        _postAndMature(60, 40);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OPERATOR));
        payouts.setOperator(OPERATOR);
        vm.prank(OWNER);
        payouts.setOperator(address(0));
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotAllowed.selector, OPERATOR));
        payouts.redeem(new IBatchSettlement.VoucherClaim[][](0));
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.Matured.selector, 0));
        payouts.cancel(0);
        payouts.claimMany(0, 0, _bothClaims(60, 40));
        vm.assertEq(payouts.paidTotal(), 100);
    }

    /// The original's operator needs nobody's consent.
    function test_d31_nothing_is_taken_that_the_client_did_not_sign() external {
        _deposit(config, 100);
        vm.assertEq(_redeem(_row(STRANGER_KEY, config, 60, 60)), 1);
        IBatchSettlement.VoucherClaim memory row = _row(config, 60);
        row.voucher.maxClaimableAmount = 100;
        row.totalClaimed = 100;
        vm.assertEq(_redeem(row), 1);
        vm.assertEq(_claimed(config), 0);
    }

    /// The original keeps no sum of what it owes.
    function test_d31_what_is_owed_and_what_is_there_can_be_read() external {
        _collect(100);
        _collect(50);
        _post(60, 40);
        vm.prank(OWNER);
        payouts.takeFee(OWNER, 15);
        vm.warp(block.timestamp + WINDOW);
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        vm.assertEq(payouts.collected(), 150);
        vm.assertEq(payouts.promised(), 100);
        vm.assertEq(payouts.paidTotal(), 60);
        vm.assertEq(payouts.feeTotal(), 15);
        vm.assertEq(token.balanceOf(address(payouts)), 75);
    }
}
