//! Drives an execution client over its admin API: what it offers ([`Capabilities`]) decides its [`NodeFamily`], and
//! the family decides in which order [`AdminNode`] makes its calls. Everything here speaks to the node through a
//! [`Transport`](crate::Transport); sockets, addresses and files never appear here.

mod admin_node;
pub(crate) mod answers;
mod call_order;
mod cancel_late_dials;
mod capabilities;
mod dial_only;
mod events;
mod exposure;
mod ids_by_hash;
mod node_family;
mod open_endpoint;
mod redial;
mod trust_by_enode;
mod trust_by_id;

pub use admin_node::AdminNode;
pub use capabilities::Capabilities;
pub use node_family::{NodeFamily, drive};
