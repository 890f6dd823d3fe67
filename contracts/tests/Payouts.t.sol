// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {Payouts} from "../src/Payouts.sol";
import {BlacklistingToken, FalseReturningToken} from "../test-only/HostileTokens.sol";
import {TestToken} from "../test-only/TestToken.sol";
import {PayoutsFixture} from "./PayoutsFixture.sol";
import {Tree} from "./Tree.sol";
import {Vm} from "./Vm.sol";

/// The rules of `Payouts`, one test each.
contract PayoutsTest is PayoutsFixture {
    BlacklistingToken private blacklisting;

    function setUp() external {
        blacklisting = BlacklistingToken(_token("BlacklistingToken"));
        _setUpPayouts(blacklisting);
    }

    /// Creates the committed code, or reverts as its constructor does.
    function deploy(address ofEscrow, address ofToken, address owner, address operator, uint256 window, uint256 feeCap)
        external
    {
        bytes memory arguments = abi.encode(ofEscrow, ofToken, owner, operator, window, feeCap);
        bytes memory code = bytes.concat(_code("Payouts", ".bytecode"), arguments);
        assembly ("memory-safe") {
            if iszero(create(0, add(code, 32), mload(code))) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    // --- Roots

    function test_a_root_is_posted_at_the_expected_index_once() external {
        _collect(100);
        bytes32 root = Tree.root(_leaves(60, 40));
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.UnexpectedIndex.selector, 0));
        payouts.post(1, root, 100);
        vm.expectEmit(true, true, true, true, address(payouts));
        emit Payouts.RootPosted(0, root, 100, block.timestamp + WINDOW);
        vm.prank(OPERATOR);
        payouts.post(0, root, 100);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.UnexpectedIndex.selector, 1));
        payouts.post(0, root, 100);
        vm.assertEq(payouts.rootCount(), 1);
    }

    function test_a_total_is_at_most_what_was_collected_less_the_fee() external {
        _collect(100);
        vm.prank(OWNER);
        payouts.takeFee(OWNER, 10);
        bytes32 root = Tree.root(_leaves(51, 40));
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotCollected.selector, 90));
        payouts.post(0, root, 91);
        _post(50, 40);
    }

    function test_a_total_never_falls_unless_the_root_before_was_cancelled() external {
        _collect(100);
        _post(60, 40);
        bytes32 root = Tree.root(_leaves(30, 20));
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.TotalFalls.selector, 100));
        payouts.post(1, root, 50);
        vm.prank(OWNER);
        payouts.cancel(0);
        _post(30, 20);
        vm.assertEq(payouts.promised(), 50);
    }

    function test_what_is_collected_is_read_from_the_escrow_and_never_a_balance() external {
        token.mint(address(payouts), 1000);
        vm.assertEq(payouts.collected(), 0);
        bytes32 root = Tree.root(_leaves(1, 0));
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotCollected.selector, 0));
        payouts.post(0, root, 1);
        _collect(100);
        vm.assertEq(payouts.collected(), 100);
    }

    function test_money_that_a_stranger_settles_counts_as_well() external {
        blacklisting.setBlacklisted(address(payouts), true);
        _collect(100);
        vm.assertEq(payouts.collected(), 0);
        blacklisting.setBlacklisted(address(payouts), false);
        vm.prank(stranger);
        escrow.settle(address(payouts), address(token));
        vm.assertEq(payouts.collected(), 100);
    }

    function test_a_root_pays_after_its_window_and_not_a_second_before() external {
        _collect(100);
        _post(60, 40);
        vm.warp(block.timestamp + WINDOW - 1);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotMatured.selector, 0));
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        vm.warp(block.timestamp + 1);
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        vm.assertEq(token.balanceOf(ANA), 60);
    }

    function test_the_owner_cancels_a_root_within_its_window_and_not_after() external {
        _collect(100);
        _post(60, 40);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OPERATOR));
        payouts.cancel(0);
        vm.warp(block.timestamp + WINDOW - 1);
        vm.prank(OWNER);
        payouts.cancel(0);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.Cancelled.selector, 0));
        payouts.cancel(0);
        _post(60, 40);
        vm.warp(block.timestamp + WINDOW);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.Matured.selector, 1));
        payouts.cancel(1);
    }

    function test_a_cancelled_root_pays_nobody_and_caps_nothing() external {
        _collect(100);
        _post(60, 40);
        vm.prank(OWNER);
        payouts.cancel(0);
        _postAndMature(10, 20);
        vm.expectRevert(abi.encodeWithSelector(Payouts.Cancelled.selector, 0));
        payouts.claim(0, 1, ANA, 60, _anasProof(40));
        vm.expectRevert(abi.encodeWithSelector(Payouts.Cancelled.selector, 0));
        payouts.claim(1, 0, ANA, 10, _anasProof(20));
        vm.expectRevert(abi.encodeWithSelector(Payouts.Cancelled.selector, 0));
        payouts.claimMany(0, 1, _bothClaims(60, 40));
    }

    function test_after_sixty_days_without_a_root_the_owner_may_post_and_nobody_else() external {
        _collect(100);
        bytes32 root = Tree.root(_leaves(60, 40));
        vm.warp(block.timestamp + 60 days - 1);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotAllowed.selector, OWNER));
        payouts.post(0, root, 100);
        vm.warp(block.timestamp + 1);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotAllowed.selector, stranger));
        payouts.post(0, root, 100);
        vm.prank(OWNER);
        payouts.post(0, root, 100);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotAllowed.selector, OWNER));
        payouts.post(1, root, 100);
    }

    // --- Claims

    function test_a_leaf_is_cumulative_and_pays_the_difference_to_the_payee_whoever_asks() external {
        _collect(300);
        _postAndMature(60, 40);
        vm.prank(stranger);
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        vm.expectRevert(abi.encodeWithSelector(Payouts.NothingDue.selector, ANA));
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        _postAndMature(90, 80);
        vm.expectEmit(true, true, true, true, address(payouts));
        emit Payouts.Paid(ANA, ANA, 30, 90);
        payouts.claim(1, 1, ANA, 90, _anasProof(80));
        vm.expectRevert(abi.encodeWithSelector(Payouts.NothingDue.selector, ANA));
        payouts.claim(0, 1, ANA, 60, _anasProof(40));
        vm.assertEq(token.balanceOf(ANA), 90);
        vm.assertEq(payouts.paidTotal(), 90);
    }

    function test_a_leaf_is_for_its_payee_and_its_amount() external {
        _collect(100);
        _postAndMature(60, 40);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotInRoot.selector, ANA));
        payouts.claim(0, 0, ANA, 61, _anasProof(40));
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotInRoot.selector, stranger));
        payouts.claim(0, 0, stranger, 60, _anasProof(40));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotInRoot.selector, stranger));
        payouts.claimTo(0, 0, 60, _anasProof(40), stranger);
    }

    /// An inner node has 64 bytes, as a leaf before its hashes: it must not pass as one.
    function test_an_inner_node_is_not_a_leaf() external {
        _collect(100);
        _postAndMature(60, 40);
        (bytes32 left, bytes32 right) = (Tree.leaf(ANA, 60), Tree.leaf(BEN, 40));
        if (left > right) (left, right) = (right, left);
        address payee = address(uint160(uint256(left)));
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotInRoot.selector, payee));
        payouts.claim(0, 0, payee, uint256(right), new bytes32[](0));
    }

    function test_a_host_that_later_roots_leave_out_is_paid_by_an_older_root() external {
        _collect(300);
        _postAndMature(60, 40);
        bytes32[] memory onlyBen = new bytes32[](1);
        onlyBen[0] = Tree.leaf(BEN, 140);
        vm.prank(OPERATOR);
        payouts.post(1, Tree.root(onlyBen), 200);
        vm.warp(block.timestamp + WINDOW);
        payouts.claim(1, 1, BEN, 140, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(Payouts.AboveTotal.selector, 0));
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        payouts.claim(0, 1, ANA, 60, _anasProof(40));
        vm.assertEq(token.balanceOf(ANA), 60);
    }

    function test_a_root_that_has_not_matured_caps_nothing() external {
        _collect(300);
        _postAndMature(60, 40);
        _post(90, 80);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotMatured.selector, 1));
        payouts.claim(0, 1, ANA, 60, _anasProof(40));
    }

    /// What is still trusted: with leaves above the total, the host that comes last is short until a later root.
    function test_leaves_above_the_total_leave_the_last_host_short() external {
        _collect(300);
        _post(60, 40, 80);
        vm.warp(block.timestamp + WINDOW);
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        vm.expectRevert(abi.encodeWithSelector(Payouts.AboveTotal.selector, 20));
        payouts.claim(0, 0, BEN, 40, _bensProof(60));
        payouts.claimMany(0, 0, _bothClaims(60, 40));
        vm.assertEq(token.balanceOf(BEN), 0);
        _post(60, 40, 100);
        vm.warp(block.timestamp + WINDOW);
        payouts.claim(0, 1, BEN, 40, _bensProof(60));
        vm.assertEq(token.balanceOf(BEN), 40);
    }

    /// A later root can promise the money of an older one to others. It has to wait, and the host does not.
    function test_a_host_whose_leaf_falls_claims_within_the_window_of_the_later_root() external {
        _collect(100);
        _postAndMature(60, 40);
        bytes32[] memory thiefs = new bytes32[](1);
        thiefs[0] = Tree.leaf(stranger, 100);
        vm.prank(OPERATOR);
        payouts.post(1, thiefs[0], 100);
        vm.warp(block.timestamp + WINDOW - 1);
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(Payouts.AboveTotal.selector, 40));
        payouts.claim(1, 1, stranger, 100, new bytes32[](0));
        vm.assertEq(token.balanceOf(ANA), 60);
    }

    function test_a_blocked_host_is_passed_over_in_a_batch_and_claims_to_another_account() external {
        _collect(100);
        _postAndMature(60, 40);
        blacklisting.setBlacklisted(ANA, true);
        vm.expectEmit(true, true, true, true, address(payouts));
        emit Payouts.PaymentFailed(ANA, 60);
        payouts.claimMany(0, 0, _bothClaims(60, 40));
        vm.assertEq(token.balanceOf(BEN), 40);
        vm.assertEq(payouts.paid(ANA), 0);
        vm.assertEq(payouts.paidTotal(), 40);
        vm.expectRevert(abi.encodeWithSelector(BlacklistingToken.Blacklisted.selector, ANA));
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        vm.prank(ANA);
        payouts.claimTo(0, 0, 60, _anasProof(40), address(0xA4A2));
        vm.assertEq(token.balanceOf(address(0xA4A2)), 60);
        payouts.claimMany(0, 0, _bothClaims(60, 40));
        vm.assertEq(payouts.paidTotal(), 100);
    }

    function test_a_token_that_returns_false_pays_nobody_twice_and_nobody_less() external {
        FalseReturningToken refusing = FalseReturningToken(_token("FalseReturningToken"));
        _setUpPayouts(refusing);
        _collect(100);
        _postAndMature(60, 40);
        refusing.setRefused(ANA, true);
        payouts.claimMany(0, 0, _bothClaims(60, 40));
        vm.assertEq(payouts.paid(ANA), 0);
        vm.expectRevert();
        payouts.claim(0, 0, ANA, 60, _anasProof(40));
        refusing.setRefused(ANA, false);
        payouts.claimMany(0, 0, _bothClaims(60, 40));
        vm.assertEq(token.balanceOf(ANA), 60);
        vm.assertEq(token.balanceOf(BEN), 40);
    }

    function test_a_payee_twice_in_a_batch_is_paid_once() external {
        _collect(100);
        _postAndMature(60, 40);
        Payouts.Claim[] memory claims = _bothClaims(60, 40);
        claims[1] = claims[0];
        vm.recordLogs();
        payouts.claimMany(0, 0, claims);
        vm.assertEq(token.balanceOf(ANA), 60);
        vm.assertEq(vm.getRecordedLogs().length, 2, "a transfer and its Paid, and nothing for the second row");
        claims[1] = Payouts.Claim(BEN, 41, _bensProof(60));
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotInRoot.selector, BEN));
        payouts.claimMany(0, 0, claims);
    }

    // --- Keys and the fee

    function test_only_operator_and_owner_redeem_and_refund() external {
        IBatchSettlement.ChannelConfig memory config = _nextChannel();
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim[][] memory rows = _chunk(_row(config, 60));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotAllowed.selector, stranger));
        payouts.redeem(rows);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotAllowed.selector, stranger));
        payouts.refund(config, 1);
        vm.prank(OWNER);
        payouts.redeem(rows);
        vm.prank(OWNER);
        payouts.refund(config, 1);
        vm.assertEq(payouts.collected(), 60);
        vm.assertEq(token.balanceOf(payer), 1);
    }

    function test_a_refund_goes_to_the_payer_alone() external {
        IBatchSettlement.ChannelConfig memory config = _nextChannel();
        _deposit(config, 100);
        _redeem(_row(config, 60));
        vm.prank(OPERATOR);
        payouts.refund(config, 1000);
        vm.assertEq(token.balanceOf(payer), 40);
        vm.assertEq(_balance(config), 60);
    }

    function test_the_fee_is_below_its_cap_and_below_what_roots_leave() external {
        _collect(105);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OPERATOR));
        payouts.takeFee(OPERATOR, 1);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.AboveFeeCap.selector, 10));
        payouts.takeFee(OWNER, 11);
        vm.prank(OWNER);
        payouts.takeFee(OWNER, 4);
        _post(60, 40);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotCollected.selector, 1));
        payouts.takeFee(OWNER, 2);
        vm.prank(OWNER);
        payouts.takeFee(OWNER, 1);
        vm.assertEq(token.balanceOf(OWNER), 5);
        vm.assertEq(payouts.feeTotal(), 5);
    }

    /// A root within its window is a promise too, although it may still be cancelled.
    function test_the_fee_leaves_roots_alone_that_have_not_matured() external {
        _collect(100);
        _postAndMature(30, 20);
        _post(60, 38);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Payouts.NotCollected.selector, 2));
        payouts.takeFee(OWNER, 3);
        vm.prank(OWNER);
        payouts.cancel(1);
        vm.prank(OWNER);
        payouts.takeFee(OWNER, 3);
    }

    function test_ownership_moves_in_two_steps_and_cannot_be_given_up() external {
        vm.prank(OWNER);
        payouts.transferOwnership(stranger);
        vm.assertEq(payouts.owner(), OWNER);
        vm.prank(OPERATOR);
        vm.expectRevert();
        payouts.acceptOwnership();
        vm.prank(stranger);
        payouts.acceptOwnership();
        vm.assertEq(payouts.owner(), stranger);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidAddress.selector, address(0)));
        payouts.renounceOwnership();
    }

    function test_the_operator_is_never_the_owner() external {
        vm.expectRevert(Payouts.OperatorIsOwner.selector);
        this.deploy(address(escrow), address(token), OWNER, OWNER, WINDOW, FEE_CAP_BPS);
        vm.prank(OWNER);
        vm.expectRevert(Payouts.OperatorIsOwner.selector);
        payouts.setOperator(OWNER);
        vm.prank(OWNER);
        payouts.transferOwnership(OPERATOR);
        vm.prank(OPERATOR);
        vm.expectRevert(Payouts.OperatorIsOwner.selector);
        payouts.acceptOwnership();
    }

    function test_a_short_window_is_for_development_chains_only() external {
        this.deploy(address(escrow), address(token), OWNER, OPERATOR, 60, FEE_CAP_BPS);
        vm.chainId(1337);
        this.deploy(address(escrow), address(token), OWNER, OPERATOR, 60, FEE_CAP_BPS);
        vm.chainId(8453);
        bytes memory reason = abi.encodeWithSelector(Payouts.InvalidWindow.selector, 72 hours, 30 days);
        vm.expectRevert(reason);
        this.deploy(address(escrow), address(token), OWNER, OPERATOR, 72 hours - 1, FEE_CAP_BPS);
        vm.expectRevert(reason);
        this.deploy(address(escrow), address(token), OWNER, OPERATOR, 30 days + 1, FEE_CAP_BPS);
        this.deploy(address(escrow), address(token), OWNER, OPERATOR, 72 hours, FEE_CAP_BPS);
    }

    function test_a_contract_that_could_not_work_is_not_deployed() external {
        vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidAddress.selector, stranger));
        this.deploy(stranger, address(token), OWNER, OPERATOR, WINDOW, FEE_CAP_BPS);
        vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidAddress.selector, stranger));
        this.deploy(address(escrow), stranger, OWNER, OPERATOR, WINDOW, FEE_CAP_BPS);
        vm.expectRevert(Payouts.InvalidFeeCap.selector);
        this.deploy(address(escrow), address(token), OWNER, OPERATOR, WINDOW, 10_001);
    }

    /// Nobody holds a key for the contract, so the escrow's calls by signature have to stay closed.
    function test_without_erc1271_no_signature_speaks_for_the_contract() external {
        IBatchSettlement.ChannelConfig memory config = _nextChannel();
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim[] memory rows = _one(_row(config, 60));
        bytes memory signature = _signature(STRANGER_KEY, escrow.getClaimBatchDigest(rows));
        vm.expectRevert(IBatchSettlement.InvalidSignature.selector);
        escrow.claimWithSignature(rows, signature);
        signature = _signature(STRANGER_KEY, escrow.getRefundDigest(escrow.getChannelId(config), 0, 10));
        vm.expectRevert(IBatchSettlement.InvalidSignature.selector);
        escrow.refundWithSignature(config, 10, 0, signature);
        (bool answered,) =
            address(payouts).staticcall(abi.encodeWithSignature("isValidSignature(bytes32,bytes)", bytes32(0), ""));
        vm.assertFalse(answered);
    }

    /// The pool reads no storage to know the state: its events alone give roots, payments, fees, and keys.
    function test_events_give_all_that_the_pool_keeps() external {
        vm.recordLogs();
        _collect(100);
        _post(60, 40);
        vm.prank(OWNER);
        payouts.cancel(0);
        _postAndMature(50, 40);
        payouts.claimMany(1, 1, _bothClaims(50, 40));
        vm.prank(OWNER);
        payouts.takeFee(stranger, 10);
        vm.prank(OWNER);
        payouts.setOperator(stranger);
        bytes32[6] memory expected = [
            Payouts.RootPosted.selector,
            Payouts.RootCancelled.selector,
            Payouts.RootPosted.selector,
            Payouts.Paid.selector,
            Payouts.Paid.selector,
            Payouts.FeeTaken.selector
        ];
        uint256 found;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (found < 6 && logs[i].topics[0] == expected[found]) ++found;
        }
        vm.assertEq(found, 6);
        vm.assertEq(logs[logs.length - 1].topics[0], Payouts.OperatorChanged.selector);
    }
}
