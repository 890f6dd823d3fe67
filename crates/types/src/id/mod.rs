//! Identifiers: the IDs of nodes, leases, and accounts, the addresses at which nodes are dialed, and the URLs of
//! servers.
//!
//! An ID is a newtype that can hold only valid values, with its text form and its form on the wire. This module uses
//! only [`crate::Ms`] from the rest of the crate. Keys, signatures, and messages do not belong here.

mod account;
mod address_scope;
mod enode;
mod hash256;
mod lease_id;
mod lease_set_hash;
mod node_id;
mod public_address;
mod rpc_url;
mod short_node_id;
mod typed;

pub use account::{Account, AccountError};
pub use address_scope::AddressScope;
pub use enode::{Enode, EnodeError, EnodeHost};
pub(crate) use hash256::Keccak256;
pub use hash256::{Hash256, keccak256};
pub use lease_id::LeaseId;
pub use lease_set_hash::LeaseSetHash;
pub use node_id::{NodeId, NodeIdError};
pub use public_address::is_public;
pub use rpc_url::{Origin, RpcUrl, RpcUrlError};
pub use short_node_id::ShortNodeId;
pub use typed::typed_text;
