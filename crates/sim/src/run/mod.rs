//! A run: both cores, the model of the nodes, a network, a store, and what goes wrong with them.
//!
//! [`Simulation`] owns the state of a run and its queue of events; each other file handles one
//! concern of a run. It may use everything else in this crate. Time is virtual, and all randomness comes from the seed: a
//! run has no clock, no threads, and no I/O.

mod agents;
mod attackers;
mod backup;
mod core_time;
mod fault_schedule;
mod gateway;
mod hostile;
mod nodes;
mod operator;
mod phases;
mod pool;
mod pool_time;
mod rebuild;
mod run_event;
mod seed_run;
mod simulated_sockets;
mod simulation;

use run_event::RunEvent;
pub(crate) use seed_run::pool_batches;
pub use seed_run::{Family, SeedFailure, effects, golden_line, replay, run_seed, run_seeds};
use simulation::Simulation;
pub use simulation::Stats;
