// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "./Vm.sol";
import {World} from "./World.sol";

/// What holds after any sequence of calls by clients, the pool, its owner, hosts, and strangers.
contract InvariantsTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    World private world;

    function setUp() external {
        world = new World();
    }

    /// forge calls the functions of this contract alone.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    /// One campaign checks all: forge runs the calls again for each function named like this.
    function invariant_money_adds_up() external view {
        world.checkNoHostIsPaidTwice();
        world.checkPaymentsStayBelowWhatWasSettled();
        world.checkCancelledRootsPayNobody();
        world.checkTheEscrowAddsUp();
        world.checkClientsLoseOnlyWhatTheySigned();
    }

    /// The world is not empty: by its own calls it gets to every state that the invariants are about.
    function test_the_calls_reach_what_the_invariants_are_about() external {
        world.deposit(0, 999_999);
        world.sign(0, 99_999);
        world.redeem(0, 80_000, 1);
        world.initiateWithdraw(0, 100_000);
        world.redeem(0, 90_000, 0);
        vm.assertTrue(world.redeemed() == 1, "a forged voucher redeems nothing");
        world.post(0, 5_000, 0, 1);
        world.post(1, 5_000, 60_000, 0);
        world.cancel(0, 1);
        for (uint256 day = 0; day < 5; ++day) {
            world.letTimePass(3 days);
        }
        world.finalizeWithdraw(0);
        world.claimMany(2, 2);
        world.post(2, 5_000, 0, 1);
        world.letTimePass(3 days);
        world.claim(2, 2, 2, true);
        world.takeFee(10);
        vm.assertTrue(world.cancellations() == 1, "cancellations");
        vm.assertTrue(world.withdrawals() == 1, "withdrawals");
        vm.assertTrue(world.payments() == 2, "payments");
        this.invariant_money_adds_up();
    }
}
