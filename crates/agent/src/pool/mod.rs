//! The side of the agent that faces the pool: its address, the connection to it, and the two protocols spoken on that
//! connection. What is said is decided by the agent core; here it is signed, sent and read.

mod connector;
mod incoming;
mod link;
mod pool_address;
mod pool_status;
mod protocol;
mod protocol2;
mod protocol3;
mod reach;

pub use connector::{Door, Line, NetDoor};
pub(crate) use link::{FromLink, Link, Round, Say, What};
pub use pool_address::PoolAddress;
pub use pool_status::pool_status;
pub(crate) use protocol::Voice;
pub(crate) use protocol2::OriginalSpeaker;
pub(crate) use protocol3::Speaker;
pub use reach::{Reached, reach};
