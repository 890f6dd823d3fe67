use std::{error::Error as StdError, io, path::PathBuf};

use rustls::{CertificateError, Error, pki_types::UnixTime};
use vipnode_types::{Ms, errors, sanitize};

use crate::Trust;

errors! {
    /// What is wrong with the other side's certificate.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum CertificateProblem {
        /// The answer is not TLS.
        NotTls {
            /// What rustls reports.
            why: String,
        }: local, "the server does not use TLS ({why})",
            hint "Check the port. For a server without TLS on this machine, use ws:// or http://.";
        /// The other side aborted the TLS handshake.
        Alert {
            /// The alert's name.
            alert: String,
        }: local, "the server ended the TLS handshake with the alert {alert}",
            hint "Check the host name in the address. The server's log may contain details.";
        /// The certificate is self-signed, comes from a private CA, or was sent without its intermediate certificates.
        UnknownAuthority: local, "its certificate was issued by a certificate authority that this machine does not \
                                  trust",
            hint "For a private CA, pass its certificate: --tls-ca FILE.";
        /// The --tls-ca file contains a different CA from the one that issued the certificate.
        OtherAuthority {
            /// The file given with `--tls-ca`.
            file: PathBuf,
        }: local, "its certificate was issued neither by a system CA nor by a CA in {file}" (file = file.display()),
            hint "Pass the certificate of the CA that issued it: --tls-ca FILE.";
        /// The server has the certificate of another host, or the certificate does not list this name.
        OtherNames {
            /// The name in the address.
            expected: String,
            /// The names in the certificate.
            names: String,
        }: local, "its certificate is for {names}, not for {expected}",
            hint "Connect to a name in the certificate, or ask the server's operator to get a certificate for this \
                  name.";
        /// The certificate is for a different name, which the TLS library does not report.
        OtherName: local, "its certificate is for a different name",
            hint "Connect to a name in the certificate, or ask the server's operator to get a certificate for this name.";
        /// The certificate was not renewed in time, or this machine's clock is wrong.
        Expired {
            /// When it expired.
            end: String,
            /// The time of this machine.
            now: String,
        }: local, "its certificate expired at {end} (this machine's clock: {now})",
            hint "Ask the server's operator to renew it; if this machine's clock is wrong, set it (timedatectl).";
        /// This machine's clock is behind, or the certificate was issued with a clock that was ahead.
        NotYetValid {
            /// When it becomes valid.
            start: String,
            /// The time of this machine.
            now: String,
        }: local, "its certificate is not valid before {start} (this machine's clock: {now})",
            hint "Set this machine's clock (timedatectl). If it is correct, the server operator's clock was wrong \
                  when the certificate was issued.";
        /// The server was set up with the certificate of its CA instead of one that the CA issued.
        AuthorityItself: local, "it presents a CA certificate instead of a server certificate",
            hint "Ask the server's operator to issue a server certificate (without CA:TRUE) from that CA.";
        /// The certificate is not valid for another reason.
        Invalid {
            /// What rustls reports.
            why: String,
        }: local, "its certificate is not valid: {why}", hint "Ask the server's operator to replace the certificate.";
        /// TLS fails for another reason.
        Failed {
            /// What rustls reports.
            why: String,
        }: local, "TLS failed: {why}", hint "Check the address. The server's log may contain details.";
    }
}

/// The maximum number of certificate names to print.
const NAMES: usize = 8;
/// Errors stacked on each other that are looked at.
const DEPTH: usize = 16;

impl CertificateProblem {
    /// The fault that an error is about, if it is about TLS at all.
    #[must_use]
    pub fn within(error: &(dyn StdError + 'static), trust: &Trust) -> Option<Self> {
        let mut next = Some(error);
        for _ in 0..DEPTH {
            let error = next?;
            if let Some(error) = error.downcast_ref::<Error>() {
                return Some(Self::of(error, trust));
            }
            // The source of an I/O error is that of the error inside it, which would be passed over.
            let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = match inside {
                Some(inside) => Some(inside),
                None => error.source(),
            };
        }
        None
    }

    fn of(error: &Error, trust: &Trust) -> Self {
        match error {
            Error::InvalidCertificate(error) => of_certificate(error, trust),
            Error::InvalidMessage(_) => Self::NotTls { why: error.to_string() },
            Error::AlertReceived(alert) => Self::Alert { alert: format!("{alert:?}") },
            other => Self::Failed { why: other.to_string() },
        }
    }
}

fn of_certificate(error: &CertificateError, trust: &Trust) -> CertificateProblem {
    match error {
        // A signature that does not fit is that of an authority whose name is the same and whose key is not.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match trust.ca_file() {
            None => CertificateProblem::UnknownAuthority,
            Some(file) => CertificateProblem::OtherAuthority { file: file.to_owned() },
        },
        CertificateError::NotValidForNameContext { expected, presented } => {
            CertificateProblem::OtherNames { expected: expected.to_str().into_owned(), names: names(presented) }
        }
        CertificateError::NotValidForName => CertificateProblem::OtherName,
        CertificateError::ExpiredContext { time, not_after } => {
            CertificateProblem::Expired { end: date(*not_after), now: date(*time) }
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            CertificateProblem::NotYetValid { start: date(*not_before), now: date(*time) }
        }
        // rustls has no variant of its own for this one and passes on webpki's error.
        CertificateError::Other(other) if matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)) => {
            CertificateProblem::AuthorityItself
        }
        other => CertificateProblem::Invalid { why: other.to_string() },
    }
}

/// webpki writes `DnsName("pool.example")` and `IpAddress(10.0.0.1)`.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| match name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')) {
        Some(name) => name.trim_matches('"').to_owned(),
        None => name.clone(),
    };
    let clean = |name: String| sanitize(&name, 100);
    let shown: Vec<String> = presented.iter().take(NAMES).map(plain).map(clean).collect();
    match presented.len().saturating_sub(NAMES) {
        0 if shown.is_empty() => "no host at all".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn date(time: UnixTime) -> String {
    Ms::new(time.as_secs().saturating_mul(1_000)).rfc3339_seconds()
}
