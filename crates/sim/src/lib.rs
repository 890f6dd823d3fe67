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

pub mod checker;
mod devp2p;
mod dice;
mod golden;
mod run;
mod scenario;
mod truth;
mod world;

pub use checker::Checker;
pub use devp2p::{Devp2p, Node, REDIAL_MS};
pub use dice::Dice;
pub use run::{Failure, effects, golden_line, replay, run_seed, run_seeds};
pub use scenario::{AgentPlan, Fault, Scenario};
pub use truth::{Overlap, Truth};
pub use world::{EPOCH_MS, Stats};
