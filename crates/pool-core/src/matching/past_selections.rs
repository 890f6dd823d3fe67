use std::collections::BTreeMap;

use vipnode_types::{LeaseId, wire::Selection};

use crate::{
    Limits,
    collections::{address_block::AddressBlock, shared_queue::SharedQueue},
};

/// How hosts were selected, for a limited number of leases, which the address blocks of clients share.
#[derive(Debug)]
pub(crate) struct PastSelections {
    /// With the number in `order`.
    leases: BTreeMap<LeaseId, (u64, Selection)>,
    order: SharedQueue<LeaseId>,
}

impl PastSelections {
    pub(crate) const fn new() -> Self {
        Self { leases: BTreeMap::new(), order: SharedQueue::new() }
    }

    /// Remembers how the host of a new lease was selected, for a client in a block.
    pub(crate) fn remember(&mut self, lease: LeaseId, selection: Selection, block: AddressBlock, limits: &Limits) {
        let most = limits.explained_leases;
        if most == 0 {
            return;
        }
        let (number, lost) = self.order.push(block, lease, most, limits);
        self.leases.insert(lease, (number, selection));
        if let Some(lost) = lost {
            self.leases.remove(&lost);
        }
    }

    pub(crate) fn forget(&mut self, lease: LeaseId) {
        if let Some((number, _)) = self.leases.remove(&lease) {
            self.order.remove(number);
        }
    }

    pub(crate) fn get(&self, lease: LeaseId) -> Option<Selection> {
        self.leases.get(&lease).map(|(_, selection)| *selection)
    }

    /// The remembered leases, for checks.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.leases.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::wire::Score;

    use super::*;

    fn selection() -> Selection {
        Selection { score: Score::default(), candidates: 1 }
    }

    #[test]
    fn a_block_that_has_many_leases_explained_pushes_out_nobody_elses() {
        let limits = Limits { explained_leases: 30, ..Limits::default() };
        let block = |text: &str| AddressBlock::of(text.parse().unwrap());
        let mut selections = PastSelections::new();
        selections.remember(LeaseId::new(1), selection(), block("9.9.9.9"), &limits);
        for lease in 100..200 {
            selections.remember(LeaseId::new(lease), selection(), block("8.8.8.8"), &limits);
        }
        assert!(selections.get(LeaseId::new(1)).is_some(), "the honest one");
        let leases: Vec<u64> = selections.leases().map(LeaseId::get).collect();
        assert_eq!(leases, [vec![1], (190..200).collect()].concat());
        (190..200).for_each(|lease| selections.forget(LeaseId::new(lease)));
        assert_eq!((selections.leases().count(), selections.order.len()), (1, 1));
        let none = Limits { explained_leases: 0, ..limits };
        selections.remember(LeaseId::new(2), selection(), block("9.9.9.9"), &none);
        assert_eq!(selections.get(LeaseId::new(2)), None);
    }
}
