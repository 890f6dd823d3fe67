use std::str::FromStr;

use vipnode_pool::{BanTarget, BanTargetError};
use vipnode_types::{NodeId, typed_text};

/// A target as an operator types it: a whole one, or the beginning of an ID, as pages and notices show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypedTarget {
    /// A node, an agent, or a network.
    Whole(BanTarget),
    /// A node or an agent whose ID begins like this, in lower case.
    Begins(String),
}

/// The shortest beginning of an ID. Pages show 12 characters.
const LEAST: usize = 8;
/// A whole node ID.
const MOST: usize = 128;

impl TypedTarget {
    /// Parses a node ID, whole or not.
    pub(super) fn node(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(target @ (Self::Whole(BanTarget::Node(_)) | Self::Begins(_))) => Ok(target),
            _ if text.len() < LEAST && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Err(format!("type at least {LEAST} characters of the node's ID"))
            }
            _ => NodeId::typed(text).map(|node| Self::Whole(BanTarget::Node(node))).map_err(|error| error.to_string()),
        }
    }
}

impl FromStr for TypedTarget {
    type Err = BanTargetError;

    fn from_str(text: &str) -> Result<Self, BanTargetError> {
        let whole = text.parse::<BanTarget>();
        let typed = typed_text(text).trim_start_matches("0x").trim_end_matches('…').to_ascii_lowercase();
        let is_beginning = (LEAST..MOST).contains(&typed.len()) && typed.bytes().all(|b| b.is_ascii_hexdigit());
        match whole {
            Err(_) if is_beginning => Ok(Self::Begins(typed)),
            whole => whole.map(Self::Whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_an_id_is_a_target_too() {
        let node = "0a".repeat(64);
        let key = format!("02{}", "ab".repeat(32));
        for whole in [&*node, &key, "203.0.113.0/24", "2001:db8::7"] {
            assert_eq!(whole.parse(), whole.parse().map(TypedTarget::Whole), "{whole}");
        }
        for begins in ["0a0a0a0a", "0x0a0a0a0a", "0A0A0A0A", "0a0a0a0a…"] {
            assert_eq!(begins.parse(), Ok(TypedTarget::Begins("0a0a0a0a".to_owned())), "{begins}");
        }
        assert_eq!("0a0a0a0a0a0a".parse(), Ok(TypedTarget::Begins("0a".repeat(6))), "as pages show it");
        for bad in ["0a0a0a0", "pool.example", &format!("{node}0")] {
            assert!(bad.parse::<TypedTarget>().is_err(), "{bad}");
        }
        assert!(TypedTarget::node("203.0.113.7").is_err() && TypedTarget::node(&key).is_err());
        assert!(TypedTarget::node("d244").unwrap_err().contains("at least 8 characters"));
        assert!(TypedTarget::node("0a0a0a0a").is_ok() && TypedTarget::node(&node).is_ok());
    }
}
