//! The words of vipnode: ids, enodes, wei, the meter, signatures and every message of the wire.
//!
//! This crate knows no socket, no clock and no store. Pool and agent meet only here and in the RPC.
//!
//! - Who: [`NodeId`], [`Enode`], [`Account`], [`AgentKey`], [`ChainSpec`].
//! - What it serves and what it wants of others: [`Capability`], [`MinVersion`], [`PeerRules`].
//! - How much: [`Wei`], [`Price`], [`meter`].
//! - When: [`Ms`], always handed in.
//! - What is said: [`wire`], signed as [`signed`] tells; by the original's agents and pools: [`protocol2`].
//! - By which names: [`PoolMethod`], [`AgentMethod`]. All of it for other programs to read: [`openrpc`].
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod account;
mod agent_key;
mod capability;
mod chain_spec;
mod delegation;
mod drop_cause;
mod enode;
mod join_secret;
mod lease_id;
mod lease_set_hash;
pub mod meter;
mod methods;
mod min_version;
mod ms;
mod node_facts;
mod node_id;
mod node_key;
pub mod openrpc;
mod peer_rules;
mod price;
pub mod protocol2;
mod public_address;
pub mod signed;
mod text_schema;
mod wei;
pub mod wire;

pub use account::{Account, AccountError};
pub use agent_key::{AgentKey, AgentPublic, AgentPublicError};
pub use capability::{Capability, CapabilityError};
pub use chain_spec::ChainSpec;
pub use delegation::{Delegation, DelegationError, DelegationTextError};
pub use drop_cause::DropCause;
pub use enode::{Enode, EnodeError, EnodeHost};
pub use join_secret::{JoinProof, JoinSecret};
pub use lease_id::LeaseId;
pub use lease_set_hash::LeaseSetHash;
pub use methods::{AgentMethod, PoolMethod};
pub use min_version::{MinVersion, MinVersionError};
pub use ms::Ms;
pub use node_facts::{Direction, HeadFact, NodeFacts, PeerFact};
pub use node_id::{NodeId, NodeIdError};
pub use node_key::{NodeKey, NodeKeyError};
pub use peer_rules::{Misfit, PeerRules};
pub use price::Price;
pub use public_address::is_public;
pub use wei::{Wei, WeiError};
