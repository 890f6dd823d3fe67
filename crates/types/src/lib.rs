//! The words of vipnode: ids, enodes, wei, the meter, signatures and every message of the wire.
//!
//! This crate knows no socket, no clock and no store. Pool and agent meet only here and in the RPC.
//!
//! - Who: [`NodeId`], [`Enode`], [`Account`], [`AgentKey`], [`ChainSpec`].
//! - What it serves and what it wants of others: [`Capability`], [`MinVersion`], [`PeerRules`].
//! - How much: [`Wei`], [`Price`], [`meter`].
//! - When: [`Ms`], always handed in.
//! - What is said: [`wire`], signed as [`signed`] tells; by the original's agents and pools: [`protocol2`].
//! - What is refused, and how to fix it: [`errors!`], [`TypedError`]; without its type: [`Failure`].
//! - By which names: [`PoolMethod`], [`AgentMethod`]. The crate `openrpc` describes all of it for other programs.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod crypto;
mod error_table;
mod failure;
mod id;
mod methods;
mod money;
mod ms;
mod node;
pub mod protocol2;
mod sanitize;
#[cfg(feature = "schema")]
mod schema;
mod text_form;
pub mod wire;

pub use crypto::{
    AgentKey, AgentPublic, Delegation, DelegationError, DelegationTextError, JoinProof, JoinSecret, NodeKey,
    NodeKeyError, signed,
};
pub use error_table::{ErrorRow, ErrorTable, HintRow, TypedError};
pub use failure::Failure;
pub use id::{
    Account, AccountError, Enode, EnodeError, EnodeHost, LeaseId, LeaseSetHash, NodeId, NodeIdError, Origin, RpcUrl,
    RpcUrlError, is_public,
};
pub use methods::{AgentMethod, PoolMethod};
pub use money::{Price, Wei, WeiError, meter};
pub use ms::Ms;
pub use node::{
    Capability, CapabilityError, ChainSpec, Direction, DropCause, HeadFact, MinVersion, MinVersionError, Misfit,
    NodeFacts, PeerCommand, PeerFact, PeerRules,
};
pub use sanitize::{is_unprintable, sanitize, sanitize_lines};
pub use text_form::HexError;
