//! Simulated nodes: a network in memory that behaves as geth was seen to behave, with its limits and its waits.
//!
//! [`World`] is the network itself, a plain state machine that is handed the time. [`SimNet`] runs one on tokio's
//! clock and hands out nodes for the very driver of real ones; [`SimServer`] offers the same to other processes.
//! Every simulated node is marked: its client version begins with `simulated/`.

mod answers;
mod net;
mod peer;
mod server;
mod spec;
mod transport;
mod world;

pub use net::SimNet;
pub use peer::SimPeer;
pub use server::SimServer;
pub use spec::{SimFamily, SimHead, SimKind, SimSpec, sim_key};
pub use world::{SimEvent, World};
