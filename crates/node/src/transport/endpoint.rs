use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr, sync::Arc};

use vipnode_rpc::Trust;

use super::{RpcTransport, Transport};
use crate::NodeError;

/// Where a node takes calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A local socket, or a named pipe of Windows.
    Ipc(PathBuf),
    /// `http://…` or `https://…`; has no events for connects and disconnects of peers.
    Http(String),
    /// `ws://…` or `wss://…`
    Ws(String),
    /// `sim://host:port/name`: a simulated node of another process, see [`crate::sim::SimServer`].
    Sim(String),
}

impl Endpoint {
    /// The way to whatever answers here; nothing is connected yet.
    ///
    /// # Errors
    /// [`NodeError::Address`].
    pub fn transport(&self, trust: &Trust) -> Result<Arc<dyn Transport>, NodeError> {
        Ok(Arc::new(RpcTransport::new(self.clone(), trust)?))
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Ipc(_) => true,
            Self::Http(url) | Self::Ws(url) | Self::Sim(url) => is_loopback(host_of(url)),
        }
    }

    /// The URL of a WebSocket, where this is one.
    pub(crate) fn ws_url(&self) -> Option<String> {
        match self {
            Self::Ws(url) => Some(url.clone()),
            Self::Sim(url) => url.strip_prefix("sim").map(|rest| format!("ws{rest}")),
            Self::Ipc(_) | Self::Http(_) => None,
        }
    }
}

impl FromStr for Endpoint {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self, NodeError> {
        let wrong = |why: &str| NodeError::Address { text: text.to_owned(), why: why.to_owned() };
        let Some((scheme, rest)) = text.split_once("://") else {
            if text.is_empty() {
                return Err(wrong("it is empty"));
            }
            return Ok(Self::Ipc(text.into()));
        };
        if host_of(text).is_empty() || rest.starts_with(':') {
            return Err(wrong("the host is missing"));
        }
        match scheme {
            "http" | "https" => Ok(Self::Http(text.to_owned())),
            "ws" | "wss" => Ok(Self::Ws(text.to_owned())),
            "sim" => Ok(Self::Sim(text.to_owned())),
            "enode" | "enr" => Err(wrong("an enode is the address for other nodes to dial, not an RPC address")),
            _ => Err(wrong("only http, https, ws, wss and the path of an IPC file are known")),
        }
    }
}

/// Without a user name and a password, which are nobody's business in a log.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self {
            Self::Ipc(path) => return path.display().fmt(f),
            Self::Http(url) | Self::Ws(url) | Self::Sim(url) => url,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (place, path) = rest.split_at(end);
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        write!(f, "{scheme}://{place}{path}")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// The host of a URL, without the port, IPv6 without brackets; empty where there is none.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    match place.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        let read = |text: &str| text.parse::<Endpoint>();
        assert_eq!(read("/run/geth.ipc"), Ok(Endpoint::Ipc("/run/geth.ipc".into())));
        assert_eq!(read(r"\\.\pipe\geth.ipc"), Ok(Endpoint::Ipc(r"\\.\pipe\geth.ipc".into())));
        assert_eq!(read("http://127.0.0.1:8545"), Ok(Endpoint::Http("http://127.0.0.1:8545".into())));
        assert_eq!(read("ws://h"), Ok(Endpoint::Ws("ws://h".into())));
        assert_eq!(read("sim://127.0.0.1:4/a").unwrap().ws_url().unwrap(), "ws://127.0.0.1:4/a");
        for wrong in ["", "http://", "http://:8545", "ftp://h", "enode://00@h:1"] {
            assert!(matches!(read(wrong), Err(NodeError::Address { .. })), "{wrong}");
        }
    }

    #[test]
    fn shows_no_password() {
        let endpoint: Endpoint = "http://me:secret@127.0.0.1:8545/x@y".parse().unwrap();
        assert_eq!(endpoint.to_string(), "http://127.0.0.1:8545/x@y");
        assert!(!format!("{endpoint:?}").contains("secret"));
    }

    #[test]
    fn tells_this_machine_from_others() {
        let local = |text: &str| text.parse::<Endpoint>().unwrap().is_local();
        for text in ["/x", "http://localhost:1", "http://127.0.0.9", "ws://[::1]:8546/", "sim://127.0.0.1:4/a"] {
            assert!(local(text), "{text}");
        }
        for text in
            ["http://10.0.0.1:8545", "http://127.0.0.1@evil.example/", "ws://[2001:db8::1]:1", "ws://localhost.x"]
        {
            assert!(!local(text), "{text}");
        }
    }
}
