//! The side of the agent that faces the pool: its address, the connection to it, and the two protocols on that
//! connection. The agent core decides what is sent; this folder signs, sends and reads it.

mod call_responder;
mod connector;
mod known_pool;
mod link;
mod pool_address;
mod pool_identity;
mod pool_status;
mod protocol;
mod protocol2;
mod protocol3;
mod reach;
#[cfg(test)]
mod tests;

pub(crate) use call_responder::CallResponder;
pub use connector::{Connector, NetConnector, PoolConnection};
pub use known_pool::{AcceptedPool, KnownPool, PinChange, PinReason};
pub(crate) use link::{Link, LinkEvent, LinkEventKind, Order, Round};
pub use pool_address::PoolAddress;
pub(crate) use pool_identity::PoolIdentity;
pub use pool_status::pool_status;
pub(crate) use protocol::Protocol;
pub use reach::{Reached, Trial, reach};
