use std::collections::BTreeMap;

use crate::{
    agents::node_class::NodeClass, collections::address_block::AddressBlock, matching::hosts_by_block::HostsByBlock,
};

/// The hosts with free slots of one chain, by class.
///
/// A class is numbered when its first host comes, and again when it has none and another one comes. So a search that
/// checked every class knows later that it has to check those with higher numbers only.
#[derive(Debug, Default)]
pub(crate) struct HostClasses {
    classes: BTreeMap<NodeClass, HostClass>,
    numbers: BTreeMap<u64, NodeClass>,
    next: u64,
}

#[derive(Debug)]
struct HostClass {
    number: u64,
    hosts: HostsByBlock,
}

impl HostClasses {
    /// The number of the next new class.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// The classes from a number on, each with its number and its hosts.
    pub(crate) fn starting_at(&self, number: u64) -> impl Iterator<Item = (u64, NodeClass, &HostsByBlock)> {
        let of = |class: &NodeClass| self.classes.get(class).map(|found| &found.hosts);
        self.numbers.range(number..).filter_map(move |(number, class)| Some((*number, *class, of(class)?)))
    }

    /// Adds a host; returns its position in its block of its class.
    pub(crate) fn insert(&mut self, block: AddressBlock, class: NodeClass, host: u32) -> u32 {
        let Self { classes, numbers, next } = self;
        let found = classes.entry(class).or_insert_with(|| {
            let number = *next;
            *next = number.saturating_add(1);
            numbers.insert(number, class);
            HostClass { number, hosts: HostsByBlock::default() }
        });
        found.hosts.insert(block, host)
    }

    /// Removes a host; returns the one that was moved to its position, if one was.
    pub(crate) fn remove(&mut self, block: AddressBlock, class: NodeClass, position: u32) -> Option<u32> {
        let found = self.classes.get_mut(&class)?;
        let moved = found.hosts.remove(block, position);
        if found.hosts.is_empty() {
            self.numbers.remove(&found.number);
            self.classes.remove(&class);
        }
        moved
    }

    /// The host at a position of a block of a class, for checks.
    pub(crate) fn at(&self, block: AddressBlock, class: NodeClass, position: u32) -> Option<u32> {
        self.classes.get(&class)?.hosts.at(block, position)
    }
}
