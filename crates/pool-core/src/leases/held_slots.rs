use std::collections::BTreeMap;

use vipnode_types::{LeaseId, Ms};

use crate::leases::{Leases, calls_in_flight::Eviction};

/// Held slots of one host.
#[derive(Debug, Default)]
pub(in crate::leases) struct HeldSlots {
    count: u16,
    /// How many connections of the host ended, wrapping. A slot that was held on an earlier one is not counted.
    connection: u16,
}

/// A slot that a host's node may still serve although no admitted lease takes it.
///
/// An admit and an eviction hold a slot while they are in flight, and an eviction that the host refused holds it until it
/// is sent again. The pool does not give such a slot away: the host would refuse the next client for want of a slot, and
/// clients that leave whatever they get would keep a host from everybody else. With the host's connection all its held
/// slots end, because an agent that reconnects gets the list of its leases and undoes the rest by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldSlot {
    host: u32,
    /// Number of the host's connection.
    connection: u16,
}

/// Slots that are held for some time, with what follows.
#[derive(Debug, Default)]
pub(crate) struct TimedSlots {
    last: u64,
    slots: BTreeMap<(Ms, u64), TimedSlot>,
}

/// A slot that is held for some time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimedSlot {
    pub(crate) slot: HeldSlot,
    /// The eviction that is then sent again; `None` if the slot just becomes free.
    pub(crate) eviction: Option<(LeaseId, Eviction)>,
}

impl HeldSlot {
    /// Index of the host.
    pub(crate) const fn host(self) -> u32 {
        self.host
    }
}

impl Leases {
    /// Holds a slot of a host until [`Self::free_slot`] or the end of the host's connection.
    pub(crate) fn hold_slot(&mut self, host: u32) -> Option<HeldSlot> {
        let held = &mut self.nodes.get_mut(host)?.held;
        held.count = held.count.saturating_add(1);
        Some(HeldSlot { host, connection: held.connection })
    }

    /// Holds a slot until `until`. Then it becomes free, or the eviction is sent again.
    pub(crate) fn hold_slot_until(&mut self, host: u32, until: Ms, eviction: Option<(LeaseId, Eviction)>) {
        let Some(slot) = self.hold_slot(host) else { return };
        let number = self.timed_slots.last.saturating_add(1);
        self.timed_slots.last = number;
        self.timed_slots.slots.insert((until, number), TimedSlot { slot, eviction });
    }

    /// Frees a slot; false if it ended with the host's connection.
    pub(crate) fn free_slot(&mut self, slot: HeldSlot) -> bool {
        let Some(node) = self.nodes.get_mut(slot.host) else { return false };
        let held = &mut node.held;
        let counted = held.connection == slot.connection;
        held.count = held.count.saturating_sub(u16::from(counted));
        counted
    }

    /// Frees every held slot of a host whose connection ended.
    pub(crate) fn free_held_slots(&mut self, host: u32) {
        if let Some(node) = self.nodes.get_mut(host) {
            node.held = HeldSlots { count: 0, connection: node.held.connection.wrapping_add(1) };
        }
    }

    /// Removes a slot whose time has come; the caller frees it.
    pub(crate) fn pop_timed_slot(&mut self, now: Ms) -> Option<TimedSlot> {
        let first = self.timed_slots.slots.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// When the first of the timed slots is due.
    pub(crate) fn next_timed_slot(&self) -> Option<Ms> {
        self.timed_slots.slots.first_key_value().map(|((until, _), _)| *until)
    }

    /// The number of timed slots, those of earlier connections included.
    pub(crate) fn timed_slots(&self) -> usize {
        self.timed_slots.slots.len()
    }

    /// The slots of a host that are taken: by leases that it admitted, and held ones.
    pub(crate) fn taken_slots(&self, host: u32) -> u32 {
        let node = self.nodes.get(host);
        u32::from(node.host_count.saturating_sub(node.host_admitting)).saturating_add(node.held.count.into())
    }

    /// The number of held slots of a host, for checks.
    pub(crate) fn held_slots(&self, host: u32) -> u32 {
        self.nodes.get(host).held.count.into()
    }

    /// How many slots are held on each host's present connection, counted one by one, for checks.
    pub(crate) fn counted_held_slots(&self) -> BTreeMap<u32, u32> {
        let timed = self.timed_slots.slots.values().map(|timed| timed.slot);
        let mut held = BTreeMap::new();
        for slot in self.slots_of_calls().chain(timed) {
            if self.nodes.get(slot.host).held.connection == slot.connection {
                let count: &mut u32 = held.entry(slot.host).or_default();
                *count = count.saturating_add(1);
            }
        }
        held
    }
}
