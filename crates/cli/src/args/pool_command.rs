//! What `vipnode pool` does apart from running a pool.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum PoolCommand {
    /// Change the pool's key.
    Key(KeyArgs),
}

#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Give the pool a new key, and with it a new ID.
    ///
    /// The old key signs the change, and the pool sends it to agents that remember the old ID, so that they accept the new
    /// one by themselves. The pool keeps the eight newest changes. Stop the pool first. If the old key was stolen, its
    /// thief can sign a change too: then tell your users to pass --accept-pool-key.
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool key rotate --datadir /var/lib/vipnode-pool")]
pub(crate) struct RotateArgs {
    /// Change the key of the pool with this data directory.
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: PathBuf,
}
