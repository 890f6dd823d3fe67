//! The agent's connection to the pool: the pool's address, the connection itself, and the two protocols on it. The
//! agent core decides what to send; this folder signs and sends it, and reads the answers.
//!
//! May use `local` (for what the status socket asks the pool) and `state` (for the identity that signs). The node does not belong
//! here.

mod account_client;
mod call_responder;
mod connector;
mod known_pool;
mod pool_address;
mod pool_client;
mod pool_id_check;
mod pool_status;
mod protocol;
mod protocol2;
mod protocol3;
mod reach;
#[cfg(test)]
mod tests;

pub use account_client::AccountClient;
pub(crate) use call_responder::CallResponder;
pub use connector::{Connector, NetConnector, PoolConnection};
pub use known_pool::{AcceptedPool, KnownPool, PinChange, PinReason};
pub use pool_address::PoolAddress;
pub(crate) use pool_client::{Attempt, PoolClient, PoolEvent, PoolEventKind, PoolRequest};
pub(crate) use pool_id_check::PoolIdCheck;
pub use pool_status::pool_status;
pub(crate) use protocol::Protocol;
pub use reach::{ConnectCheck, Reached, reach};
