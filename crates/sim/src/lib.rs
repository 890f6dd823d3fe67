//! The simulator: both minds, whole fleets of nodes, a network and a store, played from one seed.
//!
//! A run has three parts. First things go wrong: sockets die, processes are killed, machines sleep, clocks
//! jump, commits fail. Then nothing goes wrong any more, and within a bounded time everybody has to have
//! what there is to have. At last everybody stops, and nothing may be left behind. All the while
//! [`Checker`] holds the minds to what the design promises; it knows the truth from the model of the nodes
//! ([`Truth`]) and shares no code with the minds but the meter's formula.
//!
//! Everything is drawn from the seed, so a run that fails plays again in exactly the same way.
#![allow(clippy::indexing_slicing, reason = "a simulator is a test: agents and nodes are named by their index")]

pub mod checks;
mod devp2p;
mod golden;
mod scenarios;
mod sim_rng;
mod simulation;
mod virtual_time;

pub use checks::Checker;
pub use devp2p::{Devp2p, Node, Overlap, REDIAL_MS, Truth};
pub use scenarios::{AgentPlan, Fault, Scenario};
pub use sim_rng::Dice;
pub use simulation::{Failure, Stats, effects, golden_line, replay, run_seed, run_seeds};
pub use virtual_time::EPOCH_MS;
