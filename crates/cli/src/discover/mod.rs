//! Finds the node and the pool that a command works with: the ones the user named, or the ones that answer on this
//! machine; and shows what an agent would do with the node (`--dry-run`).
//!
//! May use `args`, `error` and `output`; runs nothing that lasts.

mod dry_run;
mod node;
mod pool;
mod simulated;

pub(crate) use self::{
    dry_run::dry_run,
    node::{FoundNode, RetryPolicy, find_node},
    pool::{find_pool, named_pool},
};
