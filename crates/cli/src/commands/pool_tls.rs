use std::time::SystemTime;

use vipnode_pool::{CertificateFacts, PoolTls, TlsError, TlsNews};

use crate::{
    args::TlsArgs,
    error::Failure,
    output::{Line, Screen, Tone},
};

/// A certificate with fewer days left is warned about.
const SOON_DAYS: u64 = 14;

/// The certificate that the flags name, if any.
pub(crate) fn pool_tls(args: TlsArgs) -> Result<Option<PoolTls>, Failure> {
    let failed = |error: TlsError| Failure::new(error.to_string(), error.hint());
    if let (Some(certificate), Some(key)) = (args.tls_cert, args.tls_key) {
        return PoolTls::from_files(certificate, key).map(Some).map_err(failed);
    }
    #[cfg(feature = "acme")]
    if !args.acme.tls_host.is_empty() {
        return PoolTls::acme(acme(args.acme)?).map(Some).map_err(failed);
    }
    Ok(None)
}

#[cfg(feature = "acme")]
fn acme(args: crate::args::AcmeArgs) -> Result<vipnode_pool::AcmeConfig, Failure> {
    let trust = vipnode_node::Trust::default();
    let trust = match &args.tls_acme_ca {
        Some(path) => trust.with_ca(path).map_err(|error| Failure::new(error.to_string(), "--tls-acme-ca FILE"))?,
        None => trust,
    };
    let cache = match args.tls_cache {
        Some(cache) => cache,
        None => vipnode_agent::state::StateDir::root(None)
            .map_err(|error| Failure::new(error.to_string(), "--tls-cache DIR"))?
            .join("acme"),
    };
    let config = vipnode_pool::AcmeConfig {
        hosts: args.tls_host,
        directory: args.tls_acme_directory,
        trust,
        cache,
        contact: args.tls_contact,
    };
    config.check().map_err(|error| Failure::new(error.to_string(), error.hint()))
}

/// Reads the files again, and says what came of it.
pub(crate) fn reload(tls: &PoolTls, screen: Screen) {
    match tls.reload() {
        Ok(facts) => say("certificate_reloaded", "the certificate was read again", &facts, screen),
        Err(TlsError::NoFiles) => {
            let text = "SIGHUP: nothing to read again, as the certificate comes by ACME and renews itself";
            screen.say(&Line::new("certificate_kept", Tone::Plain, text));
        }
        Err(error) => {
            let text = format!("the new certificate is not used, the old one stays: {error}\n  -> {}", error.hint());
            screen.say(&Line::new("certificate_kept", Tone::Warning, text).with("why", error.to_string()));
        }
    }
}

/// The certificate at the start.
pub(crate) fn say_at_start(tls: &PoolTls, port: u16, screen: Screen) {
    if let Some(facts) = tls.facts() {
        return say("certificate", "TLS", &facts, screen);
    }
    let mut text = format!("getting a certificate for {}", tls.hosts().join(", "));
    if port != 443 {
        text += &format!("; the ACME server asks at port 443, which has to lead to port {port} here");
    }
    screen.say(&Line::new("certificate_ordered", Tone::Plain, text));
}

/// What happened to the certificate by itself.
pub(crate) fn say_news(news: &TlsNews, screen: Screen) {
    match news {
        TlsNews::Obtained(facts) => say("certificate_obtained", "there is a new certificate", facts, screen),
        TlsNews::Failed { why, hint, retry_s } => {
            let text = format!("{why}; it is tried again in {retry_s} s\n  -> {hint}");
            screen.say(&Line::new("certificate_failed", Tone::Warning, text).with("why", why.as_str()));
        }
    }
}

fn say(event: &'static str, what: &str, facts: &CertificateFacts, screen: Screen) {
    let days = facts.days_left(SystemTime::now());
    let names = if facts.names.is_empty() { "no name".to_owned() } else { facts.names.join(", ") };
    let text = format!("{what}: for {names}, until {} ({days} days)", facts.expires());
    let tone = if days < SOON_DAYS { Tone::Warning } else { Tone::Good };
    screen.say(&Line::new(event, tone, text).with("names", facts.names.clone()).with("expires", facts.expires()));
}
