//! How a client pays from a payment channel.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use vipnode_types::{AmountError, QuotedPrice};

/// The payment of a client at a pool that takes x402 vouchers.
#[derive(Debug, Clone, Args)]
pub(crate) struct PayArgs {
    /// Pay from the payment channel in this file.
    ///
    /// For pools with --payment x402. `vipnode wallet deposit` creates the file. The channel's payer authorizer must be
    /// the address of this agent's key, which the agent shows when it starts.
    #[arg(long, value_name = "FILE", requires = "max_spend_per_day", help_heading = "Payment", hide_short_help = true)]
    pub(crate) pay: Option<PathBuf>,
    /// Sign for at most this amount in 24 hours, such as "1 USDC".
    #[arg(long, value_name = "AMOUNT", value_parser = a_day, requires = "pay", help_heading = "Payment", hide_short_help = true)]
    pub(crate) max_spend_per_day: Option<QuotedPrice>,
    /// Sign vouchers this far ahead of what was used.
    ///
    /// A dishonest pool can take what this time costs without serving the client. Takes 20m to 7d.
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = ahead, help_heading = "Payment", hide_short_help = true)]
    pub(crate) ahead: Duration,
}

/// An amount a day is read as a price.
fn a_day(text: &str) -> Result<QuotedPrice, String> {
    if text.contains('/') {
        return Err("write an amount without a period, such as \"1 USDC\"".to_owned());
    }
    format!("{text}/day").parse().map_err(|error: AmountError| error.to_string())
}

fn ahead(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_secs(20 * 60);
    const MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 1h or 90m"))?;
    if (LEAST..=MOST).contains(&time) { Ok(time) } else { Err("pass 20m to 7d".to_owned()) }
}
