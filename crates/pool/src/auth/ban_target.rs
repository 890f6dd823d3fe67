use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use vipnode_types::{AgentPublic, NodeId, errors, typed_text};

/// Whom a ban is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BanTarget {
    /// A node, by its ID.
    Node(NodeId),
    /// All nodes of an agent, by the agent's key.
    Agent(AgentPublic),
    /// All addresses of a network.
    Network(IpNet),
}

errors! {
    /// The text names nobody.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum BanTargetError {
        /// The text is not a valid ban target.
        Form {
            /// The text, shortened.
            text: String,
        }: InvalidParams, "\"{text}\" is not a node ID, an agent key, an address, or a network",
            hint "Pass a node ID (128 hex characters), an agent key (66 hex characters), an address, or a network such as \
                  203.0.113.0/24. `vipnode pool admin nodes` lists the nodes that are connected.";
    }
}

impl BanTarget {
    /// The network of `length` around an address; `None` if an address has fewer bits.
    pub(crate) fn network(ip: IpAddr, length: u8) -> Option<Self> {
        IpNet::new(ip, length).ok().map(|network| Self::Network(network.trunc()))
    }

    /// What it is, with its article, for the one that is banned.
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::Node(_) => "this node",
            Self::Agent(_) => "the key of this agent",
            Self::Network(_) => "this address",
        }
    }
}

impl fmt::Display for BanTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Agent(key) => key.fmt(f),
            Self::Network(network) if network.prefix_len() == network.max_prefix_len() => network.addr().fmt(f),
            Self::Network(network) => network.fmt(f),
        }
    }
}

impl FromStr for BanTarget {
    type Err = BanTargetError;

    fn from_str(text: &str) -> Result<Self, BanTargetError> {
        let text = typed_text(text);
        let form = || BanTargetError::Form { text: vipnode_types::sanitize(text, 64) };
        if let Ok(node) = NodeId::typed(text) {
            return Ok(Self::Node(node));
        }
        if let Ok(key) = text.parse::<AgentPublic>() {
            return Ok(Self::Agent(key));
        }
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| form())?;
        // An IPv4 address that is written as an IPv6 address is the same host.
        let canonical = network.addr().to_canonical();
        match (canonical.is_ipv4() && network.addr().is_ipv6(), network.prefix_len()) {
            (false, length) => Self::network(canonical, length),
            (true, length) => length.checked_sub(96).and_then(|length| Self::network(canonical, length)),
        }
        .ok_or_else(form)
    }
}

impl TryFrom<String> for BanTarget {
    type Error = BanTargetError;

    fn try_from(text: String) -> Result<Self, BanTargetError> {
        text.parse()
    }
}

impl From<BanTarget> for String {
    fn from(target: BanTarget) -> Self {
        target.to_string()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for BanTarget {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BanTarget".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "The target of a ban: a node ID, an agent key, an address, or a network such as 203.0.113.0/24.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_and_printed_as_itself() {
        let (node, key) = ("0a".repeat(64), format!("02{}", "ab".repeat(32)));
        for text in [&*node, &key, "203.0.113.0/24", "2001:db8::/32", "203.0.113.7", "2001:db8::7"] {
            let target: BanTarget = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
            let json = serde_json::to_string(&target).unwrap();
            assert_eq!(serde_json::from_str::<BanTarget>(&json).unwrap(), target);
        }
        let same = |a: &str, b: &str| assert_eq!(a.parse::<BanTarget>(), b.parse::<BanTarget>(), "{a} {b}");
        same("203.0.113.7/24", "203.0.113.0/24");
        same("::ffff:203.0.113.7", "203.0.113.7");
        same("::ffff:203.0.113.0/120", "203.0.113.0/24");
        for bad in ["", "abc", "203.0.113.0/33", "pool.example", "::ffff:1.2.3.4/8", &node[1..]] {
            assert!(bad.parse::<BanTarget>().is_err(), "{bad}");
        }
    }
}
