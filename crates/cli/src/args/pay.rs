//! How a client pays from a payment channel.

use std::{fs, path::Path, time::Duration};

use clap::Args;
use vipnode_agent_core::PayConfig;
use vipnode_types::{QuotedPrice, payment::ChannelConfig};

/// The payment of a client at a pool that takes vouchers of x402.
#[derive(Debug, Clone, Args)]
pub(crate) struct PayArgs {
    /// Pay from the payment channel in this file, at a pool with --payment x402.
    ///
    /// `vipnode wallet deposit` writes the file. Its payer authorizer must be the address of this agent's key.
    #[arg(long, value_name = "FILE", value_parser = channel, requires = "max_spend_per_day", help_heading = "Payment")]
    pub(crate) pay: Option<ChannelConfig>,
    /// Sign for at most this amount within 24 hours, such as "1 USDC".
    #[arg(long, value_name = "AMOUNT", value_parser = a_day, help_heading = "Payment")]
    pub(crate) max_spend_per_day: Option<QuotedPrice>,
    /// Sign so far ahead: a dishonest pool can take at most this much time without service.
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = ahead, help_heading = "Payment", hide_short_help = true)]
    pub(crate) ahead: Duration,
}

impl PayArgs {
    /// The settings of a client that pays.
    pub(crate) fn config(&self) -> Option<PayConfig> {
        let (channel, max_spend) = (self.pay?, self.max_spend_per_day.clone()?);
        let ahead_ms = u64::try_from(self.ahead.as_millis()).unwrap_or(u64::MAX);
        Some(PayConfig { channel, max_spend, ahead_ms })
    }
}

/// A channel file is small; more is not one.
const MOST_BYTES: u64 = 16 * 1024;

fn channel(path: &str) -> Result<ChannelConfig, String> {
    let path = Path::new(path);
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MOST_BYTES {
        return Err("the file is too large to be a payment channel".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| format!("not a payment channel: {error}"))
}

/// An amount a day is read as a price.
fn a_day(text: &str) -> Result<QuotedPrice, String> {
    if text.contains('/') {
        return Err("write an amount without a period, such as \"1 USDC\"".to_owned());
    }
    format!("{text}/day").parse().map_err(|error: vipnode_types::AmountError| error.to_string())
}

fn ahead(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_secs(20 * 60);
    const MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 1h or 90m"))?;
    if (LEAST..=MOST).contains(&time) { Ok(time) } else { Err("use 20m to 7d".to_owned()) }
}
