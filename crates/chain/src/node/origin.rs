use vipnode_types::{RpcUrl, sanitize};

/// The URL of a node without what may be secret: providers put API keys into the path or the query.
#[derive(Debug, Clone)]
pub(super) struct NodeOrigin {
    shown: String,
    /// What must not appear in a message.
    secrets: Vec<String>,
}

/// Characters kept of a message about a node.
const MESSAGE_CHARS: usize = 300;

impl NodeOrigin {
    pub(super) fn of(url: &RpcUrl) -> Self {
        let host = if url.host().contains(':') { format!("[{}]", url.host()) } else { url.host().to_owned() };
        let shown = format!("{}://{host}:{}", url.scheme(), url.port());
        let parsed = url.url();
        let mut secrets = vec![url.as_str().to_owned(), parsed.as_str().to_owned()];
        let path = parsed.path().trim_matches('/');
        secrets.extend(parsed.query().filter(|query| !query.is_empty()).map(str::to_owned));
        // Each part of the path too, since a provider may quote the key alone. Short ones are words such as "v3".
        let parts = std::iter::once(path).chain(path.split('/'));
        secrets.extend(parts.filter(|part| part.len() >= 8).map(str::to_owned));
        Self { shown, secrets }
    }

    /// Scheme, host, and port.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// A message from or about the node, fit to be printed.
    pub(super) fn hidden(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for (index, secret) in self.secrets.iter().enumerate() {
            // The first two are the whole URL.
            message = message.replace(secret.as_str(), if index < 2 { &self.shown } else { "…" });
        }
        sanitize(&message, MESSAGE_CHARS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_path_or_the_query_is_not_shown() {
        let url: RpcUrl = "https://mainnet.example/v3/0123456789abcdef?token=hush".parse().unwrap();
        let origin = NodeOrigin::of(&url);
        assert_eq!(origin.shown(), "https://mainnet.example:443");
        for (message, shown) in [
            (
                "cannot reach https://mainnet.example/v3/0123456789abcdef?token=hush: refused",
                "cannot reach https://mainnet.example:443: refused",
            ),
            ("project 0123456789abcdef is over its limit", "project … is over its limit"),
            ("see https://other.example/v3/0123456789abcdef", "see https://other.example/…"),
            ("token=hush\x1b[2J", "… [2J"),
        ] {
            assert_eq!(origin.hidden(message), shown);
        }
        let plain = NodeOrigin::of(&"http://[::1]:8545".parse().unwrap());
        assert_eq!((plain.shown(), &*plain.hidden("a/b")), ("http://[::1]:8545", "a/b"));
    }
}
