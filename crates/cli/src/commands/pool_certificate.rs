use std::{path::PathBuf, time::SystemTime};

use vipnode_pool::{CertificateFacts, PoolTls, TlsError, TlsNews};
use vipnode_types::{TypedError as _, counted};

use crate::{
    args::{TlsArgs, TlsSource},
    error::{CliError, CommandError},
    output::{Line, Screen, Tone},
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
        return Ok(Some(PoolTls::from_files(certificate, key)?));
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
        (Some(certificate), Some(key)) => Ok(PoolTls::from_files(certificate, key)?.facts()),
        _ => Ok(None),
    }
}

#[cfg(feature = "acme")]
fn acme(args: crate::args::AcmeArgs) -> Result<vipnode_pool::AcmeConfig, CliError> {
    let trust = vipnode_node::Trust::default();
    let trust = match &args.tls_acme_ca {
        Some(path) => trust.with_ca(path).map_err(|error| CommandError::AcmeCa { why: error.to_string() })?,
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

/// Reads the files again and reports the result.
pub(crate) fn reload(tls: &PoolTls, screen: Screen) {
    match tls.reload() {
        Ok(facts) => say("certificate_reloaded", "Reloaded the certificate", &facts, screen),
        Err(TlsError::NoFiles) => {
            let text = "SIGHUP: no certificate file to reload; ACME renews the certificate automatically";
            screen.say(&Line::new("certificate_kept", Tone::Plain, text));
        }
        Err(error) => {
            let text = format!("Cannot use the new certificate ({error}); keeping the old one");
            let line = Line::new("certificate_kept", Tone::Warning, text).with("reason", error.to_string());
            screen.say(&line.hint(&error.hint().unwrap_or_default()));
        }
    }
}

/// The certificate at the start.
pub(crate) fn say_at_start(tls: &PoolTls, port: u16, screen: Screen) {
    if let Some(facts) = tls.facts() {
        say("certificate", "TLS certificate", &facts, screen);
        if let Some(ca) = tls.ca_file() {
            let text = format!("Agents trust it with --tls-ca FILE: copy {} to their machines", ca.display());
            screen.say(&Line::new("ca", Tone::Plain, text).with("file", ca.display().to_string()));
        }
        return;
    }
    let mut text = format!("Getting a certificate for {}", tls.names().join(", "));
    if port != 443 {
        text += &format!(". The ACME server connects to port 443, so forward it to port {port} on this machine");
    }
    screen.say(&Line::new("certificate_ordered", Tone::Plain, text));
}

/// Reports an automatic renewal of the certificate, or its failure.
pub(crate) fn say_news(news: &TlsNews, screen: Screen) {
    match news {
        TlsNews::Obtained(facts) => say("certificate_obtained", "Obtained a new certificate", facts, screen),
        TlsNews::Failed { why, hint, retry_s } => {
            let text = format!("Cannot get a certificate: {why}; retrying in {retry_s} s");
            screen.say(&Line::new("certificate_failed", Tone::Warning, text).with("reason", why.as_str()).hint(hint));
        }
    }
}

pub(crate) fn say(event: &'static str, what: &str, facts: &CertificateFacts, screen: Screen) {
    let days = facts.days_left(SystemTime::now());
    let names = if facts.names.is_empty() { "no name".to_owned() } else { facts.names.join(", ") };
    let text = format!("{what} for {names}, valid until {} ({})", facts.expires(), counted(days, "day"));
    let tone = if days < SOON_DAYS { Tone::Warning } else { Tone::Good };
    screen.say(&Line::new(event, tone, text).with("names", facts.names.clone()).with("expires", facts.expires()));
}
