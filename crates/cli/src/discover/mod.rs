//! Finds the node and the pool that a command works with: those that the user named, or those that respond on this
//! machine. Also shows the calls that an agent would make to the node (`--dry-run`).
//!
//! May use `args`, `error`, and `output`; does not start long-running tasks.

mod dry_run;
mod node;
mod pool;
mod simulated;

pub(crate) use self::{
    dry_run::dry_run,
    node::{FoundNode, RetryPolicy, find_node},
    pool::{find_pool, named_pool},
};
