use std::{cmp::Ordering, fmt, str::FromStr};

use crate::{Hash256, errors, keccak256, text_form::serde_as_text};

/// The ID of a node: its secp256k1 public key without the leading `04`, 64 bytes.
///
/// On the wire it is exactly 128 lowercase hex characters without a prefix: an alias would be a second node (fault D10,
/// docs/faults.md).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId([u8; 64]);

errors! {
    /// Why a text is not a [`NodeId`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum NodeIdError {
        /// A part of the node ID is missing, or the text is not a node ID.
        Length {
            /// How many characters it has.
            characters: usize,
        }: local,
            "a node ID has 128 hex characters; this text has {characters}",
            hint "Copy the 128 characters between enode:// and @ of the node's enode.";
        /// The text has uppercase letters, the prefix `0x`, or other characters that a node ID does not have.
        Character: local, "a node ID has only the characters 0-9 and a-f",
            hint "Write a node ID in lowercase hex without 0x.";
    }
}

impl NodeId {
    /// Wraps the 64 bytes of a public key. Only checking a signature shows whether they are a point on the curve.
    #[must_use]
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The first 12 hex characters, for people.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = const_hex::encode(self.0);
        text.truncate(12);
        text
    }

    /// keccak256 of the key: what geth, reth and Nethermind call `id` in `admin_peers`.
    #[must_use]
    pub fn devp2p_hash(&self) -> Hash256 {
        keccak256(self.0)
    }
}

impl FromStr for NodeId {
    type Err = NodeIdError;

    fn from_str(text: &str) -> Result<Self, NodeIdError> {
        if text.len() != 128 {
            return Err(NodeIdError::Length { characters: text.chars().count() });
        }
        if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NodeIdError::Character);
        }
        let mut bytes = [0; 64];
        const_hex::decode_to_slice(text, &mut bytes).map_err(|_| NodeIdError::Character)?;
        Ok(Self(bytes))
    }
}

/// In the order of their hex. IDs are practically random, so the first bytes nearly always decide.
impl Ord for NodeId {
    fn cmp(&self, other: &Self) -> Ordering {
        let begin = |id: &Self| id.0.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        begin(self).cmp(&begin(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for NodeId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(const_hex::Buffer::<64>::new().format(&self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({}…)", self.short())
    }
}

serde_as_text!(NodeId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_hex() {
        let id = |at: usize, byte: u8| {
            let mut bytes = [7; 64];
            bytes[at] = byte;
            NodeId::new(bytes)
        };
        let ids = [id(0, 1), id(7, 9), id(8, 6), id(63, 8), id(63, 7), id(0, 200), id(1, 0)];
        for (a, b) in ids.iter().flat_map(|a| ids.iter().map(move |b| (a, b))) {
            assert_eq!(a.cmp(b), a.to_string().cmp(&b.to_string()));
        }
    }

    #[test]
    fn d10_an_alias_is_not_a_second_node() {
        let id = "ab".repeat(64);
        assert_eq!(id.parse::<NodeId>().unwrap().to_string(), id);
        assert_eq!(id.to_uppercase().parse::<NodeId>(), Err(NodeIdError::Character));
        assert_eq!(format!("0x{id}").parse::<NodeId>(), Err(NodeIdError::Length { characters: 130 }));
        assert_eq!(format!("0x{}", &id[2..]).parse::<NodeId>(), Err(NodeIdError::Character));
        assert_eq!("é".repeat(64).parse::<NodeId>(), Err(NodeIdError::Character));
    }

    #[test]
    fn short_is_the_head_of_the_key() {
        assert_eq!(NodeId::new([0x1f; 64]).short(), "1f1f1f1f1f1f");
    }
}
