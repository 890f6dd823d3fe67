use crate::{NodeId, text_form::hex_bytes};

/// The first 6 bytes of a node ID, 12 hex characters: what [`NodeId::short`] shows to people.
///
/// ```
/// use vipnode_types::{NodeId, ShortNodeId};
///
/// let node = NodeId::new([0x1f; 64]);
/// assert_eq!(ShortNodeId::of(&node).to_string(), node.short());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortNodeId([u8; 6]);

hex_bytes!(ShortNodeId, 6, "the beginning of a node ID");

impl ShortNodeId {
    /// The beginning of this ID.
    #[must_use]
    pub fn of(id: &NodeId) -> Self {
        Self(id.as_bytes().first_chunk().copied().unwrap_or_default())
    }
}
