//! Obtains the pool's certificate with ACME (RFC 8555): validated by TLS-ALPN-01 on the pool's own port, kept in a directory,
//! renewed after two thirds of its validity.
//!
//! Calls only the ACME server, and uses the rest of `tls` to install what it gets. A certificate from files does not belong here.

mod acme_client;
mod cache;
mod order;

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use rustls::pki_types::DnsName;
use tokio::time::sleep;
use vipnode_rpc::Trust;

use super::{
    PoolTls, TlsError,
    certificate::Certificate,
    pool_tls::{CHECK, Challenge},
};

/// The settings for a certificate by ACME.
#[derive(Debug, Clone)]
pub struct AcmeConfig {
    /// The names for the certificate, in lower case.
    pub hosts: Vec<String>,
    /// The URL of the ACME server's directory.
    pub directory: String,
    /// The authorities trusted for the connection to the ACME server.
    pub trust: Trust,
    /// The directory of account, certificate, and key, which only their owner can read.
    pub cache: PathBuf,
    /// A mail address to which the ACME server may write.
    pub contact: Option<String>,
}

/// Let's Encrypt's directory.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// The wait before the first retry after a failure; each further one is twice as long. Let's Encrypt allows five failures
/// per hour and name.
const RETRY_FIRST: Duration = Duration::from_secs(60);
/// The longest wait between two tries.
const RETRY_MOST: Duration = Duration::from_secs(6 * 3600);
/// The time limit of an order.
const ORDER: Duration = Duration::from_secs(180);

impl AcmeConfig {
    /// Checks the names and returns the settings with them in lower case.
    ///
    /// # Errors
    /// [`TlsError::Name`].
    pub fn check(mut self) -> Result<Self, TlsError> {
        for host in &mut self.hosts {
            host.make_ascii_lowercase();
            // TLS-ALPN-01 cannot validate a wildcard.
            if DnsName::try_from(host.as_str()).is_err() || host.contains('*') {
                return Err(TlsError::Name { name: host.clone() });
            }
        }
        Ok(self)
    }
}

/// Orders and renews the certificate for as long as it is polled.
pub(super) async fn keep(tls: &PoolTls, config: &AcmeConfig) {
    let mut wait = RETRY_FIRST;
    loop {
        let due = tls.facts().is_none_or(|facts| facts.is_due(SystemTime::now()));
        if !due {
            sleep(CHECK).await;
            continue;
        }
        let ordered = tokio::time::timeout(ORDER, order::order(tls, config)).await;
        let ordered = ordered.unwrap_or_else(|_elapsed| {
            let why = format!("the order took longer than {} s", ORDER.as_secs());
            Err(TlsError::Acme { directory: config.directory.clone(), why })
        });
        match ordered {
            Ok(new) => {
                wait = RETRY_FIRST;
                tls.obtained(new);
            }
            Err(error) => {
                tls.failed(&error, wait.as_secs());
                sleep(wait).await;
                wait = wait.saturating_mul(2).min(RETRY_MOST);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(hosts: &[&str]) -> AcmeConfig {
        AcmeConfig {
            hosts: hosts.iter().map(ToString::to_string).collect(),
            directory: LETS_ENCRYPT.to_owned(),
            trust: Trust::default(),
            cache: PathBuf::new(),
            contact: None,
        }
    }

    #[test]
    fn only_host_names_are_ordered() {
        assert_eq!(config(&["Pool.Example.ORG"]).check().unwrap().hosts, ["pool.example.org"]);
        for wrong in ["", "https://pool.example", "pool.example:443", "*.example.org", "a b"] {
            assert!(matches!(config(&["a.example", wrong]).check(), Err(TlsError::Name { name }) if name == wrong));
        }
    }
}
