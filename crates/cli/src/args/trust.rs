use std::{path::PathBuf, sync::OnceLock};

use clap::Args;
use vipnode_agent::local::ConnectionSettings;
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
    /// What was read from these settings; each use shares it.
    #[arg(skip)]
    trust: OnceLock<Trust>,
}

impl TrustArgs {
    /// Whether the user chose what is allowed.
    pub(crate) const fn is_given(&self) -> bool {
        self.insecure || self.tls_ca.is_some()
    }

    /// The same for other commands on this machine, which may run in another directory.
    pub(crate) fn settings(&self) -> ConnectionSettings {
        let absolute = |path: &PathBuf| std::path::absolute(path).ok()?.to_str().map(str::to_owned);
        ConnectionSettings { insecure: self.insecure, tls_ca: self.tls_ca.as_ref().and_then(absolute) }
    }

    /// What is allowed towards the pool and the node of an agent that runs with these settings: what the agent allows. A CA
    /// file of the user takes the place of the agent's.
    pub(crate) fn trust_as(&self, agent: &ConnectionSettings) -> Result<Trust, CliError> {
        let tls_ca = self.tls_ca.clone().or_else(|| agent.tls_ca.as_ref().map(PathBuf::from));
        Self { insecure: self.insecure || agent.insecure, tls_ca, trust: OnceLock::new() }.trust()
    }

    /// What is allowed. The file is read once; [`Trust::reload`] reads it again for all that got it from here.
    pub(crate) fn trust(&self) -> Result<Trust, CliError> {
        if let Some(trust) = self.trust.get() {
            return Ok(trust.clone());
        }
        let trust = Trust::default().allow_plain(self.insecure);
        let trust = match &self.tls_ca {
            Some(path) => trust.with_ca(path)?,
            None => trust,
        };
        Ok(self.trust.get_or_init(|| trust).clone())
    }
}
