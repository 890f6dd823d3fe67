//! Drives an execution client over its admin API: what it offers ([`Capabilities`]) decides its [`NodeFamily`], and
//! the family decides in which order [`AdminNode`] makes its calls. Everything here speaks to the node through a
//! [`Transport`](crate::Transport); sockets, addresses and files never appear here.

mod admin_node;
pub(crate) mod answers;
mod capabilities;
mod events;
mod exposure;
mod late_dials;
mod maintaining;
mod names;
mod node_family;
mod open;
mod redial;
mod sequence;
mod trusting;
mod trusting_by_address;

pub use admin_node::AdminNode;
pub use capabilities::Capabilities;
pub use node_family::{NodeFamily, drive};
