use std::{net::IpAddr, str::FromStr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use vipnode_types::{errors, sanitize};

/// The proxies in front of this pool, and the header in which they name their clients.
///
/// The header counts only on connections from these addresses, and only the part that the proxies wrote: read from its
/// end, the first address that is not a proxy's (fault D34, docs/faults.md). Everything before it is the client's own
/// claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// The addresses of the proxies.
    pub proxies: Vec<IpNet>,
    /// The header that they set.
    pub header: ProxyHeader,
    /// The addresses of balancers that begin each connection with a header of the PROXY protocol, version 1 or 2.
    pub balancers: Vec<IpNet>,
}

/// The header in which a proxy names its client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For: client, proxy`.
    #[default]
    XForwardedFor,
    /// `Forwarded: for=client;proto=https, for=proxy` (RFC 7239).
    Forwarded,
    /// `X-Real-IP: client`.
    XRealIp,
}

errors! {
    /// Why the header of a trusted proxy does not name a client.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ProxyHeaderError {
        /// What the proxy wrote into the header is not an address.
        NoAddress {
            /// The name of the header.
            header: &'static str,
            /// What it contains, sanitized.
            text: String,
        }: local, "the proxy's {header} header contains \"{text}\" instead of an address",
            hint "Have the proxy write the client's address into {header}, or name another header: --proxy-header NAME.";
    }
}

impl TrustedProxies {
    /// Whether a connection from this address is a proxy's.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        contains(&self.proxies, address)
    }

    /// Whether a connection from this address begins with a header of the PROXY protocol.
    pub(crate) fn balances(&self, address: IpAddr) -> bool {
        contains(&self.balancers, address)
    }

    /// Whether a request has the header in which the proxies name their clients.
    pub(crate) fn names_client(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(self.header.name())
    }

    /// Returns the client behind a proxy, or the proxy's own address if it does not name one.
    ///
    /// # Errors
    /// [`ProxyHeaderError`] if the relevant part of the header is not an address.
    pub fn client(&self, proxy: IpAddr, headers: &HeaderMap) -> Result<IpAddr, ProxyHeaderError> {
        let mut client = proxy.to_canonical();
        for value in headers.get_all(self.header.name()).iter().rev() {
            let text = value.to_str().map_err(|_| self.header.error("bytes that are not text"))?;
            for part in self.header.parts(text).into_iter().rev() {
                client = self.header.read(part)?;
                if !self.trusts(client) {
                    return Ok(client);
                }
            }
        }
        Ok(client)
    }
}

fn contains(nets: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    nets.iter().any(|net| net.contains(&address))
}

impl ProxyHeader {
    pub(crate) const ALL: [Self; 3] = [Self::XForwardedFor, Self::Forwarded, Self::XRealIp];

    pub(crate) fn name(self) -> HeaderName {
        HeaderName::from_static(self.text())
    }

    const fn text(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
            Self::XRealIp => "x-real-ip",
        }
    }

    fn error(self, text: &str) -> ProxyHeaderError {
        ProxyHeaderError::NoAddress { header: self.text(), text: sanitize(text, 64) }
    }

    /// Returns one part per proxy on the way.
    fn parts(self, text: &str) -> Vec<&str> {
        match self {
            Self::XForwardedFor => text.split(',').collect(),
            Self::XRealIp => vec![text],
            Self::Forwarded => {
                let mut quoted = false;
                text.split(|c| {
                    quoted ^= c == '"';
                    c == ',' && !quoted
                })
                .collect()
            }
        }
    }

    fn read(self, part: &str) -> Result<IpAddr, ProxyHeaderError> {
        let address = match self {
            Self::XForwardedFor | Self::XRealIp => part.trim(),
            Self::Forwarded => {
                let pairs = part.split(';').filter_map(|pair| pair.split_once('='));
                let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
                let (_, value) = named.next().ok_or_else(|| self.error(part))?;
                value.trim().trim_matches('"')
            }
        };
        without_port(address).map(|ip| ip.to_canonical()).ok_or_else(|| self.error(part))
    }
}

errors! {
    /// Why a text is not the name of a header in which proxies name their clients.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ProxyHeaderNameError {
        /// No proxy sets this header, or vipnode cannot read it.
        Unknown: local, "vipnode does not support this header", hint "Pass x-forwarded-for, forwarded, or x-real-ip.";
    }
}

impl FromStr for ProxyHeader {
    type Err = ProxyHeaderNameError;

    fn from_str(text: &str) -> Result<Self, ProxyHeaderNameError> {
        Self::ALL
            .into_iter()
            .find(|header| header.text().eq_ignore_ascii_case(text))
            .ok_or(ProxyHeaderNameError::Unknown)
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn without_port(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    if let Ok(address) = text.parse::<std::net::SocketAddr>() {
        return Some(address.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    fn proxies(header: ProxyHeader) -> TrustedProxies {
        let proxies = ["10.0.0.0/8", "2001:db8:aa::/48"].map(|net| net.parse().unwrap()).to_vec();
        TrustedProxies { proxies, header, balancers: Vec::new() }
    }

    fn said(header: ProxyHeader, values: &[&str]) -> Result<String, ProxyHeaderError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header.name(), value.parse().unwrap());
        }
        proxies(header).client("10.0.0.1".parse().unwrap(), &headers).map(|ip| ip.to_string())
    }

    #[test]
    fn d34_the_last_hop_that_is_not_a_trusted_proxy_is_the_client() {
        for (values, client) in [
            (&["192.0.2.7"][..], "192.0.2.7"),
            (&["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
            (&["203.0.113.9, 192.0.2.7, 10.1.2.3"], "192.0.2.7"),
            (&["203.0.113.9", "192.0.2.7", "10.1.2.3, 10.1.2.4"], "192.0.2.7"),
            (&["garbage, <script>, 192.0.2.7"], "192.0.2.7"),
            (&["2001:db8::7, 2001:db8:aa::1"], "2001:db8::7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["192.0.2.7:80"], "192.0.2.7"),
            (&["::ffff:192.0.2.7"], "192.0.2.7"),
            (&["10.1.2.3, 10.1.2.4"], "10.1.2.3"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(said(ProxyHeader::XForwardedFor, values).unwrap(), client, "{values:?}");
        }
    }

    #[test]
    fn d34_forwarded_and_real_ip() {
        let forwarded = |value| said(ProxyHeader::Forwarded, &[value]);
        assert_eq!(
            forwarded(r#"for=192.0.2.43, For="[2001:db8:cafe::17]:4711";proto=https"#).unwrap(),
            "2001:db8:cafe::17"
        );
        assert_eq!(forwarded(r#"for="192.0.2.1";by="a,b;for=9.9.9.9", for=10.0.0.9"#).unwrap(), "192.0.2.1");
        assert_eq!(said(ProxyHeader::XRealIp, &["192.0.2.7"]).unwrap(), "192.0.2.7");
        for bad in ["for=unknown", "for=_hidden", "by=10.0.0.1", "", "for="] {
            assert!(forwarded(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn garbage_in_the_relevant_part_is_an_error_that_shows_it() {
        for bad in ["unknown", "192.0.2.7, ", "192.0.2.256", "192.0.2.7 10.0.0.1", "fe80::1%eth0"] {
            let error = said(ProxyHeader::XForwardedFor, &[bad]).unwrap_err();
            assert!(error.to_string().contains("x-forwarded-for"), "{error}");
            assert!(error.hint().unwrap().contains("--proxy-header"), "{error:?}");
        }
        assert!(said(ProxyHeader::XRealIp, &["1.2.3.4, 5.6.7.8"]).is_err());
    }

    #[test]
    fn only_configured_proxies_are_trusted() {
        let proxies = proxies(ProxyHeader::XForwardedFor);
        let trusts = |ip: &str| proxies.trusts(ip.parse().unwrap());
        assert!(trusts("10.255.0.1") && trusts("::ffff:10.0.0.1") && trusts("2001:db8:aa:1::1"));
        assert!(!trusts("11.0.0.1") && !trusts("2001:db8:ab::1"));
        assert!(!TrustedProxies::default().trusts("127.0.0.1".parse().unwrap()));
    }
}
