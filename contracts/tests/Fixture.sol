// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {TestEscrow} from "../test-only/TestEscrow.sol";
import {TestPermit2} from "../test-only/TestPermit2.sol";
import {TestToken} from "../test-only/TestToken.sol";
import {Vm} from "./Vm.sol";

/// The doubles at the standard's addresses, a token, keys, and what clients sign.
abstract contract Fixture {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    TestEscrow internal constant escrow = TestEscrow(0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003);
    address internal constant ERC3009_COLLECTOR = 0x4020806089470a89826cB9fB1f4059150b550004;
    address internal constant PERMIT2_COLLECTOR = 0x4020425FAf3B746C082C2f942b4E5159887B0005;
    TestPermit2 internal constant PERMIT2 = TestPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    uint256 internal constant PAYER_KEY = 0xA11CE;
    uint256 internal constant AGENT_KEY = 0xA6E27;
    uint256 internal constant STRANGER_KEY = 0x57AA;
    uint40 internal constant DELAY = 14 days;

    TestToken internal token;
    address internal payer = vm.addr(PAYER_KEY);
    address internal agent = vm.addr(AGENT_KEY);
    address internal stranger = vm.addr(STRANGER_KEY);

    /// Authorizations must differ; each deposit uses the next salt.
    uint256 private _salts;

    function _setUpEscrow(TestToken ofToken) internal {
        vm.etch(address(escrow), _code("TestEscrow", ".runtime"));
        vm.etch(ERC3009_COLLECTOR, _code("TestErc3009Collector", ".runtime"));
        vm.etch(PERMIT2_COLLECTOR, _code("TestPermit2Collector", ".runtime"));
        vm.etch(address(PERMIT2), _code("TestPermit2", ".runtime"));
        vm.warp(1_800_000_000);
        token = ofToken;
        vm.label(address(token), "token");
        vm.label(address(escrow), "escrow");
        vm.label(payer, "payer");
        vm.label(agent, "agent");
        vm.label(stranger, "stranger");
    }

    /// The code that is committed, which is what the pool deploys and other tests use.
    function _code(string memory name, string memory part) internal view returns (bytes memory) {
        return vm.parseJsonBytes(vm.readFile(string.concat("artifacts/", name, ".json")), part);
    }

    function _token(string memory name) internal returns (address) {
        return _create(_code(name, ".bytecode"));
    }

    function _create(bytes memory code) internal returns (address created) {
        assembly ("memory-safe") {
            created := create(0, add(code, 32), mload(code))
        }
        vm.assertTrue(created != address(0), "not created");
    }

    /// A channel of `payer` with the agent's key, all of whose money goes to `receiver`.
    function _channel(address receiver) internal view returns (IBatchSettlement.ChannelConfig memory) {
        return IBatchSettlement.ChannelConfig(payer, agent, receiver, receiver, address(token), DELAY, 0);
    }

    function _signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// What the ERC-3009 collector needs, signed with the payer's key for this channel alone.
    function _authorization(uint256 payerKey, IBatchSettlement.ChannelConfig memory config, uint128 amount)
        internal
        returns (bytes memory)
    {
        uint256 salt = ++_salts;
        bytes32 structHash = keccak256(
            abi.encode(
                token.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(),
                config.payer,
                ERC3009_COLLECTOR,
                uint256(amount),
                uint256(0),
                type(uint256).max,
                keccak256(abi.encode(escrow.getChannelId(config), salt))
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
        return abi.encode(uint256(0), type(uint256).max, salt, _signature(payerKey, digest));
    }

    function _deposit(IBatchSettlement.ChannelConfig memory config, uint128 amount) internal {
        _deposit(PAYER_KEY, config, amount);
    }

    function _deposit(uint256 payerKey, IBatchSettlement.ChannelConfig memory config, uint128 amount) internal {
        token.mint(config.payer, amount);
        bytes memory authorization = _authorization(payerKey, config, amount);
        escrow.deposit(config, amount, ERC3009_COLLECTOR, authorization);
    }

    /// A row that claims `total` by a voucher for `ceiling`, signed with `key`.
    function _row(uint256 key, IBatchSettlement.ChannelConfig memory config, uint128 ceiling, uint128 total)
        internal
        view
        returns (IBatchSettlement.VoucherClaim memory)
    {
        bytes32 digest = escrow.getVoucherDigest(escrow.getChannelId(config), ceiling);
        return IBatchSettlement.VoucherClaim(IBatchSettlement.Voucher(config, ceiling), _signature(key, digest), total);
    }

    function _row(IBatchSettlement.ChannelConfig memory config, uint128 amount)
        internal
        view
        returns (IBatchSettlement.VoucherClaim memory)
    {
        return _row(AGENT_KEY, config, amount, amount);
    }

    function _one(IBatchSettlement.VoucherClaim memory row)
        internal
        pure
        returns (IBatchSettlement.VoucherClaim[] memory rows)
    {
        rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = row;
    }

    function _balance(IBatchSettlement.ChannelConfig memory config) internal view returns (uint128 balance) {
        (balance,) = escrow.channels(escrow.getChannelId(config));
    }

    function _claimed(IBatchSettlement.ChannelConfig memory config) internal view returns (uint128 claimed) {
        (, claimed) = escrow.channels(escrow.getChannelId(config));
    }
}
