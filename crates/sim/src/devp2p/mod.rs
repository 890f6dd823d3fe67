//! A model of Ethereum nodes and the connections between them, and the ground ground_truth of who was connected when.
//!
//! May read the plans of the scenario. Knows no agent, no pool and no socket.

mod ground_truth;
mod network;

pub use ground_truth::{GroundTruth, Overlap};
pub use network::{Devp2p, Node, REDIAL_MS};
