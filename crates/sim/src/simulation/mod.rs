//! A run: both cores, the model of the nodes, a network, a store, and what goes wrong with them.
//!
//! [`World`] owns the state of a run and its queue of events; the other files are what happens in it, one concern
//! each. It may use everything else in this crate. Time is virtual and all chance comes from the seed: no clock, no
//! thread inside a run, no I/O.

mod agents;
mod faults;
mod gateway;
mod nodes;
mod phases;
mod pool;
mod run;
mod sim_event;
mod sockets;
mod world;

pub use run::{Failure, effects, golden_line, replay, run_seed, run_seeds};
use sim_event::SimEvent;
pub use world::Stats;
use world::World;
