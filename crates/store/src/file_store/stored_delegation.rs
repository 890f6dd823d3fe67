use serde::{Deserialize, Serialize};
use vipnode_pool_core::{AddressBlock, DelegationRow};
use vipnode_types::{Ms, NodeId};

/// A [`DelegationRow`] as a line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredDelegation {
    node: NodeId,
    issued_ms: Ms,
    block: u64,
}

impl From<&DelegationRow> for StoredDelegation {
    fn from(row: &DelegationRow) -> Self {
        let DelegationRow { id, issued, block } = row;
        Self { node: *id, issued_ms: *issued, block: block.to_bits() }
    }
}

impl From<StoredDelegation> for DelegationRow {
    fn from(stored: StoredDelegation) -> Self {
        let StoredDelegation { node, issued_ms, block } = stored;
        Self { id: node, issued: issued_ms, block: AddressBlock::from_bits(block) }
    }
}
