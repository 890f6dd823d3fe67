//! The side of the agent that faces the pool: its address, the connection to it, and the two protocols on that
//! connection. The agent core decides what is sent; this folder signs, sends and reads it.

mod call_responder;
mod connector;
mod link;
mod pool_address;
mod pool_status;
mod protocol;
mod protocol2;
mod protocol3;
mod reach;
#[cfg(test)]
mod tests;

pub(crate) use call_responder::CallResponder;
pub use connector::{Connector, NetConnector, PoolConnection};
pub(crate) use link::{Link, LinkEvent, LinkEventKind, Order, Round};
pub use pool_address::PoolAddress;
pub use pool_status::pool_status;
pub(crate) use protocol::Protocol;
pub use reach::{Reached, reach};
