//! The side of the agent that faces the pool.

mod door;
mod incoming;
mod link;
mod original;
mod speaker;
mod voice;

pub use door::{Door, Line, NetDoor};
pub(crate) use link::{FromLink, Link, Round, Say, What};
pub(crate) use original::OriginalSpeaker;
pub(crate) use speaker::Speaker;
pub(crate) use voice::Voice;
