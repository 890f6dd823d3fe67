use std::{error::Error as StdError, fmt, io};

use rustls::{CertificateError, Error, pki_types::UnixTime};
use vipnode_types::Ms;

use crate::Trust;

/// What is wrong with the other side's certificate, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFault {
    why: String,
    hint: String,
}

/// Names of a certificate that are told; one for a thousand hosts is not printed whole.
const NAMES: usize = 8;
/// Errors stacked on each other that are looked at.
const DEPTH: usize = 16;

impl TlsFault {
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

    /// What happened.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The flag or command that fixes it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }

    fn of(error: &Error, trust: &Trust) -> Self {
        let fault = |why: String, hint: &str| Self { why, hint: hint.to_owned() };
        match error {
            Error::InvalidCertificate(error) => of_certificate(error, trust),
            Error::InvalidMessage(_) => fault(
                format!("what answers there does not speak TLS ({error})"),
                "check the port; to a server without TLS on this machine use ws:// or http://",
            ),
            Error::AlertReceived(alert) => fault(
                format!("it ended the TLS handshake with the alert {alert:?}"),
                "check the host name in the address; its operator finds more in its log",
            ),
            other => fault(format!("TLS failed: {other}"), "check the address; its operator finds more in its log"),
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.why, self.hint)
    }
}

fn of_certificate(error: &CertificateError, trust: &Trust) -> TlsFault {
    let (why, hint) = match error {
        // A signature that does not fit is that of an authority whose name is the same and whose key is not.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match trust.ca_file() {
            None => (
                "its certificate comes from an authority that this machine does not know".to_owned(),
                "for a private authority: --tls-ca FILE with its certificate".to_owned(),
            ),
            Some(file) => (
                format!("its certificate comes neither from an authority of the system nor from {}", file.display()),
                "--tls-ca with the certificate of the authority that issued it".to_owned(),
            ),
        },
        CertificateError::NotValidForNameContext { expected, presented } => (
            format!("its certificate is not for {} but for {}", expected.to_str(), names(presented)),
            "connect by a name of the certificate, or have its operator get one for this name".to_owned(),
        ),
        CertificateError::NotValidForName => (
            "its certificate is for another name".to_owned(),
            "connect by a name of the certificate, or have its operator get one for this name".to_owned(),
        ),
        CertificateError::ExpiredContext { time, not_after } => (
            format!("its certificate expired at {}, and this machine's clock says {}", date(*not_after), date(*time)),
            "have its operator renew it; if the clock is wrong, set it (timedatectl)".to_owned(),
        ),
        CertificateError::NotValidYetContext { time, not_before } => (
            format!("its certificate begins at {}, and this machine's clock says {}", date(*not_before), date(*time)),
            "set this machine's clock (timedatectl); if it is right, the operator's was wrong".to_owned(),
        ),
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => (
            "it shows the certificate of an authority itself instead of one for a server".to_owned(),
            "have its operator issue a server certificate from it, without CA:TRUE".to_owned(),
        ),
        other => {
            (format!("its certificate does not hold: {other}"), "have its operator replace the certificate".to_owned())
        }
    };
    TlsFault { why, hint }
}

/// webpki writes `DnsName("pool.example")`.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| match name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")")) {
        Some(name) => name.to_owned(),
        None => name.clone(),
    };
    let clean = |name: String| name.chars().filter(|c| !c.is_control()).take(100).collect::<String>();
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
