//! The subcommands of `vipnode pool`.

use std::{path::PathBuf, time::Duration};

use super::{
    AccountsArgs, BalanceArgs, ClaimArgs, ClosePeriodArgs, CorrectArgs, CreditLimitArgs, DebitArgs, EpochArgs,
    LedgerAccountArgs, LedgerStatementArgs, PayoutCommand, PayoutsArgs, PriceArgs, WriteOffArgs,
    typed_target::TypedTarget,
    whole_number::{given_number, whole_number},
};
use clap::{Args, Subcommand, ValueEnum};
use vipnode_types::Account;

#[derive(Debug, Subcommand)]
pub(crate) enum PoolCommand {
    /// Monitor and control a running pool.
    Admin(AdminArgs),
    /// Change the pool's key.
    Key(KeyArgs),
    /// Copy the database of a running or stopped pool.
    ///
    /// The copy contains nodes, leases, and what was metered. The pool's key and its bans are separate files in the
    /// data directory.
    Backup(BackupArgs),
    /// Check the database of a pool (running or stopped), or a backup.
    ///
    /// Reads the whole database, and recomputes what was metered and every balance. The exit code is 1 if something is
    /// wrong.
    Verify(VerifyArgs),
    /// Remove old entries from the journals of a pool.
    ///
    /// Writes them to a file first. Keeps their results: the balances and unpaid costs of each account, and the state of
    /// each payout. If the pool is running, it removes the entries in small steps. An idempotency key is removed
    /// together with
    /// its entry.
    Prune(PruneArgs),
    /// Fold old billing periods of one lease and day into one.
    ///
    /// Only periods that are consecutive on their payer's meter are folded, and all totals stay the same. The pool no
    /// longer signs a host's daily statement for a day whose periods were folded. If the pool is running, it folds in
    /// small steps.
    Fold(FoldArgs),
    /// Replace the database of a stopped pool with a backup.
    ///
    /// Afterward, the pool skips lease IDs, so that none is used twice. The pool's key and its bans do not change.
    /// Prints which
    /// entries of the ledger are lost because they were posted after the backup.
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool restore pool-backup.db --datadir /var/lib/vipnode/pool --force")]
pub(crate) struct RestoreArgs {
    /// Restore this file, which `vipnode pool backup` wrote.
    #[arg(value_name = "BACKUP", help_heading = "Pool")]
    pub(crate) file: PathBuf,
    /// Restore the database in this data directory.
    ///
    /// [default: ~/.local/share/vipnode/pool, or the only pool that this user runs on this machine]
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: Option<PathBuf>,
    /// Replace an existing database, and keep it under another name.
    #[arg(long, help_heading = "Pool")]
    pub(crate) force: bool,
    /// Restore a backup of another pool, or of one with a different asset.
    ///
    /// Its leases, accounts, and payouts become those of the pool with this data directory.
    #[arg(long, help_heading = "Pool")]
    pub(crate) allow_other_pool: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vipnode pool prune --keep 400d --to pool-2025.jsonl \\\n    --datadir /var/lib/vipnode/pool"
)]
pub(crate) struct PruneArgs {
    /// Keep everything that ended less than this long ago.
    #[arg(long, value_name = "TIME", default_value = "400d", value_parser = kept_time, help_heading = "Pool")]
    pub(crate) keep: Duration,
    /// Write the removed entries to this file, which must not exist.
    ///
    /// If an earlier prune was interrupted, the command first removes the entries that the earlier run had already
    /// written to its file. You may pass that file again.
    #[arg(long, value_name = "FILE", help_heading = "Pool")]
    pub(crate) to: PathBuf,
    /// Prune the database in this data directory.
    ///
    /// [default: ~/.local/share/vipnode/pool, or the only pool that this user runs on this machine]
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool fold --older 35d --datadir /var/lib/vipnode/pool")]
pub(crate) struct FoldArgs {
    /// Fold billing periods of days that ended longer ago than this.
    #[arg(long, value_name = "TIME", default_value = "35d", value_parser = kept_time, help_heading = "Pool")]
    pub(crate) older: Duration,
    /// Fold billing periods of the database in this data directory.
    ///
    /// [default: ~/.local/share/vipnode/pool, or the only pool that this user runs on this machine]
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: Option<PathBuf>,
}

fn kept_time(text: &str) -> Result<Duration, String> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    match humantime::parse_duration(text).map_err(|error| format!("{error}: pass days, such as 400d"))? {
        time if time < DAY => Err("pass at least 1d".to_owned()),
        time => Ok(time),
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool backup pool-backup.db --datadir /var/lib/vipnode/pool")]
pub(crate) struct BackupArgs {
    /// Write the copy to this file, which must not exist.
    #[arg(value_name = "FILE", help_heading = "Pool")]
    pub(crate) file: PathBuf,
    /// Copy the database in this data directory.
    ///
    /// [default: ~/.local/share/vipnode/pool, or the only pool that this user runs on this machine]
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode pool verify --datadir /var/lib/vipnode/pool\n  \
                        vipnode pool verify pool-backup.db")]
pub(crate) struct VerifyArgs {
    /// Check this backup instead of the database of a pool.
    #[arg(value_name = "FILE", conflicts_with = "datadir", help_heading = "Pool")]
    pub(crate) file: Option<PathBuf>,
    /// Check the database in this data directory.
    ///
    /// [default: ~/.local/share/vipnode/pool]
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: Option<PathBuf>,
}

/// Acts on a pool that runs on this machine, through a local socket that only the pool's user can open.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "Examples:\n  vipnode pool admin top                          show who uses the pool most\n  \
                  vipnode pool admin ban 203.0.113.0/24 --for 1h  ban a network for an hour\n  \
                  vipnode pool admin drain                        assign no new leases"
)]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    pub(crate) command: AdminCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Show the address blocks that use the pool most.
    ///
    /// Measures the core's time and the bytes over one second.
    Top(TopArgs),
    /// List the nodes that are connected or hold leases.
    Nodes(NodesArgs),
    /// List the running leases that are stored in the database.
    Leases(LeasesArgs),
    /// Ban a node, agent, or network, and end its leases.
    ///
    /// Its connections and leases end immediately. Bans survive a reload and, unless the pool runs with --store memory, a
    /// restart.
    Ban(BanArgs),
    /// Remove a ban.
    Unban(UnbanArgs),
    /// List the bans.
    Bans(BansArgs),
    /// Show the audit log of admin commands.
    ///
    /// Shows bans, drains, and changes to the ledger, with the user and process that made them.
    Audit(AuditArgs),
    /// Stop assigning new leases to a node, or to all nodes.
    ///
    /// Running leases continue until they end.
    Drain(DrainArgs),
    /// Credit an account with a payment.
    #[command(after_help = "Example:\n  vipnode pool admin credit 0x52908400098527886E0F7030069857D2E4169EE7 \\\n    \
                      \"10 USDC\" --reason \"bank transfer\" --key invoice-7")]
    Credit(BalanceArgs),
    /// Debit an account for a refund or to correct a credit.
    #[command(after_help = "Example:\n  vipnode pool admin debit 0x52908400098527886E0F7030069857D2E4169EE7 \\\n    \
                      \"10 USDC\" --reason \"refund\" --key refund-7")]
    Debit(DebitArgs),
    /// Write off the unpaid cost of a billing period.
    ///
    /// The payer no longer owes the cost, and the host no longer receives it. To find the entry number, run
    /// `vipnode pool admin statement`.
    WriteOff(WriteOffArgs),
    /// Correct what is payable to a host.
    Correct(CorrectArgs),
    /// Set the credit limit of an account.
    Limit(CreditLimitArgs),
    /// Show the balances of an account.
    Account(LedgerAccountArgs),
    /// List the entries that make up an account's balances.
    Statement(LedgerStatementArgs),
    /// List the accounts that pay or earn.
    Accounts(AccountsArgs),
    /// Announce a new slot price.
    ///
    /// The price takes effect after one day (price_notice_ms). It then applies to new leases, and to existing leases from
    /// their next billing period if both sides accept it. To withdraw an announced price, pass the current price.
    /// Repeating
    /// the command does not change the announced time.
    Price(PriceArgs),
    /// Close the settlement period and list its payouts.
    ///
    /// Mark each payout of the previous period as paid or bounced first. A payout is the part of a host's earnings that
    /// clients have paid, less the fee.
    ClosePeriod(ClosePeriodArgs),
    /// Claim earned payments from the channels on the chain.
    ///
    /// For pools with --payment x402 and without --chain.keystore. Sends one transaction for up to 250 channels, and one
    /// that transfers the claimed amount to the receiver. Requires the key of --chain.claimer. A claim counts once its
    /// block is final; the costs that it covers are then payable to hosts. Repeating a claim changes nothing.
    Claim(Box<ClaimArgs>),
    /// Show the claim epochs of the pool, or start one.
    ///
    /// For pools with --payment x402 and --chain.keystore. In each epoch (--epoch), the pool claims what clients signed
    /// for and
    /// used, waits until the claims are final, and lists the payouts. With "run", an epoch begins now, or one that was
    /// halted continues. Repeating a claim changes nothing.
    Epoch(EpochArgs),
    /// List the payouts of a settlement period.
    Payouts(PayoutsArgs),
    /// Mark payouts as paid or bounced.
    Payout {
        #[command(subcommand)]
        command: PayoutCommand,
    },
}

/// Which pool is meant.
#[derive(Debug, Args)]
pub(crate) struct PoolSocketArgs {
    /// Act on the pool with this data directory.
    ///
    /// [default: the only pool that this user runs on this machine; if there are several, the one without --datadir]
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: Option<PathBuf>,
    /// Act on the pool with this admin socket.
    #[arg(long, value_name = "PATH", conflicts_with = "datadir", help_heading = "Pool", hide_short_help = true)]
    pub(crate) socket: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// List records before this position, which the previous page printed.
    #[arg(long, value_name = "N", value_parser = given_number, help_heading = "Output")]
    pub(crate) before: Option<u64>,
    /// List at most this many of the newest records.
    #[arg(long, value_name = "N", default_value = "100", value_parser = whole_number::<1, 1_000>, help_heading = "Output")]
    pub(crate) most: u32,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Order the list by core time, slots, bytes in, or bytes out.
    #[arg(
        long,
        value_name = "core|slots|in|out",
        default_value = "core",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(crate) by: OrderName,
    /// Show at most this many address blocks.
    #[arg(long, value_name = "N", default_value = "20", value_parser = whole_number::<1, 1_000>, help_heading = "Output")]
    pub(crate) most: u32,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

/// What the list of address blocks is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderName {
    /// Time of the pool's core.
    Core,
    /// Leases.
    Slots,
    /// Bytes sent to the pool.
    In,
    /// Bytes received from the pool.
    Out,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vipnode pool admin nodes 1f3a            list nodes whose ID begins with 1f3a\n  \
                        vipnode pool admin nodes geth/v1.16      list the nodes that run this release"
)]
pub(crate) struct NodesArgs {
    /// List only nodes that match this text.
    ///
    /// Matches nodes whose ID, agent key, or address begins with this text, or whose version contains it.
    #[arg(value_name = "FILTER", help_heading = "Output")]
    pub(crate) filter: Option<String>,
    /// List only nodes on the chain with this ID.
    // Not --chain: VIPNODE_CHAIN is the pool's list of pinned chains.
    #[arg(long = "chain-id", value_name = "ID", value_parser = given_number, help_heading = "Output")]
    pub(crate) chain: Option<u64>,
    /// Start at this position, which the previous page printed.
    #[arg(long, value_name = "POSITION", value_parser = whole_number::<0, { u32::MAX }>, help_heading = "Output")]
    pub(crate) from: Option<u32>,
    /// List at most this many nodes.
    #[arg(long, value_name = "N", default_value = "100", value_parser = whole_number::<1, 1_000>, help_heading = "Output")]
    pub(crate) most: u32,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LeasesArgs {
    /// List only leases of nodes whose ID begins with this text.
    #[arg(value_name = "NODE", help_heading = "Output")]
    pub(crate) node: Option<String>,
    /// List only leases that this account pays for, or earns from.
    #[arg(long, value_name = "ACCOUNT", help_heading = "Output")]
    pub(crate) account: Option<Account>,
    /// List the leases after this one, which the previous page printed.
    #[arg(long, value_name = "LEASE", value_parser = given_number, help_heading = "Output")]
    pub(crate) after: Option<u64>,
    /// List at most this many leases.
    #[arg(long, value_name = "N", default_value = "100", value_parser = whole_number::<1, 1_000>, help_heading = "Output")]
    pub(crate) most: u32,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode pool admin ban 203.0.113.0/24 --reason flood\n  \
                        vipnode pool admin ban 203.0.113.7 --for 1h")]
pub(crate) struct BanArgs {
    /// Ban this node ID, agent key, address, or network.
    ///
    /// For a node that is connected or has leases, and for its agent, the first 8 or more characters of the ID are
    /// enough.
    #[arg(value_name = "TARGET", help_heading = "Pool")]
    pub(crate) target: TypedTarget,
    /// Send this reason to the banned agents (at most 80 characters).
    #[arg(long, value_name = "TEXT", help_heading = "Pool")]
    pub(crate) reason: Option<String>,
    /// End the ban after this time, such as 1h or 7days.
    ///
    /// [default: no end]
    #[arg(long = "for", value_name = "TIME", value_parser = ban_time, help_heading = "Pool")]
    pub(crate) duration: Option<Duration>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UnbanArgs {
    /// Remove the ban on this node ID, agent key, address, or network.
    ///
    /// The first 8 or more characters of an ID are enough.
    #[arg(value_name = "TARGET", help_heading = "Pool")]
    pub(crate) target: TypedTarget,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BansArgs {
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DrainArgs {
    /// Drain this node.
    ///
    /// The first 8 or more characters of its ID are enough. [default: the whole pool]
    #[arg(value_name = "NODE", value_parser = TypedTarget::node, help_heading = "Pool")]
    pub(crate) node: Option<TypedTarget>,
    /// Stop draining and assign leases again.
    #[arg(long, help_heading = "Pool")]
    pub(crate) stop: bool,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Replace the pool's key, which also changes its ID.
    ///
    /// Stop the pool first. The old key signs the change, and the pool sends it to agents that remember the old ID, so
    /// that
    /// they accept the new ID without user action. The pool keeps the eight newest changes. If the old key was stolen,
    /// the
    /// thief can sign a change too. In that case, ask your users to pass --accept-pool-key with the new ID.
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool key rotate --datadir /var/lib/vipnode/pool")]
pub(crate) struct RotateArgs {
    /// Change the key of the pool with this data directory.
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: PathBuf,
}

/// Reads the time of a ban. One without any would have ended already.
fn ban_time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text).map_err(|error| error.to_string())? {
        Duration::ZERO => Err("pass a time greater than zero".to_owned()),
        time => Ok(time),
    }
}
