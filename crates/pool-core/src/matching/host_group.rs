use crate::{
    agents::node::Node,
    collections::address_block::{AddressBlock, WideBlock},
};

/// Hosts whose free slots count together: those of a wide address block (/16, /32) that report at once, or those of it that report
/// with their updates only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostGroup {
    pub(crate) wide: WideBlock,
    /// Whether they report with their updates only.
    pub(crate) late: bool,
}

impl HostGroup {
    /// The hosts that a host counts with. Hosts whose address is unknown count together.
    pub(crate) fn of(host: &Node) -> Self {
        let block = host.address().map_or(AddressBlock::ALL, AddressBlock::of);
        Self { wide: block.wide(), late: !host.dialect().reports_at_once() }
    }
}
