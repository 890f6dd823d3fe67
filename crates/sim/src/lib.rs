//! The simulator: both cores, fleets of nodes, a network and a store, run from one seed.
//!
//! A run has three parts. First faults happen: sockets die, processes are killed, machines sleep, clocks jump, commits
//! fail. Then faults stop, and within a bounded time every client has to have all hosts that are to be had. Finally all
//! agents stop, and nothing may be left behind. All the while [`Checker`] holds the cores to what the design promises;
//! it knows the truth from the model of the nodes ([`GroundTruth`]) and shares no code with the cores but the meter's
//! formula.
//!
//! The seeds of a second family have no faults but strangers: parties with valid signatures that starve the pool, ride
//! free, or harm others as well as the protocol allows. There, honest agents are served within stated bounds.
//!
//! Everything is drawn from the seed, so a run that fails can be replayed exactly.
#![allow(clippy::indexing_slicing, reason = "a simulator is a test: agents and nodes are addressed by their index")]

pub mod checks;
mod devp2p;
mod golden;
mod run;
mod scenarios;
mod sim_rng;
mod virtual_time;

pub use checks::{Checker, Promise, Violation};
pub use devp2p::{Devp2p, GroundTruth, ModelNode, Overlap, REDIAL_MS};
pub use run::{Family, SeedFailure, Stats, effects, golden_line, replay, run_seed, run_seeds};
pub use scenarios::{AgentPlan, FaultKind, Honesty, Scenario, StrangerKind, StrangerPlan};
pub use sim_rng::SimRng;
pub use virtual_time::EPOCH_MS;
