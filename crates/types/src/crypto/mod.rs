//! Keys and what they sign: the delegation of a node to its agent, signed calls of protocol 3, what an
//! account asks of a pool, payout orders, join proofs, proofs of a pool's id, and what a pool signs to hosts.
//!
//! This module uses [`crate::id`] and [`crate::Ms`]. Secrets never appear in `Debug` output. Wire messages do not
//! belong here, nor do the signatures of protocol 2, which have their own format.

mod account_key;
mod account_request;
mod account_signature;
mod agent_key;
mod delegation;
mod join_secret;
mod meter_id;
mod node_key;
mod payout_order;
mod pool_key;
mod pool_key_change;
pub mod signed;

pub use account_key::AccountKey;
pub use account_request::{AccountAct, AccountRequest, AccountRequestError};
pub use account_signature::{AccountSignature, AccountSignatureError};
pub(crate) use account_signature::{is_odd, personal_digest, signer};
pub use agent_key::{AgentKey, AgentPublic};
pub use delegation::{Delegation, DelegationError};
pub use join_secret::{JoinProof, JoinSecret};
pub use meter_id::MeterId;
pub use node_key::{NodeKey, NodeKeyError};
pub use payout_order::{PayoutOrder, PayoutOrderError};
pub use pool_key::{PoolId, PoolKey};
pub use pool_key_change::{PoolKeyChange, PoolKeyChanges, PoolKeyChangesError};
