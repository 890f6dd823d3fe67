// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {FeeOnTransferToken} from "../test-only/HostileTokens.sol";
import {TestToken} from "../test-only/TestToken.sol";
import {Fixture} from "./Fixture.sol";

/// The double of the escrow behaves as the specification of `batch-settlement` describes.
contract EscrowTest is Fixture {
    address private constant RECEIVER = address(0xEEE);
    IBatchSettlement.ChannelConfig private config;

    function setUp() external {
        _setUpEscrow(TestToken(_token("TestToken")));
        config = _channel(RECEIVER);
    }

    /// The next call emits what is emitted here next.
    function _expect() private {
        vm.expectEmit(true, true, true, true, address(escrow));
    }

    function _fundedAuthorization(uint128 amount) private returns (bytes memory) {
        token.mint(payer, amount);
        return _authorization(PAYER_KEY, config, amount);
    }

    function _claim(IBatchSettlement.VoucherClaim memory row) private {
        vm.prank(RECEIVER);
        escrow.claim(_one(row));
    }

    function _refuses(IBatchSettlement.VoucherClaim memory row, bytes4 reason) private {
        vm.prank(RECEIVER);
        vm.expectRevert(reason);
        escrow.claim(_one(row));
    }

    // The vectors were made with viem 2 and @x402/evm 2.27.0 for chain 31337.
    function test_hashes_are_those_of_the_sdk() external view {
        IBatchSettlement.ChannelConfig memory known = IBatchSettlement.ChannelConfig(
            address(0x11),
            address(0x22),
            address(0x33),
            address(0x44),
            address(0x55),
            14 days,
            hex"6666666666666666666666666666666666666666666666666666666666666666"
        );
        bytes32 id = 0xfd8984fdca0bb5b913c69e2ea235abacba60a8bb11b034bbbf60e7c8373e8a57;
        vm.assertEq(escrow.getChannelId(known), id);
        vm.assertEq(
            escrow.getVoucherDigest(id, 123_456), 0x34a7b6846ef6959be1d7a223470e8ab773d330b573468b65e5d2621531437cf4
        );
        vm.assertEq(
            escrow.getRefundDigest(id, 7, 89), 0x8b51bdd1f27d1b368abf10ff3b48c3a4087293802ed695cf60a8331329f361c8
        );
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = IBatchSettlement.VoucherClaim(IBatchSettlement.Voucher(known, 123_456), "", 1000);
        rows[1] = IBatchSettlement.VoucherClaim(IBatchSettlement.Voucher(known, 123_457), "", 1001);
        vm.assertEq(
            escrow.getClaimBatchDigest(rows), 0xe2a99c23b74b8b8c69cd6da5bdd179270c29871bf90dcc8d09227e034bea3b08
        );
    }

    function test_a_channel_has_another_id_on_another_chain() external {
        bytes32 here = escrow.getChannelId(config);
        vm.chainId(1);
        vm.assertTrue(escrow.getChannelId(config) != here);
    }

    function test_a_deposit_by_erc3009_needs_no_gas_of_the_payer() external {
        bytes memory authorization = _fundedAuthorization(100);
        _expect();
        emit IBatchSettlement.Deposited(escrow.getChannelId(config), address(this), 100, 100);
        escrow.deposit(config, 100, ERC3009_COLLECTOR, authorization);
        _deposit(config, 50);
        vm.assertEq(_balance(config), 150);
        vm.assertEq(token.balanceOf(address(escrow)), 150);
    }

    function test_a_deposit_authorization_is_for_one_channel_and_one_use() external {
        token.mint(payer, 200);
        bytes memory authorization = _authorization(PAYER_KEY, config, 100);
        IBatchSettlement.ChannelConfig memory other = _channel(stranger);
        vm.expectRevert(TestToken.WrongSigner.selector);
        escrow.deposit(other, 100, ERC3009_COLLECTOR, authorization);
        escrow.deposit(config, 100, ERC3009_COLLECTOR, authorization);
        vm.expectRevert(TestToken.AuthorizationWasUsed.selector);
        escrow.deposit(config, 100, ERC3009_COLLECTOR, authorization);
    }

    function _permit2(uint256 nonce, uint128 amount) private view returns (bytes memory) {
        bytes32 witness =
            keccak256(abi.encode(keccak256("DepositWitness(bytes32 channelId)"), escrow.getChannelId(config)));
        bytes32 permitted = keccak256(
            abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), address(token), uint256(amount))
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,DepositWitness witness)DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)"
                ),
                permitted,
                PERMIT2_COLLECTOR,
                nonce,
                type(uint256).max,
                witness
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", PERMIT2.DOMAIN_SEPARATOR(), structHash));
        return abi.encode(nonce, type(uint256).max, _signature(PAYER_KEY, digest), bytes(""));
    }

    function test_a_deposit_by_permit2_is_for_one_channel_and_one_use() external {
        token.mint(payer, 100);
        vm.prank(payer);
        token.approve(address(PERMIT2), 100);
        bytes memory permit = _permit2(258, 60);
        vm.expectRevert();
        escrow.deposit(_channel(stranger), 60, PERMIT2_COLLECTOR, permit);
        escrow.deposit(config, 60, PERMIT2_COLLECTOR, permit);
        vm.assertEq(_balance(config), 60);
        vm.expectRevert();
        escrow.deposit(config, 60, PERMIT2_COLLECTOR, permit);
    }

    function test_a_collector_gives_tokens_to_the_escrow_alone() external {
        token.mint(payer, 100);
        bytes32 id = escrow.getChannelId(config);
        bytes memory authorization = _authorization(PAYER_KEY, config, 100);
        vm.expectRevert();
        TestCollectorLike(ERC3009_COLLECTOR).collect(payer, address(token), 100, id, authorization);
    }

    function test_a_deposit_that_does_not_arrive_in_full_is_refused() external {
        _setUpEscrow(FeeOnTransferToken(_token("FeeOnTransferToken")));
        config = _channel(RECEIVER);
        token.mint(payer, 10_000);
        bytes memory authorization = _authorization(PAYER_KEY, config, 10_000);
        vm.expectRevert();
        escrow.deposit(config, 10_000, ERC3009_COLLECTOR, authorization);
    }

    function test_a_channel_outside_of_the_bounds_is_refused() external {
        config.withdrawDelay = 15 minutes - 1;
        vm.expectRevert(IBatchSettlement.WithdrawDelayOutOfRange.selector);
        escrow.deposit(config, 1, ERC3009_COLLECTOR, "");
        config.withdrawDelay = 30 days + 1;
        vm.expectRevert(IBatchSettlement.WithdrawDelayOutOfRange.selector);
        escrow.deposit(config, 1, ERC3009_COLLECTOR, "");
        config = _channel(address(0));
        vm.expectRevert(IBatchSettlement.InvalidChannel.selector);
        escrow.deposit(config, 1, ERC3009_COLLECTOR, "");
        config = _channel(RECEIVER);
        vm.expectRevert(IBatchSettlement.ZeroDeposit.selector);
        escrow.deposit(config, 0, ERC3009_COLLECTOR, "");
        vm.expectRevert(IBatchSettlement.InvalidCollector.selector);
        escrow.deposit(config, 1, address(0), "");
    }

    /// The claimer chooses any amount up to the ceiling; the channel's balance stays.
    function test_a_claim_raises_the_total_up_to_the_ceiling() external {
        _deposit(config, 100);
        _claim(_row(AGENT_KEY, config, 60, 40));
        vm.assertEq(_claimed(config), 40);
        _claim(_row(AGENT_KEY, config, 60, 60));
        vm.assertEq(_claimed(config), 60);
        vm.assertEq(_balance(config), 100);
        _refuses(_row(AGENT_KEY, config, 60, 61), IBatchSettlement.ClaimExceedsCeiling.selector);
        _refuses(_row(AGENT_KEY, config, 200, 101), IBatchSettlement.ClaimExceedsBalance.selector);
    }

    function test_a_stale_row_does_nothing_and_any_other_bad_row_reverts_the_batch() external {
        _deposit(config, 100);
        IBatchSettlement.ChannelConfig memory second = config;
        second.salt = bytes32(uint256(1));
        _deposit(second, 100);
        _claim(_row(config, 60));
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = _row(config, 50);
        rows[1] = _row(second, 70);
        vm.prank(RECEIVER);
        escrow.claim(rows);
        vm.assertEq(_claimed(config), 60);
        vm.assertEq(_claimed(second), 70);

        rows[0] = _row(config, 80);
        rows[1] = _row(STRANGER_KEY, second, 90, 90);
        vm.prank(RECEIVER);
        vm.expectRevert(IBatchSettlement.InvalidSignature.selector);
        escrow.claim(rows);
        vm.assertEq(_claimed(config), 60);
    }

    function test_only_the_receivers_side_claims_and_refunds() external {
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim[] memory rows = _one(_row(config, 60));
        vm.expectRevert(IBatchSettlement.NotAuthorizedToClaim.selector);
        escrow.claim(rows);
        vm.prank(payer);
        vm.expectRevert(IBatchSettlement.NotAuthorizedToRefund.selector);
        escrow.refund(config, 10);
        vm.prank(RECEIVER);
        vm.expectRevert(IBatchSettlement.EmptyBatch.selector);
        escrow.claim(new IBatchSettlement.VoucherClaim[](0));
    }

    function test_settle_pays_the_receiver_once_whoever_calls_it() external {
        _deposit(config, 100);
        _claim(_row(config, 60));
        vm.prank(stranger);
        escrow.settle(RECEIVER, address(token));
        vm.assertEq(token.balanceOf(RECEIVER), 60);
        vm.prank(stranger);
        escrow.settle(RECEIVER, address(token));
        vm.assertEq(token.balanceOf(RECEIVER), 60);
        (uint128 claimed, uint128 settled) = escrow.receivers(RECEIVER, address(token));
        vm.assertEq(claimed, 60);
        vm.assertEq(settled, 60);
    }

    function test_a_withdrawal_takes_its_delay_and_what_is_claimed_meanwhile_is_not_in_it() external {
        _deposit(config, 100);
        vm.prank(stranger);
        vm.expectRevert(IBatchSettlement.NotAuthorizedToFinalizeWithdraw.selector);
        escrow.initiateWithdraw(config, 100);
        vm.prank(payer);
        vm.expectRevert(IBatchSettlement.WithdrawAmountExceedsAvailable.selector);
        escrow.initiateWithdraw(config, 101);
        _expect();
        emit IBatchSettlement.WithdrawInitiated(escrow.getChannelId(config), 100, uint40(block.timestamp) + DELAY);
        vm.prank(agent);
        escrow.initiateWithdraw(config, 100);
        vm.prank(payer);
        vm.expectRevert(IBatchSettlement.WithdrawalAlreadyPending.selector);
        escrow.initiateWithdraw(config, 1);
        _claim(_row(config, 30));
        vm.warp(block.timestamp + DELAY - 1);
        vm.prank(payer);
        vm.expectRevert(IBatchSettlement.WithdrawDelayNotElapsed.selector);
        escrow.finalizeWithdraw(config);
        vm.warp(block.timestamp + 1);
        vm.prank(agent);
        escrow.finalizeWithdraw(config);
        vm.assertEq(token.balanceOf(payer), 70);
        vm.assertEq(_balance(config), 30);
    }

    function test_a_refund_pays_the_payer_what_is_not_claimed_and_shrinks_a_withdrawal() external {
        _deposit(config, 100);
        _claim(_row(config, 30));
        bytes32 id = escrow.getChannelId(config);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 60);
        vm.prank(RECEIVER);
        escrow.refund(config, 20);
        (uint128 pending,) = escrow.pendingWithdrawals(id);
        vm.assertEq(pending, 40);
        vm.prank(RECEIVER);
        escrow.refund(config, 1000);
        (pending,) = escrow.pendingWithdrawals(id);
        vm.assertEq(pending, 0);
        vm.assertEq(token.balanceOf(payer), 70);
        vm.assertEq(escrow.refundNonce(id), 2);
        vm.prank(RECEIVER);
        escrow.refund(config, 1);
        vm.assertEq(escrow.refundNonce(id), 3);
        vm.assertEq(_balance(config), 30);
    }

    function test_anyone_passes_on_what_the_receiver_authorizer_signed() external {
        config.receiverAuthorizer = stranger;
        _deposit(config, 100);
        bytes32 id = escrow.getChannelId(config);
        IBatchSettlement.VoucherClaim[] memory rows = _one(_row(config, 40));
        bytes memory forged = _signature(AGENT_KEY, escrow.getClaimBatchDigest(rows));
        vm.expectRevert(IBatchSettlement.InvalidSignature.selector);
        escrow.claimWithSignature(rows, forged);
        escrow.claimWithSignature(rows, _signature(STRANGER_KEY, escrow.getClaimBatchDigest(rows)));
        bytes memory signature = _signature(STRANGER_KEY, escrow.getRefundDigest(id, 0, 10));
        escrow.refundWithSignature(config, 10, 0, signature);
        vm.expectRevert(IBatchSettlement.InvalidRefundNonce.selector);
        escrow.refundWithSignature(config, 10, 0, signature);
        vm.assertEq(token.balanceOf(payer), 10);
        vm.assertEq(_claimed(config), 40);
    }

    function test_several_calls_at_once_by_multicall() external {
        _deposit(config, 100);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IBatchSettlement.claim, (_one(_row(config, 40))));
        calls[1] = abi.encodeCall(IBatchSettlement.settle, (RECEIVER, address(token)));
        vm.prank(RECEIVER);
        escrow.multicall(calls);
        vm.assertEq(token.balanceOf(RECEIVER), 40);
    }

    function test_channel_created_repeats_and_closed_needs_nothing_claimed() external {
        bytes32 id = escrow.getChannelId(config);
        bytes memory authorization = _fundedAuthorization(100);
        _expect();
        emit IBatchSettlement.ChannelCreated(id, config);
        escrow.deposit(config, 100, ERC3009_COLLECTOR, authorization);
        _expect();
        emit IBatchSettlement.ChannelClosed(id, config);
        vm.prank(RECEIVER);
        escrow.refund(config, 100);
        authorization = _fundedAuthorization(100);
        _expect();
        emit IBatchSettlement.ChannelCreated(id, config);
        escrow.deposit(config, 100, ERC3009_COLLECTOR, authorization);
    }
}

interface TestCollectorLike {
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata data) external;
}
