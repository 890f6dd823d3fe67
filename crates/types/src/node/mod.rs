//! An execution client as others see it: its chain, its version, what it serves, its peers, and which peers it accepts.
//!
//! This module uses [`crate::id`]. How to query a client for these facts does not belong here
//! but in the `node` crate.

mod capability;
mod chain_spec;
mod drop_cause;
mod min_version;
mod node_facts;
mod peer_command;
mod peer_rules;

pub use capability::{Capability, CapabilityError};
pub use chain_spec::{ChainSpec, ShortHash};
pub use drop_cause::DropCause;
pub use min_version::{MinVersion, MinVersionError};
pub use node_facts::{Direction, HeadFact, NodeFacts, PeerFact};
pub use peer_command::PeerCommand;
pub use peer_rules::{Mismatch, PeerRules};

/// geth does not dial a node twice within this time, in milliseconds; for as long, the other node has to dial.
pub const REDIAL_MS: u64 = 35_000;
