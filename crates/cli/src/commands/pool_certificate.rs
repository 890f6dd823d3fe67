use std::{path::PathBuf, time::SystemTime};

use vipnode_pool::{CertificateFacts, PoolTls, RenewalResult, TlsError};
use vipnode_types::{TypedError as _, counted};

use crate::{
    args::{TlsArgs, TlsSource},
    error::{CliError, CommandError},
    output::{Line, Tone},
};

/// A certificate with fewer days left is warned about.
const SOON_DAYS: u64 = 14;

/// Returns the certificate that the flags name, if any. `internal` is where a CA of the pool's own is kept, and for which names
/// and addresses it issues.
pub(crate) fn pool_tls(
    args: TlsArgs,
    internal: impl FnOnce() -> Result<(PathBuf, Vec<String>), CliError>,
) -> Result<Option<PoolTls>, CliError> {
    if let Some(TlsSource::Internal) = args.tls {
        let (dir, names) = internal()?;
        return Ok(Some(PoolTls::internal(dir, names)?));
    }
    if let (Some(certificate), Some(key)) = (args.tls_cert, args.tls_key) {
        return Ok(Some(of_files(certificate, key, internal)?));
    }
    #[cfg(feature = "acme")]
    if !args.acme.tls_host.is_empty() {
        return Ok(Some(PoolTls::acme(acme(args.acme)?)?));
    }
    Ok(None)
}

/// Checks the files or names that the flags name, and changes nothing. Returns the facts about a certificate from files.
/// `internal` is where a CA of the pool's own is kept.
pub(crate) fn check(
    args: TlsArgs,
    internal: impl FnOnce() -> Result<(PathBuf, Vec<String>), CliError>,
) -> Result<Option<CertificateFacts>, CliError> {
    if let Some(TlsSource::Internal) = args.tls {
        let (dir, _names) = internal()?;
        PoolTls::check_internal(dir)?;
        return Ok(None);
    }
    #[cfg(feature = "acme")]
    if args.by_acme() {
        acme(args.acme)?;
        return Ok(None);
    }
    match (args.tls_cert, args.tls_key) {
        (Some(certificate), Some(key)) => Ok(of_files(certificate, key, internal)?.facts()),
        _ => Ok(None),
    }
}

/// Reads a certificate. The error of one that is a CA's has commands that issue another for the names of the pool.
fn of_files(
    certificate: PathBuf,
    key: PathBuf,
    internal: impl FnOnce() -> Result<(PathBuf, Vec<String>), CliError>,
) -> Result<PoolTls, CliError> {
    let names = || internal().map(|(_dir, names)| names).unwrap_or_default();
    PoolTls::from_files(certificate, key).map_err(|error| match error {
        TlsError::Authority { .. } => error.with_names(names()).into(),
        error => error.into(),
    })
}

#[cfg(feature = "acme")]
fn acme(args: crate::args::AcmeArgs) -> Result<vipnode_pool::AcmeConfig, CliError> {
    let trust = vipnode_node::Trust::default();
    let trust = match &args.tls_acme_ca {
        Some(path) => trust.with_ca(path).map_err(|why| CommandError::AcmeCa { why: Box::new(why) })?,
        None => trust,
    };
    let cache = match args.tls_cache {
        Some(cache) => cache,
        None => vipnode_agent::state::StateDir::root(None)
            .map_err(|why| CommandError::TlsCache { why: Box::new(why) })?
            .join("acme"),
    };
    let config = vipnode_pool::AcmeConfig {
        hosts: args.tls_host,
        directory: args.tls_acme_directory,
        trust,
        cache,
        contact: args.tls_contact,
    };
    Ok(config.check()?)
}

/// Reports how reading the files again ended.
pub(crate) fn reload_line(reloaded: &Result<CertificateFacts, TlsError>, now: SystemTime) -> Line {
    match reloaded {
        Ok(facts) => facts_line("certificate_reloaded", "Reloaded the certificate", facts, now),
        Err(TlsError::NoFiles) => {
            let text = "SIGHUP: no certificate file to reload; the pool renews its certificate automatically";
            Line::new("certificate_kept", Tone::Plain, text)
        }
        Err(error) => {
            let text = format!("Cannot use the new certificate ({error}); keeping the old one");
            let line = Line::new("certificate_kept", Tone::Warning, text).with("reason", error.to_string());
            line.hint(&error.hint().unwrap_or_default())
        }
    }
}

/// The certificate of a pool that starts, as its lines show it.
#[derive(Debug)]
pub(crate) struct CertificateAtStart {
    /// Also of one that is still on order.
    pub(crate) names: Vec<String>,
    /// `None` before the first one by ACME.
    pub(crate) facts: Option<CertificateFacts>,
    /// The file of the pool's own CA.
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether agents need the CA's certificate.
    pub(crate) needs_ca: bool,
}

impl CertificateAtStart {
    pub(crate) fn of(tls: &PoolTls) -> Self {
        Self { names: tls.names(), facts: tls.facts(), ca_file: tls.ca_file(), needs_ca: tls.needs_ca() }
    }

    /// The lines about it; `port` is the pool's.
    pub(crate) fn lines(&self, port: u16, now: SystemTime) -> Vec<Line> {
        if let Some(facts) = &self.facts {
            let ca = self.ca_file.as_ref().map(|ca| {
                let text = format!("The CA that issued it, for the agents' --tls-ca: {}", ca.display());
                Line::new("ca", Tone::Plain, text).with("file", ca.display().to_string())
            });
            return std::iter::once(facts_line("certificate", "TLS certificate", facts, now)).chain(ca).collect();
        }
        let mut text = format!("Getting a certificate for {}", self.names.join(", "));
        if port != 443 {
            text += &format!(". The ACME server connects to port 443, so forward it to port {port} on this machine");
        }
        vec![Line::new("certificate_ordered", Tone::Plain, text)]
    }
}

/// Reports an automatic renewal of the certificate, or its failure.
pub(crate) fn news_line(news: &RenewalResult, now: SystemTime) -> Line {
    match news {
        RenewalResult::Obtained(facts) => facts_line("certificate_obtained", "Obtained a new certificate", facts, now),
        RenewalResult::Failed { why, hint, retry_s } => {
            let text = format!("Cannot get a certificate: {why}; retrying in {retry_s} s");
            Line::new("certificate_failed", Tone::Warning, text).with("reason", why.as_str()).hint(hint)
        }
    }
}

/// Describes a certificate. `now` is compared with its end.
pub(crate) fn facts_line(event: &'static str, what: &str, facts: &CertificateFacts, now: SystemTime) -> Line {
    let days = facts.days_left(now);
    let names = if facts.names.is_empty() { "no name".to_owned() } else { facts.names.join(", ") };
    let text = format!("{what} for {names}, valid until {} ({})", facts.expires(), counted(days, "day"));
    let tone = if days < SOON_DAYS { Tone::Warning } else { Tone::Good };
    Line::new(event, tone, text).with("names", facts.names.clone()).with("expires", facts.expires())
}
