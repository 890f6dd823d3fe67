//! The simulator: both cores, fleets of nodes, a network and a store, run from one seed.
//!
//! A run has three parts. First, faults happen: sockets die, processes are killed, machines sleep, clocks jump, commits
//! fail. Then the faults stop, and within a bounded time every client must have all available hosts. Finally, all
//! agents stop, and nothing may be left behind. During the whole run, [`Checker`] checks the cores against the design.
//! It gets the truth from the model of the nodes ([`GroundTruth`]) and shares only the meter's formula with the cores.
//!
//! The seeds of a second family have attackers instead of faults: parties with valid signatures that exhaust the pool,
//! use slots without being billed, or harm others by any means that the protocol allows. In these runs, honest agents must be
//! served within stated bounds.
//!
//! In the seeds of a third family, clients pay: an operator credits and debits accounts and settles while faults happen, and
//! the ledger is checked against what was metered and acknowledged.
//!
//! In the seeds of a fourth family, clients pay too, and the clock of the pool's machine is ahead for some time: exactly the billing
//! periods with time that did not pass must be posted as overbilled, with the right amount.
//!
//! Everything is drawn from the seed, so a run that fails can be replayed exactly.
#![allow(clippy::indexing_slicing, reason = "a simulator is a test: agents and nodes are addressed by their index")]

pub mod checks;
mod crashes;
mod devp2p;
mod golden;
mod run;
mod scenarios;
mod sim_rng;
mod virtual_time;

pub use checks::{Checker, Promise, Violation};
pub use crashes::{PowerCuts, power_cuts};
pub use devp2p::{Devp2p, GroundTruth, ModelNode, Overlap, REDIAL_MS, Spans};
pub use run::{Family, SeedFailure, Stats, effects, golden_line, replay, run_seed, run_seeds};
pub use scenarios::{AgentPlan, AttackerKind, AttackerPlan, CreditShape, FaultKind, Honesty, Scenario};
pub use sim_rng::SimRng;
pub use virtual_time::EPOCH_MS;
