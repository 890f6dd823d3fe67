//! The chain on which the clients of a pool deposit.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use vipnode_types::{Account, RpcUrl};

/// The flags of `--payment x402`.
#[derive(Debug, Clone, Args)]
pub(crate) struct PoolChainArgs {
    /// Read deposits from the EVM node at this HTTP URL.
    ///
    /// Can be passed at most three times. Takes the URL of a node or of a provider. With one node, the pool trusts what
    /// it returns. With two, the pool accepts only what both confirm. With three, it accepts what two of them confirm,
    /// so one may be wrong or unreachable. --payment x402 requires this flag, --chain.token, and --chain.receiver.
    #[arg(long = "chain.rpc", value_name = "URL", help_heading = "Chain", hide_short_help = true)]
    pub(crate) rpc: Vec<RpcUrl>,
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
    /// Claim automatically with the key in this keystore file.
    ///
    /// It must be the key of the claimer (--chain.claimer), which needs the chain's coin for gas. Without it, the pool only reads
    /// the chain, and the operator runs `vipnode pool admin claim`. Requires --chain.coin-price.
    #[arg(long = "chain.keystore", value_name = "FILE", help_heading = "Chain", hide_short_help = true)]
    pub(crate) keystore: Option<PathBuf>,
    /// Read the password of the keystore from this file.
    ///
    /// [default: prompt for it]
    #[arg(
        long = "chain.password-file",
        value_name = "FILE",
        requires = "keystore",
        help_heading = "Chain",
        hide_short_help = true
    )]
    pub(crate) keystore_password_file: Option<PathBuf>,
    /// Value the chain's coin at this amount, such as "3000 USDC".
    ///
    /// The pool compares claims with their gas: a claim must be worth 100 times its gas (limit claim_worth). The price does not
    /// need to be exact.
    #[arg(long = "chain.coin-price", value_name = "AMOUNT", help_heading = "Chain", hide_short_help = true)]
    pub(crate) coin_price: Option<String>,
    /// Claim and list payouts this often.
    ///
    /// At least 1d, and at most --chain.withdraw-delay minus 3d, except on a development chain (31337 or 1337).
    /// Requires --chain.keystore.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "7d", help_heading = "Chain", hide_short_help = true)]
    pub(crate) epoch: Duration,
}
