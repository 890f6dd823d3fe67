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
    /// For wss:// and https:// URLs with a certificate of your own CA.
    #[arg(long, value_name = "FILE", help_heading = "Node", hide_short_help = true)]
    pub(crate) tls_ca: Option<PathBuf>,
}

impl TrustArgs {
    pub(crate) fn trust(&self) -> Result<Trust, CliError> {
        let trust = Trust::default().allow_plain(self.insecure);
        match &self.tls_ca {
            Some(path) => trust
                .with_ca(path)
                .map_err(|error| CliError::new(error.to_string(), "Pass your CA's certificate as PEM: --tls-ca FILE")),
            None => Ok(trust),
        }
    }
}
