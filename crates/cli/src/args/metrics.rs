use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;

use crate::error::Failure;

/// Whether and where an agent shows its numbers.
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Show numbers for Prometheus at http://ADDR/metrics; a port alone is one of this machine only [default: nowhere].
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) metrics_bind: Option<SocketAddr>,
    /// Let --metrics-bind be reached beyond this machine, where anybody may read how the agent fares.
    #[arg(long, requires = "metrics_bind")]
    pub(crate) metrics_open: bool,
}

impl MetricsArgs {
    /// Where to listen.
    pub(crate) fn address(&self) -> Result<Option<SocketAddr>, Failure> {
        match self.metrics_bind {
            Some(address) if !address.ip().is_loopback() && !self.metrics_open => Err(Failure::new(
                format!(
                    "--metrics-bind {address} is reached beyond this machine, where anybody could read how this agent \
                     fares"
                ),
                format!("--metrics-bind {}, or --metrics-open if that is meant", address.port()),
            )),
            address => Ok(address),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<u16>() {
        Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => text.parse().map_err(|error| format!("{error}: write a port, or an address as 127.0.0.1:9464")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_of_this_machine_and_more_has_to_be_said() {
        let open = |text, metrics_open| MetricsArgs { metrics_bind: Some(address(text).unwrap()), metrics_open };
        assert_eq!(open("9464", false).address().unwrap(), Some("127.0.0.1:9464".parse().unwrap()));
        assert!(open("[::1]:9464", false).address().is_ok());
        for wide in ["0.0.0.0:9464", "[::]:9464", "192.0.2.7:9464"] {
            let failure = open(wide, false).address().unwrap_err();
            assert!(failure.hint.contains("--metrics-bind 9464"), "{}", failure.hint);
            assert!(open(wide, true).address().is_ok());
        }
        assert!(address("70000").is_err() && address("localhost").is_err());
    }
}
