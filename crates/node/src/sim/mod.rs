//! Simulated nodes: a network in memory that behaves as real nodes do (geth, and reth where that differs), with their
//! limits and delays.
//!
//! [`World`] is the network itself, a state machine to which the caller passes the time. [`SimNet`] runs one on tokio's
//! clock and provides nodes for the same driver that real nodes use; [`SimServer`] offers the same to other processes.
//! Every simulated node is marked: its client version begins with `simulated/`.
//!
//! Uses `transport` and `driver` as the connection to a real node does. No pool and no agent belong here.

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
