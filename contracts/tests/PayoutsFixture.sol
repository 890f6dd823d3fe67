// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {Payouts} from "../src/Payouts.sol";
import {TestToken} from "../test-only/TestToken.sol";
import {Fixture} from "./Fixture.sol";
import {BoundCollector} from "./Parties.sol";
import {Tree} from "./Tree.sol";

/// A pool's contract with an owner and an operator, two hosts, and money of clients.
abstract contract PayoutsFixture is Fixture {
    address internal constant OWNER = address(0x0141E4);
    address internal constant OPERATOR = address(0x09E4A704);
    address internal constant ANA = address(0xA4A);
    address internal constant BEN = address(0xBE4);
    uint256 internal constant WINDOW = 72 hours;
    uint256 internal constant FEE_CAP_BPS = 1_000;

    Payouts internal payouts;
    uint256 private _channels;

    function _setUpPayouts(TestToken ofToken) internal {
        _setUpEscrow(ofToken);
        bytes memory arguments = abi.encode(escrow, token, OWNER, OPERATOR, WINDOW, FEE_CAP_BPS);
        payouts = Payouts(_create(bytes.concat(_code("Payouts", ".bytecode"), arguments)));
        vm.label(address(payouts), "payouts");
        vm.label(OWNER, "owner");
        vm.label(OPERATOR, "operator");
        vm.label(ANA, "Ana");
        vm.label(BEN, "Ben");
    }

    /// A channel that no test has used yet.
    function _nextChannel() internal returns (IBatchSettlement.ChannelConfig memory config) {
        config = _channel(address(payouts));
        config.salt = bytes32(++_channels);
    }

    /// A stranger pays a deposit. The channel may name anyone as its payer.
    function _fund(IBatchSettlement.ChannelConfig memory config, uint128 amount) internal {
        BoundCollector collector = new BoundCollector();
        token.mint(stranger, amount);
        vm.startPrank(stranger);
        token.approve(address(collector), amount);
        collector.allow(escrow.getChannelId(config), amount);
        escrow.deposit(config, amount, address(collector), abi.encode(stranger));
        vm.stopPrank();
    }

    function _chunk(IBatchSettlement.VoucherClaim memory row)
        internal
        pure
        returns (IBatchSettlement.VoucherClaim[][] memory chunks)
    {
        chunks = new IBatchSettlement.VoucherClaim[][](1);
        chunks[0] = _one(row);
    }

    function _redeem(IBatchSettlement.VoucherClaim memory row) internal returns (uint256 failed) {
        vm.prank(OPERATOR);
        return payouts.redeem(_chunk(row));
    }

    /// A client deposits and signs so much, and the pool redeems it.
    function _collect(uint128 amount) internal {
        IBatchSettlement.ChannelConfig memory config = _nextChannel();
        _deposit(config, amount);
        vm.assertEq(_redeem(_row(config, amount)), 0);
    }

    function _leaves(uint256 anas, uint256 bens) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](2);
        leaves[0] = Tree.leaf(ANA, anas);
        leaves[1] = Tree.leaf(BEN, bens);
    }

    /// Posts what Ana and Ben have ever earned. Returns the root's index.
    function _post(uint256 anas, uint256 bens) internal returns (uint256 index) {
        return _post(anas, bens, uint128(anas + bens));
    }

    function _post(uint256 anas, uint256 bens, uint128 total) internal returns (uint256 index) {
        index = payouts.rootCount();
        bytes32 root = Tree.root(_leaves(anas, bens));
        vm.prank(OPERATOR);
        payouts.post(index, root, total);
    }

    function _postAndMature(uint256 anas, uint256 bens) internal returns (uint256 index) {
        index = _post(anas, bens);
        vm.warp(block.timestamp + WINDOW);
    }

    function _anasProof(uint256 bens) internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = Tree.leaf(BEN, bens);
    }

    function _bensProof(uint256 anas) internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = Tree.leaf(ANA, anas);
    }

    function _bothClaims(uint256 anas, uint256 bens) internal pure returns (Payouts.Claim[] memory claims) {
        claims = new Payouts.Claim[](2);
        claims[0] = Payouts.Claim(ANA, anas, _anasProof(bens));
        claims[1] = Payouts.Claim(BEN, bens, _bensProof(anas));
    }
}
