//! A small model of geth nodes and the connections between them (trust, static peers, dial slots, peer slots, the time
//! between two dials), and the ground truth of who was connected when.
//!
//! May read the plans of the scenario. Does not depend on agents, pools, or sockets.

mod ground_truth;
mod network;
mod node;
mod spans;

pub use ground_truth::GroundTruth;
pub use network::Devp2p;
pub use node::{ModelNode, REDIAL_MS};
pub use spans::{Overlap, Spans};
