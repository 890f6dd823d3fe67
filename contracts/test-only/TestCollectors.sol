// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// FOR TESTS AND DEMOS ONLY. See TestEscrow.sol.

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IDepositCollector} from "../src/IBatchSettlement.sol";
import {TestPermit2} from "./TestPermit2.sol";
import {TestToken} from "./TestToken.sol";

/// Both collectors bind the payer's signature to one channel, and pass the tokens to the escrow at its address only.
abstract contract TestCollector is IDepositCollector {
    using SafeERC20 for IERC20;

    /// Where the standard's escrow stands on every chain.
    address public constant ESCROW = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;

    error NotTheEscrow();

    modifier onlyEscrow() {
        if (msg.sender != ESCROW) revert NotTheEscrow();
        _;
    }
}

/// Takes the tokens by ERC-3009. The authorization's nonce is a hash of the channel, so that it funds no other.
contract TestErc3009Collector is TestCollector {
    using SafeERC20 for IERC20;

    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external
        onlyEscrow
    {
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(collectorData, (uint256, uint256, uint256, bytes));
        bytes32 nonce = keccak256(abi.encode(channelId, salt));
        TestToken(token)
            .receiveWithAuthorization(payer, address(this), amount, validAfter, validBefore, nonce, signature);
        IERC20(token).safeTransfer(msg.sender, amount);
    }
}

/// Takes the tokens by Permit2, with the channel as the witness; with an ERC-2612 permit for Permit2 if one is given.
contract TestPermit2Collector is TestCollector {
    TestPermit2 public constant PERMIT2 = TestPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    bytes32 private constant WITNESS_TYPEHASH = keccak256("DepositWitness(bytes32 channelId)");
    string private constant WITNESS_TYPES =
        "DepositWitness witness)DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)";

    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external
        onlyEscrow
    {
        (uint256 nonce, uint256 deadline, bytes memory signature, bytes memory erc2612) =
            abi.decode(collectorData, (uint256, uint256, bytes, bytes));
        if (erc2612.length != 0) _allowPermit2(payer, token, erc2612);
        PERMIT2.permitWitnessTransferFrom(
            TestPermit2.PermitTransferFrom(TestPermit2.TokenPermissions(token, amount), nonce, deadline),
            TestPermit2.SignatureTransferDetails(msg.sender, amount),
            payer,
            keccak256(abi.encode(WITNESS_TYPEHASH, channelId)),
            WITNESS_TYPES,
            signature
        );
    }

    /// Anyone may have used this permit already, so that it failing means nothing.
    function _allowPermit2(address payer, address token, bytes memory erc2612) private {
        (uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) =
            abi.decode(erc2612, (uint256, uint256, uint8, bytes32, bytes32));
        try TestToken(token).permit(payer, address(PERMIT2), value, deadline, v, r, s) {} catch {}
    }
}
