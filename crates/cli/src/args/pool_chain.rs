//! The chain on which the clients of a pool deposit.

use std::time::Duration;

use clap::Args;
use vipnode_types::{Account, RpcUrl};

/// The flags of `--payment x402`.
#[derive(Debug, Clone, Args)]
pub(crate) struct PoolChainArgs {
    /// Read deposits from the execution client at this HTTP URL.
    ///
    /// Takes the URL of a node or of a provider. --payment x402 requires this flag, --chain.token, and --chain.receiver.
    #[arg(long = "chain.rpc", value_name = "URL", help_heading = "Chain", hide_short_help = true)]
    pub(crate) rpc: Option<RpcUrl>,
    /// Charge in this token.
    ///
    /// Its symbol and decimals must be those of --asset.
    #[arg(long = "chain.token", value_name = "ADDRESS", help_heading = "Chain", hide_short_help = true)]
    pub(crate) token: Option<Account>,
    /// Receive the clients' payments at this account.
    #[arg(long = "chain.receiver", value_name = "ADDRESS", help_heading = "Chain", hide_short_help = true)]
    pub(crate) receiver: Option<Account>,
    /// Let this account claim payments for the receiver.
    ///
    /// The account pays the gas and cannot take the funds. [default: the receiver]
    #[arg(long = "chain.claimer", value_name = "ADDRESS", help_heading = "Chain", hide_short_help = true)]
    pub(crate) claimer: Option<Account>,
    /// Require channels with this withdrawal delay.
    ///
    /// A client can complete a withdrawal only this long after starting it, so the pool has time to claim. Values below 14d
    /// are allowed only on a development chain (31337 or 1337).
    #[arg(long = "chain.withdraw-delay", value_name = "TIME", value_parser = humantime::parse_duration, default_value = "14d", help_heading = "Chain", hide_short_help = true)]
    pub(crate) withdraw_delay: Duration,
}
