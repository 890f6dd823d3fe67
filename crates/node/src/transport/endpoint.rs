use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use vipnode_types::{RpcUrl, hide_url_credentials, hide_url_path, typed_text};

use super::{NodeAccess, RpcTransport, Transport};
use crate::NodeError;

/// The address at which a node accepts calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A local socket, or a Windows named pipe.
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
    pub fn transport(&self, access: &NodeAccess) -> Result<Arc<dyn Transport>, NodeError> {
        Ok(Arc::new(RpcTransport::new(self.clone(), access)?))
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
        let text = typed_text(text);
        let wrong = |why: &str| NodeError::Address { text: hide_url_credentials(text), why: why.to_owned() };
        let file = file_path(text);
        let Some((scheme, rest)) = text.split_once("://").filter(|_| file.is_none()) else {
            let path = file.unwrap_or(text);
            if path.is_empty() {
                return Err(wrong("it is empty"));
            }
            if names_a_user(path) {
                return Err(wrong(USER));
            }
            if let Some(url) = http_url(path).filter(|_| file.is_none()) {
                return Ok(Self::Http(url));
            }
            let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
            return socket_path(path, home).map(Self::Ipc).ok_or_else(|| wrong(NO_HOME));
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host_of(text).is_empty() || rest.starts_with(':') {
            return Err(wrong("the host is missing"));
        }
        let scheme = scheme.to_ascii_lowercase();
        if authority.contains('@') && scheme != "enode" {
            return Err(wrong(USER));
        }
        let text = format!("{scheme}://{rest}");
        match scheme.as_str() {
            "http" | "https" | "ws" | "wss" => match text.parse::<RpcUrl>() {
                Ok(url) if url.is_websocket() => Ok(Self::Ws(text)),
                Ok(_) => Ok(Self::Http(text)),
                Err(error) => Err(wrong(&error.to_string())),
            },
            "sim" => Ok(Self::Sim(text)),
            "enode" | "enr" => Err(wrong("an enode is the address for other nodes to dial, not an RPC address")),
            _ => Err(wrong("only http, https, ws, wss and the path of an IPC file are known")),
        }
    }
}

const USER: &str = "a user name or password in the address is not supported; remove it and the @";

const NO_HOME: &str = "the home directory (~) is not known, because HOME is not set; set it, or pass an absolute path";

/// Whether a text without a scheme has a user name in front of a host. The `@` in a path is one of a file that exists, or
/// of a path that is written as one.
fn names_a_user(text: &str) -> bool {
    let written_as_path = text.starts_with(['/', '.', '~', '\\']) || Path::new(text).is_absolute();
    text.contains('@') && !written_as_path && !Path::new(text).exists()
}

/// Without the path of a URL, in which providers have keys: see [`hide_url_path`].
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipc(path) => path.display().fmt(f),
            Self::Http(url) | Self::Ws(url) | Self::Sim(url) => f.write_str(&hide_url_path(url)),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// The path in `ipc:/run/geth.ipc` or `file:///run/geth.ipc`.
fn file_path(text: &str) -> Option<&str> {
    let (scheme, path) = text.split_once(':')?;
    let is_of_file = ["ipc", "file"].iter().any(|file| scheme.eq_ignore_ascii_case(file));
    is_of_file.then(|| path.strip_prefix("//").unwrap_or(path))
}

/// The port of execution clients for HTTP.
const HTTP_PORT: u16 = 8_545;

/// The URL for a text without a scheme that is `HOST:PORT`, an IP address, `localhost`, or a port of this machine. `None` for a
/// path, and for the name of a file that exists.
fn http_url(text: &str) -> Option<String> {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let (host, port) = match text.rsplit_once(':') {
        // Several colons without brackets are an IPv6 address.
        Some(_) if text.parse::<Ipv6Addr>().is_ok() => (format!("[{text}]"), HTTP_PORT.to_string()),
        Some(_) if text.starts_with('[') && text.ends_with(']') => (text.to_owned(), HTTP_PORT.to_string()),
        Some((host, port)) => (host.to_owned(), port.to_owned()),
        None if Path::new(text).exists() => return None,
        None if is_port(text) => ("127.0.0.1".to_owned(), text.to_owned()),
        None if text == "localhost" || text.parse::<Ipv4Addr>().is_ok() => (text.to_owned(), HTTP_PORT.to_string()),
        None => return None,
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let named = !host.is_empty() && host.bytes().all(is_name);
    ((bracketed || named) && is_port(&port)).then(|| format!("http://{host}:{port}"))
}

/// geth's socket in its data directory.
const GETH_SOCKET: &str = "geth.ipc";

/// The path of a socket: `~` is the user's directory, as a shell reads it, and a data directory stands for the socket in it.
/// `None` if that directory is not known.
fn socket_path(text: &str, home: Option<PathBuf>) -> Option<PathBuf> {
    let path = match Path::new(text).strip_prefix("~") {
        Ok(below) => home?.join(below),
        Err(_) => PathBuf::from(text),
    };
    Some(if path.is_dir() { path.join(GETH_SOCKET) } else { path })
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
        assert_eq!(read("HTTP://h:1"), Ok(Endpoint::Http("http://h:1".into())));
        assert_eq!(read("127.0.0.1:8545"), Ok(Endpoint::Http("http://127.0.0.1:8545".into())));
        assert_eq!(read("[::1]:8545"), Ok(Endpoint::Http("http://[::1]:8545".into())));
        for (text, url) in [
            ("localhost", "http://localhost:8545"),
            ("127.0.0.1", "http://127.0.0.1:8545"),
            ("::1", "http://[::1]:8545"),
            ("[::1]", "http://[::1]:8545"),
            ("8545", "http://127.0.0.1:8545"),
            ("\"http://h:1\"", "http://h:1"),
        ] {
            assert_eq!(read(text), Ok(Endpoint::Http(url.into())), "{text}");
        }
        for text in [
            "\"/x/geth.ipc\"",
            "'/x/geth.ipc'",
            "ipc:/x/geth.ipc",
            "file:/x/geth.ipc",
            "ipc:///x/geth.ipc",
            "FILE:///x/geth.ipc",
        ] {
            assert_eq!(read(text), Ok(Endpoint::Ipc("/x/geth.ipc".into())), "{text}");
        }
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path().to_str().unwrap()), Ok(Endpoint::Ipc(dir.path().join("geth.ipc"))));
        for wrong in [
            "",
            "ipc:",
            "ipc://me:secret@h",
            "http://",
            "http://:8545",
            "ftp://h",
            "enode://00@h:1",
            "http://me:secret@h",
        ] {
            assert!(matches!(read(wrong), Err(NodeError::Address { .. })), "{wrong}");
        }
    }

    #[test]
    fn a_path_below_an_unknown_home_directory_is_not_read() {
        assert_eq!(socket_path("~/geth.ipc", Some("/home/ana".into())), Some("/home/ana/geth.ipc".into()));
        assert_eq!((socket_path("~/geth.ipc", None), socket_path("~", None)), (None, None));
        assert_eq!(socket_path("/run/geth.ipc", None), Some("/run/geth.ipc".into()));
    }

    #[test]
    fn a_user_name_is_refused_and_the_at_of_a_path_is_not() {
        for text in [
            "me:secret@127.0.0.1:8545",
            "http://me:sec/ret@h",
            "http://me:sec#ret@h",
            "http://me:sec ret@h",
            "http:/me:secret@h",
            "ws//me:secret@h",
            "secret@h",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains("password") && !error.contains("sec") && !error.contains("ret@"), "{text}: {error}");
        }
        for path in ["/var/lib/geth@1/geth.ipc", "./geth@1/geth.ipc"] {
            assert_eq!(path.parse::<Endpoint>(), Ok(Endpoint::Ipc(path.into())));
        }
    }

    #[test]
    fn shows_no_password_and_no_key_of_a_provider() {
        for (text, shown) in
            [("https://h/v3/key@more", "https://h/…"), ("ws://127.0.0.1:8546/a@b", "ws://127.0.0.1:8546/…")]
        {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), shown);
        }
        let endpoint = Endpoint::Http("http://me:secret@127.0.0.1:8545/x/y".to_owned());
        assert_eq!(endpoint.to_string(), "http://…@127.0.0.1:8545/…");
        assert_eq!(Endpoint::Sim("sim://127.0.0.1:4/a".to_owned()).to_string(), "sim://127.0.0.1:4/a");
        let refused = "http://me:secret@127.0.0.1:8545".parse::<Endpoint>().unwrap_err().to_string();
        assert!(refused.contains("password") && !refused.contains("secret"), "{refused}");
        assert!(!format!("{endpoint:?}").contains("secret"));
    }

    #[test]
    fn distinguishes_this_machine_from_others() {
        let local = |text: &str| text.parse::<Endpoint>().unwrap().is_local();
        for text in ["/x", "http://localhost:1", "http://127.0.0.9", "ws://[::1]:8546/", "sim://127.0.0.1:4/a"] {
            assert!(local(text), "{text}");
        }
        for text in ["http://10.0.0.1:8545", "ws://[2001:db8::1]:1", "ws://localhost.x"] {
            assert!(!local(text), "{text}");
        }
        assert!(!Endpoint::Http("http://127.0.0.1@evil.example/".to_owned()).is_local());
    }
}
