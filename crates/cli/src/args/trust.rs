use std::path::PathBuf;

use clap::Args;
use vipnode_node::Trust;

use crate::error::Failure;

/// Whom connections may be to.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// Allow ws:// and http:// beyond this machine, where anybody on the way can read and change it.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Believe the authorities of a PEM file too, for wss:// and https:// with a certificate of your own CA.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
}

impl TrustArgs {
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let trust = Trust::default().allow_plain(self.insecure);
        match &self.tls_ca {
            Some(path) => trust
                .with_ca(path)
                .map_err(|error| Failure::new(error.to_string(), "--tls-ca FILE with your CA's certificate as PEM")),
            None => Ok(trust),
        }
    }
}
