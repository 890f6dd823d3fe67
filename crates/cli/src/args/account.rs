//! The subcommands of `vipnode account`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vipnode_agent::AcceptedPool;
use vipnode_types::{Account, AccountSignature, NodeId, UtcDay};

use super::{NodeArgs, StatementOutputArgs, TrustArgs, targets::typed_pool, whole_number::given_number};

/// The id of the argument without a name that names the pool to call.
pub(crate) const CALLED_POOL: &str = "account_pool";
const NAMED_POOL: &str = "named_account_pool";

/// Calls a pool about an account.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  # Let the local node spend from an account
  vipnode account link wss://pool.example --keystore FILE
  # The same with an external wallet
  vipnode account link wss://pool.example --account 0x…
  # Show the account's balances
  vipnode account show wss://pool.example --keystore FILE"
)]
pub(crate) struct AccountArgs {
    #[command(subcommand)]
    pub(crate) command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Let the local node spend from an account.
    ///
    /// Both must agree: the account signs a message, and the node's agent signs the call. First, the agent must have
    /// connected to the pool, and the pool's operator must have credited the account. Without a keystore, this command
    /// prints the message to sign and the command to pass the signature to. A pool with --payment x402 does not need a
    /// link: use `vipnode client --pay FILE`.
    Link(AccountLinkArgs),
    /// End the link between a node and an account.
    ///
    /// Either side can end the link alone: the node's agent or the account.
    Unlink(AccountUnlinkArgs),
    /// Show the balances of an account at a pool.
    ///
    /// Without --keystore or --account, the local agents ask their pools what their nodes may spend and have earned.
    Show(AccountShowArgs),
    /// List the entries that make up an account's balances.
    ///
    /// Lists each lease, credit, and payout that the pool has posted; the lines add up to the balances. Only the newest
    /// billing periods of running leases are missing: they are posted when they end, after a day at most.
    Statement(AccountStatementArgs),
    /// Verify the signed daily statements of the local hosts.
    ///
    /// A host requests a signed statement of its earnings from its pool once a day, and keeps it in its state directory. This
    /// command checks all signatures and sums, and that no two billing periods bill the same part of a payer's meter. It
    /// works offline.
    DailyStatements(AccountDailyStatementsArgs),
    /// Set the account that receives what a host earns.
    ///
    /// The node key signs the change. The first account takes effect immediately. A later change takes effect after a day
    /// (the pool's payout_delay_ms) and is possible once a day. To cancel a pending change, run the command with the current
    /// account.
    Payout(AccountPayoutArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vipnode account link wss://pool.example \\\n    --keystore ~/.ethereum/keystore/UTC--… --password-file FILE"
)]
pub(crate) struct AccountLinkArgs {
    #[command(flatten)]
    pub(crate) pool: AccountPoolArgs,
    #[command(flatten)]
    pub(crate) signer: SignerArgs,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # As the agent of the local node
  vipnode account unlink wss://pool.example --account 0x…
  # As the account
  vipnode account unlink wss://pool.example --keystore FILE --node 1f3a…")]
pub(crate) struct AccountUnlinkArgs {
    #[command(flatten)]
    pub(crate) pool: AccountPoolArgs,
    #[command(flatten)]
    pub(crate) signer: SignerArgs,
    /// End the link of this node, as the account.
    ///
    /// Without it, the agent of the local node ends the link of that node.
    #[arg(id = "linked_node", long = "node", value_name = "ID", value_parser = NodeId::typed, help_heading = "Node")]
    pub(crate) linked: Option<NodeId>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # What the nodes of local agents may spend
  vipnode account show
  # What an account has
  vipnode account show wss://pool.example --keystore FILE")]
pub(crate) struct AccountShowArgs {
    #[command(flatten)]
    pub(crate) pool: AccountPoolArgs,
    #[command(flatten)]
    pub(crate) signer: SignerArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    /// Query the agents that keep their state in this directory.
    ///
    /// [default: ~/.local/state/vipnode]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["keystore", "account"], help_heading = "Node")]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vipnode account statement wss://pool.example --keystore FILE \\\n    --from 2026-11-01 --to 2026-12-01 --csv > november.csv"
)]
pub(crate) struct AccountStatementArgs {
    #[command(flatten)]
    pub(crate) pool: AccountPoolArgs,
    #[command(flatten)]
    pub(crate) signer: SignerArgs,
    #[command(flatten)]
    pub(crate) output: StatementOutputArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode account daily-statements                   check all days\n  \
                        vipnode account daily-statements --day 2026-11-30  show one day in detail")]
pub(crate) struct AccountDailyStatementsArgs {
    /// Show the billing periods of this day (UTC).
    #[arg(long, value_name = "DATE", help_heading = "Output")]
    pub(crate) day: Option<UtcDay>,
    /// Read the statements that agents keep in this directory.
    ///
    /// [default: ~/.local/state/vipnode]
    #[arg(long, value_name = "DIR", help_heading = "Node")]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Locates the node and its key
  vipnode account payout 0x… wss://pool.example
  # If only another user can read the key
  sudo vipnode account payout 0x… wss://pool.example --nodekey FILE")]
pub(crate) struct AccountPayoutArgs {
    /// Pay what the host earns to this account.
    #[arg(id = "payout_account", value_name = "ADDRESS", help_heading = "Payment")]
    pub(crate) account: Account,
    #[command(flatten)]
    pub(crate) pool: AccountPoolArgs,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Read the node's key from this file.
    ///
    /// [default: detected from the node]
    #[arg(long, value_name = "FILE", help_heading = "Identity")]
    pub(crate) nodekey: Option<PathBuf>,
}

/// The pool that is called.
#[derive(Debug, Args)]
pub(crate) struct AccountPoolArgs {
    /// Call this pool.
    ///
    /// [default: the pool of the agents that run on this machine, or the pool at ws://127.0.0.1:8080, if one responds there]
    #[arg(id = CALLED_POOL, value_name = "POOL", value_parser = typed_pool, help_heading = "Pool")]
    pool: Option<String>,
    /// Call this pool; a single-word host name is allowed.
    ///
    /// Takes the same values as POOL, and also a single word such as "mypool", which POOL rejects because it could be a
    /// mistyped command.
    #[arg(
        id = NAMED_POOL,
        long = "pool",
        value_name = "POOL",
        conflicts_with = CALLED_POOL,
        help_heading = "Pool",
        hide_short_help = true
    )]
    named_pool: Option<String>,
    /// Accept the pool with this ID in place of the remembered one.
    #[arg(long, value_name = "ID|none", help_heading = "Pool", hide_short_help = true)]
    pub(crate) accept_pool_key: Option<AcceptedPool>,
}

impl AccountPoolArgs {
    /// Returns the pool that the user named.
    pub(crate) fn pool(&self) -> Option<&str> {
        self.pool.as_deref().or(self.named_pool.as_deref())
    }
}

/// Who signs for the account.
#[derive(Debug, Args)]
pub(crate) struct SignerArgs {
    /// Sign with the key in this keystore file.
    ///
    /// Takes a keystore file from geth, Clef, Foundry, or another wallet (Web3 Secret Storage, version 3).
    #[arg(long, value_name = "FILE", conflicts_with = "account", help_heading = "Payment")]
    pub(crate) keystore: Option<PathBuf>,
    /// Read the password of the keystore from this file.
    ///
    /// [default: prompt for it]
    #[arg(long, value_name = "FILE", requires = "keystore", help_heading = "Payment")]
    pub(crate) password_file: Option<PathBuf>,
    /// Sign for this account with an external wallet.
    ///
    /// Without --signature, the command prints the message to sign.
    #[arg(long, value_name = "ADDRESS", help_heading = "Payment")]
    pub(crate) account: Option<Account>,
    /// Pass the counter from the message that the wallet signed.
    #[arg(long, value_name = "N", requires = "signature", value_parser = given_number, help_heading = "Payment", hide_short_help = true)]
    pub(crate) counter: Option<u64>,
    /// Pass the wallet's signature of the message (personal_sign).
    #[arg(long, value_name = "HEX", requires_all = ["account", "counter"], help_heading = "Payment", hide_short_help = true)]
    pub(crate) signature: Option<AccountSignature>,
}
