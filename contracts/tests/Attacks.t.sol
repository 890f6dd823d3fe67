// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {Payouts} from "../src/Payouts.sol";
import {BlacklistingToken, FeeOnTransferToken, RebasingToken} from "../test-only/HostileTokens.sol";
import {TestToken} from "../test-only/TestToken.sol";
import {AllowanceCollector, BoundCollector, BurningPayer, ContractWallet} from "./Parties.sol";
import {PayoutsFixture} from "./PayoutsFixture.sol";
import {Vm} from "./Vm.sol";

/// What clients, strangers, and tokens can try against a pool, and what the pool has to do about it.
contract AttacksTest is PayoutsFixture {
    IBatchSettlement.ChannelConfig private config;
    BlacklistingToken private blacklisting;

    function setUp() external {
        blacklisting = BlacklistingToken(_token("BlacklistingToken"));
        _setUpPayouts(blacklisting);
        config = _nextChannel();
    }

    function _ceilingSecured() private view returns (uint128) {
        (uint128 pending,) = escrow.pendingWithdrawals(escrow.getChannelId(config));
        uint128 balance = _balance(config);
        return pending > balance ? 0 : balance - pending;
    }

    // --- Which channels a pool accepts

    function test_a_foreign_receiver_with_our_authorizer_brings_the_pool_nothing() external {
        config.receiver = stranger;
        _deposit(config, 100);
        vm.assertEq(_redeem(_row(config, 100)), 0);
        escrow.settle(stranger, address(token));
        vm.assertEq(payouts.collected(), 0);
        vm.assertEq(token.balanceOf(stranger), 100);
    }

    function test_a_client_with_an_authorizer_of_its_own_refunds_itself() external {
        config.receiverAuthorizer = payer;
        _deposit(config, 100);
        vm.prank(payer);
        escrow.refund(config, 100);
        vm.assertEq(token.balanceOf(payer), 100);
        vm.assertEq(_redeem(_row(config, 60)), 1);
    }

    function test_a_channel_of_fifteen_minutes_is_empty_after_901_seconds() external {
        config.withdrawDelay = 15 minutes;
        _deposit(config, 100);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 100);
        vm.warp(block.timestamp + 901);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
        vm.assertEq(_redeem(_row(config, 60)), 1);
        vm.assertEq(payouts.collected(), 0);
    }

    function test_a_voucher_is_for_one_chain_one_channel_and_one_escrow() external {
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim memory row = _row(config, 60);
        row.voucher.channel.salt = bytes32(uint256(77));
        _deposit(row.voucher.channel, 100);
        vm.assertEq(_redeem(row), 1);

        vm.chainId(1);
        row.voucher.channel = config;
        vm.prank(OPERATOR);
        vm.assertEq(payouts.redeem(_chunk(row)), 1);
        vm.chainId(31337);
        vm.assertEq(_redeem(row), 0);
    }

    /// With the zero authorizer a contract decides whether a voucher is signed, and can decide again.
    function test_a_contract_that_signs_for_itself_takes_its_vouchers_back() external {
        ContractWallet wallet = new ContractWallet(payer);
        (config.payer, config.payerAuthorizer) = (address(wallet), address(0));
        _fund(config, 100);
        IBatchSettlement.VoucherClaim memory row = _row(PAYER_KEY, config, 60, 60);
        wallet.setOwner(stranger);
        vm.assertEq(_redeem(row), 1);
        wallet.setOwner(payer);
        vm.assertEq(_redeem(row), 0);
    }

    // --- A channel that names a payer does not prove the consent of that payer

    function test_anyone_funds_a_channel_in_the_name_of_another_with_their_own_key() external {
        config.payerAuthorizer = stranger;
        _fund(config, 100);
        vm.assertEq(_redeem(_row(STRANGER_KEY, config, 60, 60)), 0);
        vm.assertEq(payouts.collected(), 60);
    }

    // --- What a channel secures

    /// A withdrawal whose delay is over can take the next deposit at once, so that deposit does not count as secured.
    function test_an_armed_withdrawal_takes_a_new_deposit_which_does_not_count_as_secured() external {
        _deposit(config, 100);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 100);
        _redeem(_row(config, 100));
        vm.warp(block.timestamp + DELAY);
        _deposit(config, 100);
        vm.assertEq(_balance(config), 200);
        vm.assertEq(_ceilingSecured(), 100);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
        vm.assertEq(_balance(config), 100);
        vm.assertEq(_redeem(_row(config, 150)), 1);
    }

    /// What is signed within the secured amount can be collected, whatever the client does during and after the withdrawal.
    function test_what_is_signed_within_the_secured_amount_can_be_collected() external {
        _deposit(config, 100);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 30);
        uint128 secured = _ceilingSecured();
        vm.assertEq(secured, 70);
        vm.warp(block.timestamp + DELAY);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
        vm.assertEq(_redeem(_row(config, secured)), 0);
        vm.assertEq(payouts.collected(), 70);
    }

    // --- Signatures

    function test_a_voucher_has_65_bytes_a_low_s_and_v_27_or_28() external {
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim memory row = _row(config, 60);
        bytes32 digest = escrow.getVoucherDigest(escrow.getChannelId(config), 60);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(AGENT_KEY, digest);
        vm.assertTrue(v == 27 || v == 28);

        row.signature = abi.encodePacked(r, s, v - 27);
        vm.assertEq(_redeem(row), 1);
        row.signature = abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
        vm.assertEq(row.signature.length, 64);
        vm.assertEq(_redeem(row), 1);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        row.signature = abi.encodePacked(r, order - uint256(s), v == 27 ? uint8(28) : uint8(27));
        vm.assertEq(_redeem(row), 1);
        row.signature = "";
        vm.assertEq(_redeem(row), 1);
        row.signature = abi.encodePacked(r, s, v);
        vm.assertEq(_redeem(row), 0);
    }

    function test_vouchers_are_cumulative_for_ever() external {
        _deposit(config, 100);
        _redeem(_row(config, 60));
        vm.prank(OPERATOR);
        payouts.refund(config, 40);
        _deposit(config, 100);
        _redeem(_row(config, 60));
        vm.assertEq(payouts.collected(), 60);
        _redeem(_row(config, 70));
        vm.assertEq(payouts.collected(), 70);
        vm.assertEq(_claimed(config), 70);
    }

    // --- A channel whose deposit does not cover its voucher

    function test_a_part_is_saved_when_the_deposit_left_first_and_the_rest_after_a_new_one() external {
        _deposit(config, 100);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 60);
        vm.warp(block.timestamp + DELAY);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
        vm.assertEq(_redeem(_row(AGENT_KEY, config, 80, 80)), 1);
        vm.assertEq(_redeem(_row(AGENT_KEY, config, 80, 40)), 0);
        vm.assertEq(payouts.collected(), 40);
        _deposit(config, 60);
        vm.assertEq(_redeem(_row(AGENT_KEY, config, 80, 80)), 0);
        vm.assertEq(payouts.collected(), 80);
    }

    // --- Redeeming many vouchers

    function test_one_bad_voucher_loses_its_chunk_and_no_other() external {
        _deposit(config, 100);
        IBatchSettlement.ChannelConfig memory second = _nextChannel();
        _deposit(second, 100);
        IBatchSettlement.VoucherClaim[][] memory chunks = new IBatchSettlement.VoucherClaim[][](2);
        chunks[0] = _one(_row(STRANGER_KEY, config, 60, 60));
        chunks[1] = _one(_row(second, 70));
        vm.expectEmit(true, true, true, true, address(payouts));
        emit Payouts.RedeemFailed(0);
        vm.prank(OPERATOR);
        vm.assertEq(payouts.redeem(chunks), 1);
        vm.assertEq(payouts.collected(), 70);
    }

    function test_a_payer_that_burns_gas_burns_no_more_than_its_chunk_may() external {
        BurningPayer burning = new BurningPayer();
        (config.payer, config.payerAuthorizer) = (address(burning), address(0));
        _fund(config, 100);
        IBatchSettlement.ChannelConfig memory second = _nextChannel();
        _deposit(second, 100);
        IBatchSettlement.VoucherClaim[][] memory chunks = new IBatchSettlement.VoucherClaim[][](2);
        chunks[0] = _one(_row(config, 60));
        chunks[1] = _one(_row(second, 70));
        vm.prank(OPERATOR);
        uint256 before = gasleft();
        vm.assertEq(payouts.redeem(chunks), 1);
        vm.assertLe(before - gasleft(), 400_000, "gas of a redeem with a bomb");
        vm.assertEq(payouts.collected(), 70);
    }

    function test_a_failing_settle_keeps_the_claims() external {
        _deposit(config, 100);
        blacklisting.setPaused(true);
        vm.expectEmit(true, true, true, true, address(payouts));
        emit Payouts.SettleFailed();
        vm.assertEq(_redeem(_row(config, 60)), 0);
        vm.assertEq(_claimed(config), 60);
        vm.assertEq(payouts.collected(), 0);
        blacklisting.setPaused(false);
        vm.prank(stranger);
        escrow.settle(address(payouts), address(token));
        vm.assertEq(payouts.collected(), 60);
    }

    // --- A withdrawal that the pool sees in time, or too late

    function test_a_client_that_leaves_pays_what_it_signed_until_the_last_second() external {
        _deposit(config, 100);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 100);
        vm.warp(block.timestamp + DELAY - 1);
        vm.assertEq(_redeem(_row(config, 80)), 0);
        vm.warp(block.timestamp + 1);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
        vm.assertEq(payouts.collected(), 80);
        vm.assertEq(token.balanceOf(payer), 20);
    }

    function test_a_pool_that_misses_the_deadline_gets_nothing() external {
        _deposit(config, 100);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 100);
        vm.warp(block.timestamp + DELAY);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
        vm.assertEq(_redeem(_row(config, 80)), 1);
    }

    // --- Refunds

    function test_a_refund_before_the_redeem_gives_away_what_was_signed() external {
        _deposit(config, 100);
        IBatchSettlement.ChannelConfig memory second = _nextChannel();
        _deposit(second, 100);
        vm.prank(OPERATOR);
        payouts.refund(config, 100);
        vm.assertEq(_redeem(_row(config, 60)), 1);
        _redeem(_row(second, 60));
        vm.prank(OPERATOR);
        payouts.refund(second, 100);
        vm.assertEq(payouts.collected(), 60);
        vm.assertEq(token.balanceOf(payer), 140);
    }

    // --- Collectors

    function test_a_plain_collector_of_allowances_lets_strangers_take_them() external {
        AllowanceCollector plain = new AllowanceCollector();
        BoundCollector bound = new BoundCollector();
        token.mint(payer, 200);
        vm.startPrank(payer);
        token.approve(address(plain), 100);
        token.approve(address(bound), 100);
        bound.allow(escrow.getChannelId(config), 100);
        vm.stopPrank();

        config.receiver = stranger;
        config.receiverAuthorizer = stranger;
        config.payerAuthorizer = stranger;
        vm.prank(stranger);
        escrow.deposit(config, 100, address(plain), "");
        IBatchSettlement.VoucherClaim[] memory rows = _one(_row(STRANGER_KEY, config, 100, 100));
        vm.prank(stranger);
        escrow.claim(rows);
        escrow.settle(stranger, address(token));
        vm.assertEq(token.balanceOf(stranger), 100);

        vm.prank(stranger);
        vm.expectRevert();
        escrow.deposit(config, 100, address(bound), abi.encode(payer));
    }

    // --- What events and state show

    function test_a_withdrawal_is_found_by_event_and_by_state() external {
        _deposit(config, 100);
        bytes32 id = escrow.getChannelId(config);
        vm.recordLogs();
        vm.prank(payer);
        escrow.initiateWithdraw(config, 40);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1);
        vm.assertEq(logs[0].topics.length, 2);
        vm.assertEq(logs[0].topics[1], id);
        (uint128 amount, uint40 initiatedAt) = escrow.pendingWithdrawals(id);
        vm.assertEq(amount, 40);
        vm.assertEq(initiatedAt, block.timestamp);
    }

    /// A channel of which something was claimed is refilled without `ChannelCreated`.
    function test_channel_created_is_missing_after_some_refills() external {
        _deposit(config, 100);
        _redeem(_row(config, 60));
        vm.prank(OPERATOR);
        payouts.refund(config, 40);
        vm.recordLogs();
        _deposit(config, 100);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            vm.assertTrue(logs[i].topics[0] != IBatchSettlement.ChannelCreated.selector);
        }
    }

    function test_settled_is_found_by_the_receiver() external {
        _deposit(config, 100);
        vm.expectEmit(true, true, true, true, address(escrow));
        emit IBatchSettlement.Settled(address(payouts), address(token), address(payouts), 60);
        IBatchSettlement.VoucherClaim[][] memory rows = _chunk(_row(config, 60));
        this.redeemAsOperator(rows);
    }

    function redeemAsOperator(IBatchSettlement.VoucherClaim[][] calldata rows) external {
        vm.prank(OPERATOR);
        payouts.redeem(rows);
    }

    // --- Strangers and tokens

    function test_a_stranger_who_claims_one_unit_to_us_in_every_block_stops_nothing() external {
        config.receiverAuthorizer = stranger;
        _deposit(config, 100);
        _collect(100);
        for (uint128 unit = 1; unit <= 5; ++unit) {
            IBatchSettlement.VoucherClaim[] memory rows = _one(_row(AGENT_KEY, config, 100, unit));
            vm.prank(stranger);
            escrow.claim(rows);
            escrow.settle(address(payouts), address(token));
            _post(unit * 10, unit * 10);
            vm.warp(block.timestamp + 12);
        }
        vm.warp(block.timestamp + WINDOW);
        payouts.claimMany(4, 4, _bothClaims(50, 50));
        vm.assertEq(payouts.collected(), 105);
        vm.assertEq(payouts.paidTotal(), 100);
    }

    function test_a_second_channel_of_one_account_is_a_channel_of_its_own() external {
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim memory row = _row(config, 60);
        for (uint256 salt = 100; salt < 105; ++salt) {
            config.salt = bytes32(salt);
            row.voucher.channel = config;
            vm.assertEq(_redeem(row), 1);
        }
    }

    function test_a_token_with_a_fee_is_found_out_by_the_first_deposit() external {
        _setUpPayouts(FeeOnTransferToken(_token("FeeOnTransferToken")));
        config = _nextChannel();
        token.mint(payer, 10_000);
        bytes memory authorization = _authorization(PAYER_KEY, config, 10_000);
        vm.expectRevert();
        escrow.deposit(config, 10_000, ERC3009_COLLECTOR, authorization);
    }

    function test_a_rebasing_token_is_found_out_by_a_small_deposit_and_its_refund() external {
        RebasingToken rebasing = RebasingToken(_token("RebasingToken"));
        _setUpPayouts(rebasing);
        config = _nextChannel();
        _deposit(config, 100);
        rebasing.rebase();
        vm.assertLt(token.balanceOf(address(escrow)), _balance(config));
        vm.prank(OPERATOR);
        vm.expectRevert();
        payouts.refund(config, 100);
    }

    function test_a_blocked_payer_keeps_nobody_else_from_a_refund() external {
        IBatchSettlement.ChannelConfig memory second = _nextChannel();
        second.payer = stranger;
        _deposit(config, 100);
        _deposit(STRANGER_KEY, second, 100);
        blacklisting.setBlacklisted(payer, true);
        vm.prank(OPERATOR);
        vm.expectRevert();
        payouts.refund(config, 100);
        vm.prank(OPERATOR);
        payouts.refund(second, 100);
        vm.assertEq(token.balanceOf(stranger), 100);
        vm.assertEq(_redeem(_row(config, 60)), 0);
    }

    /// Stated in SECURITY.md: the issuer can freeze a pool's money, and only the issuer can thaw it.
    function test_a_blocked_payouts_pays_nobody_until_it_is_unblocked() external {
        _collect(100);
        _postAndMature(60, 40);
        blacklisting.setBlacklisted(address(payouts), true);
        payouts.claimMany(0, 0, _bothClaims(60, 40));
        vm.assertEq(payouts.paidTotal(), 0);
        blacklisting.setBlacklisted(address(payouts), false);
        payouts.claimMany(0, 0, _bothClaims(60, 40));
        vm.assertEq(payouts.paidTotal(), 100);
    }

    /// A pool that cheats gets what it was sent vouchers for, without service, and not a unit more.
    function test_a_cheating_pool_gets_no_more_than_what_was_signed() external {
        _deposit(config, 100);
        vm.assertEq(_redeem(_row(AGENT_KEY, config, 60, 60)), 0);
        vm.assertEq(_redeem(_row(AGENT_KEY, config, 60, 61)), 1);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 40);
        vm.warp(block.timestamp + DELAY);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
        vm.assertEq(token.balanceOf(payer), 40);
    }
}
