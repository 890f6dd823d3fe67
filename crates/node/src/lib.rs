//! Execution clients: find, probe and drive them; and the simulated node.
//!
//! - [`Node`] is the agent's interface to an execution client; a [`vipnode_types::PeerCommand`] is a command for it.
//! - [`drive`] probes the execution client at the other end of a [`Transport`] and selects its family and driver
//!   ([`NodeFamily`], [`AdminNode`]).
//! - [`Endpoint`] is the address of a node's RPC; [`finder`] finds it, and the node's key, if the user did not pass
//!   them.
//! - [`DryRun`] reads from a node and changes nothing.
//! - [`sim`] is a network of simulated nodes with geth's RPC, so that the same driver works with them.

mod answer_error;
mod driver;
mod dry_run;
mod file_owner;
pub mod finder;
pub mod limits;
mod node;
mod node_error;
mod round_trip;
pub mod sim;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;

pub use answer_error::AnswerError;
pub use driver::{AdminNode, Capabilities, NodeFamily, drive};
pub use dry_run::DryRun;
pub use file_owner::FileOwner;
pub use node::{Node, PeerEvent, PeerEvents, PlannedCall};
pub use node_error::NodeError;
pub use round_trip::{PeerConnection, round_trips};
pub use transport::{Endpoint, NodeAccess, Push, Pushes, Transport, TransportError};
pub use vipnode_rpc::{Trust, TrustError};

/// The errors of this crate, for the book's errors page.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] = &[
    vipnode_types::ErrorTable { title: "Connections to the node", rows: NodeError::ROWS },
    vipnode_types::ErrorTable { title: "Responses from the node", rows: AnswerError::ROWS },
    vipnode_types::ErrorTable { title: "Search for the node and its key", rows: finder::FinderError::ROWS },
];
