use std::path::PathBuf;

use clap::Args;
use vipnode_node::Trust;

use crate::error::CliError;

/// Which connections are allowed.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// Allow ws:// and http:// to other machines.
    ///
    /// Anyone on the network path can read and change the traffic.
    #[arg(long, help_heading = "Node", hide_short_help = true)]
    pub(crate) insecure: bool,
    /// Trust additional CA certificates from this PEM file.
    ///
    /// Use it for wss:// and https:// URLs whose certificate was issued by your own CA.
    #[arg(long, value_name = "FILE", help_heading = "Node", hide_short_help = true)]
    pub(crate) tls_ca: Option<PathBuf>,
}

impl TrustArgs {
    pub(crate) fn trust(&self) -> Result<Trust, CliError> {
        let trust = Trust::default().allow_plain(self.insecure);
        match &self.tls_ca {
            Some(path) => Ok(trust.with_ca(path)?),
            None => Ok(trust),
        }
    }
}
