//! The side of the agent that faces the pool.

mod door;
mod incoming;
mod link;
mod speaker;

pub use door::{Door, Line, NetDoor};
pub(crate) use link::{FromLink, Link, Round, Say, What};
pub(crate) use speaker::Speaker;
