use std::net::SocketAddr;

use clap::Args;

use super::listen_address::listen_address;
use crate::error::CommandError;

/// Whether and where an agent serves its metrics.
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Serve Prometheus metrics at http://ADDR/metrics.
    ///
    /// A port without an address listens on the loopback interface only. [default: no metrics]
    #[arg(long, value_name = "ADDR", value_parser = listen_address, help_heading = "Output", hide_short_help = true)]
    pub(crate) metrics_bind: Option<SocketAddr>,
    /// Allow a non-loopback metrics address.
    ///
    /// Anyone who can reach the address can read the metrics.
    #[arg(long, requires = "metrics_bind", help_heading = "Output", hide_short_help = true)]
    pub(crate) metrics_open: bool,
}

impl MetricsArgs {
    /// Returns the address to listen on, if any.
    pub(crate) fn address(&self) -> Result<Option<SocketAddr>, CommandError> {
        match self.metrics_bind {
            Some(address) if !address.ip().is_loopback() && !self.metrics_open => {
                Err(CommandError::MetricsOpen { address })
            }
            address => Ok(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError;

    use super::*;

    #[test]
    fn a_port_alone_is_on_this_machine_and_more_needs_a_flag() {
        let open = |text, metrics_open| MetricsArgs { metrics_bind: Some(listen_address(text).unwrap()), metrics_open };
        assert_eq!(open("9464", false).address().unwrap(), Some("127.0.0.1:9464".parse().unwrap()));
        assert!(open("[::1]:9464", false).address().is_ok());
        for wide in ["0.0.0.0:9464", "[::]:9464", "192.0.2.7:9464"] {
            let error = open(wide, false).address().unwrap_err();
            assert!(error.hint().is_some_and(|hint| hint.contains("--metrics-bind 9464")), "{error:?}");
            assert!(open(wide, true).address().is_ok());
        }
    }
}
