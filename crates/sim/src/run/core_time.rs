//! The time of the pool's core. What agents cause waits in a queue of their address block, as in front of the core's thread
//! of a pool; a command takes a constant time, and each step of its searches too, which is charged to the block that the
//! search was for.

use std::net::IpAddr;

use vipnode_pool_core::{AddressBlock, BlockQueues, Command, PoolLimits, Steps};

use super::{RunEvent, Simulation};
use crate::checks::hostile;

/// The time of a command without searches, in µs.
const COMMAND_US: u64 = 20;
/// The time of a step of a search, in µs.
const STEP_US: u64 = 2;

/// The queues in front of the core, and when it is free.
#[derive(Debug)]
pub(crate) struct ChargedCoreTime {
    queues: BlockQueues<QueuedCommand>,
    /// In virtual µs.
    free_at: u64,
    /// Whether an event goes on with the queues.
    goes_on: bool,
}

/// A command that waits for the core.
#[derive(Debug)]
struct QueuedCommand {
    since_us: u64,
    /// The agent that it is from; `None` for an attacker.
    agent: Option<usize>,
    command: Command,
}

impl ChargedCoreTime {
    pub(crate) fn new() -> Self {
        Self { queues: BlockQueues::new(&PoolLimits::default()), free_at: 0, goes_on: false }
    }

    /// What waits in the queues.
    pub(crate) fn into_commands(mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.queues.pop().map(|(_, queued)| queued.command)).collect()
    }
}

impl Simulation {
    /// Hands a command to the core that an agent or an attacker at an address caused, in its block's turn.
    pub(crate) fn command_from(&mut self, agent: Option<usize>, ip: IpAddr, command: Command) {
        let since_us = self.now * 1_000;
        self.pool.time.queues.push(AddressBlock::of(ip), QueuedCommand { since_us, agent, command });
        self.core_works();
    }

    /// Hands commands to the core, in turn, until it is busy beyond this millisecond.
    pub(crate) fn core_works(&mut self) {
        let now_us = self.now * 1_000;
        while self.pool.time.free_at < now_us + 1_000 {
            let Some((block, waiting)) = self.pool.time.queues.pop() else {
                self.pool.time.queues.forgive();
                return;
            };
            let began = self.pool.time.free_at.max(now_us);
            if let Some(agent) = waiting.agent.filter(|_| self.pool.slept_until + 1_000 < self.now) {
                self.require(hostile::core_wait(agent, began - waiting.since_us));
            }
            let steps = self.command(waiting.command);
            self.core_used(&steps, Some(block));
        }
        if !self.pool.time.queues.is_empty() && !self.pool.time.goes_on {
            self.pool.time.goes_on = true;
            let incarnation = self.pool.incarnation;
            self.at(self.pool.time.free_at / 1_000, RunEvent::CoreWorks { incarnation });
        }
    }

    pub(crate) fn core_goes_on(&mut self, incarnation: u32) {
        if self.pool.incarnation == incarnation {
            self.pool.time.goes_on = false;
            self.core_works();
        }
    }

    /// When the core may do the pool's own work, in virtual ms, if it is busy now. What waits in the queues then had a turn, as
    /// in a pool, whose core handles a batch of messages between two ticks.
    pub(crate) fn core_busy_until(&self) -> Option<u64> {
        let free_at = self.pool.time.free_at / 1_000;
        (free_at > self.now).then_some(free_at + 1)
    }

    /// The core took time for a command of a block, or of the pool itself.
    pub(crate) fn core_used(&mut self, steps: &Steps, own: Option<AddressBlock>) {
        let time = &mut self.pool.time;
        let mut used = COMMAND_US;
        for (block, steps) in steps.iter() {
            let us = u64::from(steps) * STEP_US;
            time.queues.charge(block, us * 1_000);
            used += us;
        }
        if let Some(own) = own {
            time.queues.charge(own, COMMAND_US * 1_000);
        }
        time.free_at = time.free_at.max(self.now * 1_000) + used;
    }
}
