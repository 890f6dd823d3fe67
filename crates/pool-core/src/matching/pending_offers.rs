use std::{collections::BTreeMap, net::IpAddr};

use crate::collections::address_block::AddressBlock;

/// Counts of leases not yet seen by both sides, by their clients' address blocks, so that one operator cannot hold the
/// free slots of all hosts without ever connecting.
#[derive(Debug, Default)]
pub(crate) struct PendingOffers {
    blocks: BTreeMap<AddressBlock, u32>,
    len: u32,
}

impl PendingOffers {
    pub(crate) fn add(&mut self, address: Option<IpAddr>) {
        self.len = self.len.saturating_add(1);
        if let Some(address) = address {
            let count = self.blocks.entry(AddressBlock::of(address)).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn sub(&mut self, address: Option<IpAddr>) {
        self.len = self.len.saturating_sub(1);
        let Some(block) = address.map(AddressBlock::of) else { return };
        if let Some(count) = self.blocks.get_mut(&block) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.blocks.remove(&block);
            }
        }
    }

    pub(crate) fn of(&self, address: Option<IpAddr>) -> u32 {
        address.and_then(|ip| self.blocks.get(&AddressBlock::of(ip))).copied().unwrap_or(0)
    }

    /// The total.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// The sum over all blocks, for checks.
    pub(crate) fn in_blocks(&self) -> u64 {
        self.blocks.values().fold(0, |sum, count| sum.saturating_add(u64::from(*count)))
    }
}
