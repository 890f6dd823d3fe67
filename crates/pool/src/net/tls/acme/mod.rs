//! The pool's certificate by ACME (RFC 8555): proven by TLS-ALPN-01 on the pool's own port, kept in a
//! directory, renewed when two thirds of its time are over.

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
    CertificateFacts, PoolTls, TlsError,
    certificate::{Certificate, seconds},
    pool_tls::Challenge,
};

/// How a certificate is had by ACME.
#[derive(Debug, Clone)]
pub struct AcmeConfig {
    /// The names it is to be for, lower-case.
    pub hosts: Vec<String>,
    /// URL of the ACME server's directory.
    pub directory: String,
    /// Whom the connection to the ACME server is to be to.
    pub trust: Trust,
    /// Where account, certificate and key are kept, readable by their owner only.
    pub cache: PathBuf,
    /// A mail address that the ACME server may write to.
    pub contact: Option<String>,
}

/// Let's Encrypt's directory.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// The first retry after a failure; each further one waits twice as long. Let's Encrypt takes five failures
/// an hour and name.
const RETRY_FIRST: Duration = Duration::from_secs(60);
/// The longest wait between two tries.
const RETRY_MOST: Duration = Duration::from_secs(6 * 3600);
/// How often it is looked whether the certificate is due: clocks jump, machines sleep.
const LOOK: Duration = Duration::from_secs(3600);
/// An order that takes longer has failed.
const ORDER: Duration = Duration::from_secs(180);

impl AcmeConfig {
    /// Names are checked and written in lower case.
    ///
    /// # Errors
    /// [`TlsError::Name`].
    pub fn check(mut self) -> Result<Self, TlsError> {
        for host in &mut self.hosts {
            host.make_ascii_lowercase();
            // ACME gives no certificate for an address without a dot, and none for "*" this way.
            if DnsName::try_from(host.as_str()).is_err() || host.contains('*') {
                return Err(TlsError::Name(host.clone()));
            }
        }
        Ok(self)
    }
}

/// Orders and renews for as long as it is polled.
pub(super) async fn keep(tls: &PoolTls, config: &AcmeConfig) {
    let mut wait = RETRY_FIRST;
    loop {
        let due = tls.facts().is_none_or(|facts| is_due(&facts, SystemTime::now()));
        if !due {
            sleep(LOOK).await;
            continue;
        }
        let ordered = tokio::time::timeout(ORDER, order::order(tls, config)).await;
        let ordered = ordered.unwrap_or_else(|_elapsed| {
            let why = format!("it took longer than {} s", ORDER.as_secs());
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

/// Whether two thirds of its time are over, which is when it is renewed.
fn is_due(facts: &CertificateFacts, now: SystemTime) -> bool {
    let last_third_s = facts.expires_s.saturating_sub(facts.begins_s) / 3;
    facts.expires_s.saturating_sub(last_third_s) <= seconds(now)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

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
    fn it_is_renewed_after_two_thirds_of_its_time() {
        let facts = CertificateFacts { names: Vec::new(), begins_s: 1_000, expires_s: 4_000 };
        let due = |now_s| is_due(&facts, UNIX_EPOCH + Duration::from_secs(now_s));
        assert_eq!([due(2_999), due(3_000), due(5_000)], [false, true, true]);
    }

    #[test]
    fn only_host_names_are_asked_for() {
        assert_eq!(config(&["Pool.Example.ORG"]).check().unwrap().hosts, ["pool.example.org"]);
        for wrong in ["", "https://pool.example", "pool.example:443", "*.example.org", "a b"] {
            assert!(matches!(config(&["a.example", wrong]).check(), Err(TlsError::Name(name)) if name == wrong));
        }
    }
}
