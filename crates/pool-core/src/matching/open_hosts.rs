use std::collections::BTreeMap;

use crate::{
    Limits,
    agents::{
        node::Node,
        node_class::{LastingClass, NodeClass},
    },
    collections::{address_block::AddressBlock, slab::NIL},
    matching::{
        Context, Matching, NodeMatching,
        compatibility::Incompatibilities,
        failed_searches::{FailedSearch, FailedSearches},
        host_classes::HostClasses,
        host_group::HostGroup,
        hosts_by_block::HostsByBlock,
    },
};

/// Hosts with free slots, by chain, and all connected hosts.
#[derive(Debug, Default)]
pub(crate) struct OpenHosts {
    open: BTreeMap<u32, ChainHosts>,
    connected: Vec<u32>,
    /// The number of connected clients.
    clients: u64,
}

/// The hosts of one chain with free slots.
#[derive(Debug, Default)]
pub(crate) struct ChainHosts {
    pub(crate) groups: HostsByBlock,
    pub(crate) classes: HostClasses,
    failed: FailedSearches,
    /// How many of them clients were connected with.
    pub(crate) known: usize,
    pub(crate) free: u64,
    /// The free slots that clients in two wide blocks used before; what a host only claims does not count.
    pub(crate) shown: u64,
    /// Those of the hosts in each wide block; none for zero.
    pub(crate) shown_of: BTreeMap<HostGroup, u64>,
    /// Of both, those of hosts that report with their updates only.
    pub(crate) late: [u64; 2],
}

impl ChainHosts {
    /// Why no host is compatible with a class of clients, where searches found that.
    pub(crate) fn failed_before(&self, class: LastingClass) -> Option<&Incompatibilities> {
        let failed = self.failed.get(class).filter(|failed| failed.checked >= self.classes.next());
        failed.map(|failed| &failed.why)
    }

    /// Counts the slots of a host, as listed before and after a change, if it reports with its updates only.
    fn count_late(&mut self, [before, after]: [(bool, [u32; 2]); 2]) {
        let counted = |(late, slots): (bool, [u32; 2])| if late { slots.map(u64::from) } else { [0; 2] };
        for (sum, (less, more)) in self.late.iter_mut().zip(counted(before).into_iter().zip(counted(after))) {
            *sum = sum.saturating_sub(less).saturating_add(more);
        }
    }

    /// Counts the slots of a host that were used before, as listed before and after a change.
    fn count_shown(&mut self, [before, after]: [(HostGroup, u32); 2]) {
        self.shown = self.shown.saturating_sub(before.1.into()).saturating_add(after.1.into());
        if before == after {
            return;
        }
        let sum = self.shown_of.entry(after.0).or_default();
        *sum = sum.saturating_add(after.1.into());
        let sum = self.shown_of.entry(before.0).or_default();
        *sum = sum.saturating_sub(before.1.into());
        for group in [before.0, after.0] {
            if self.shown_of.get(&group) == Some(&0) {
                self.shown_of.remove(&group);
            }
        }
    }

    /// How far searches for a class of clients came.
    pub(crate) fn checked_before(&self, class: LastingClass) -> FailedSearch {
        self.failed.get(class).cloned().unwrap_or_default()
    }
}

impl OpenHosts {
    pub(crate) fn of(&self, chain: u32) -> Option<&ChainHosts> {
        self.open.get(&chain)
    }

    /// The free slots on a chain.
    pub(crate) fn free(&self, chain: u32) -> u64 {
        self.open.get(&chain).map_or(0, |open| open.free)
    }

    /// The free slots on a chain that clients in two wide blocks used before.
    fn shown(&self, chain: u32) -> u64 {
        self.open.get(&chain).map_or(0, |open| open.shown)
    }

    /// As [`Self::shown`], those of the hosts in one wide block.
    fn shown_of(&self, hosts: HostGroup, chain: u32) -> u64 {
        self.open.get(&chain).and_then(|open| open.shown_of.get(&hosts)).copied().unwrap_or(0)
    }

    /// As [`Self::free`] and [`Self::shown`], those of hosts that report with their updates only.
    fn late(&self, chain: u32) -> [u64; 2] {
        self.open.get(&chain).map_or([0; 2], |open| open.late)
    }

    /// The free slots in total.
    pub(crate) fn all_free(&self) -> u64 {
        self.open.values().fold(0, |sum, open| sum.saturating_add(open.free))
    }

    /// Forgets which hosts have free slots.
    pub(crate) fn clear_open(&mut self) {
        self.open.clear();
    }

    /// Connected hosts, in no particular order.
    pub(crate) fn connected(&self) -> &[u32] {
        &self.connected
    }

    /// The number of connected clients.
    pub(crate) const fn clients(&self) -> u64 {
        self.clients
    }

    /// Remembers how far a search on a chain came for a class of clients, which a client in a block has.
    pub(crate) fn remember_failure(
        &mut self,
        chain: u32,
        class: LastingClass,
        search: FailedSearch,
        block: AddressBlock,
        limits: &Limits,
    ) {
        if let Some(open) = self.open.get_mut(&chain) {
            open.failed.remember(class, search, block, limits);
        }
    }

    /// Chains that have open hosts, for checks.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (u32, &ChainHosts)> {
        self.open.iter().map(|(chain, open)| (*chain, open))
    }
}

impl Matching {
    /// Hosts with free slots, and connected ones.
    pub(crate) const fn open_hosts(&self) -> &OpenHosts {
        &self.open_hosts
    }

    /// The free slots for the clients of a chain: on it, and on the one that is joined with it.
    pub(crate) fn free_on(&self, chain: u32, context: Context<'_>) -> u64 {
        let joined = context.joined_chain(chain).map_or(0, |joined| self.open_hosts.free(joined));
        self.open_hosts.free(chain).saturating_add(joined)
    }

    /// Whether clients were connected with any of the hosts with free slots for the clients of a chain.
    pub(in crate::matching) fn knows_hosts_on(&self, chain: u32, context: Context<'_>) -> bool {
        let chains = [Some(chain), context.joined_chain(chain)];
        chains.into_iter().flatten().filter_map(|chain| self.open_hosts.of(chain)).any(|open| open.known > 0)
    }

    /// As [`Self::free_on`], only those that clients in two wide blocks used before. While no host has served a client, so many
    /// others count that a block that is alone may have all further offers of one client: a new pool works.
    pub(in crate::matching) fn shown_on(&self, chain: u32, context: Context<'_>) -> u64 {
        let joined = context.joined_chain(chain).map_or(0, |joined| self.open_hosts.shown(joined));
        let shown = self.open_hosts.shown(chain).saturating_add(joined);
        self.shown_or_claimed(chain, [self.free_on(chain, context), shown], context)
    }

    /// The free slots of the hosts in a wide block that clients in two other wide blocks used before, for the clients of a chain.
    pub(in crate::matching) fn shown_in(&self, hosts: HostGroup, chain: u32, context: Context<'_>) -> u64 {
        let joined = context.joined_chain(chain).map_or(0, |joined| self.open_hosts.shown_of(hosts, joined));
        self.open_hosts.shown_of(hosts, chain).saturating_add(joined)
    }

    /// As [`Self::shown_on`], only those of hosts that report with their updates only.
    pub(in crate::matching) fn late_shown_on(&self, chain: u32, context: Context<'_>) -> u64 {
        let joined = context.joined_chain(chain).map_or([0; 2], |joined| self.open_hosts.late(joined));
        let [free, shown] = self.open_hosts.late(chain);
        let late = [free.saturating_add(joined[0]), shown.saturating_add(joined[1])];
        self.shown_or_claimed(chain, late, context)
    }

    fn shown_or_claimed(&self, chain: u32, [free, shown]: [u64; 2], context: Context<'_>) -> u64 {
        let of_a_client = u64::from(context.limits.extra_offers).saturating_add(1);
        if self.knows_hosts_on(chain, context) { shown } else { free.min(of_a_client.saturating_mul(2)) }
    }

    /// The free slots of a host that clients in two wide blocks used before. Those that are taken now are the first of them.
    pub(crate) fn shown_slots(&self, host: u32, context: Context<'_>) -> u32 {
        let shown = self.nodes.get(host).paired.most().saturating_sub(context.leases.taken_slots(host));
        shown.min(self.free_slots(host, context))
    }

    /// The slots of a host that can be offered now.
    pub(crate) fn free_slots(&self, host: u32, context: Context<'_>) -> u32 {
        if self.is_backing_off(host) {
            return 0;
        }
        let open = context.agents.get(host).map_or(0, Node::open_slots);
        open.saturating_sub(context.leases.taken_slots(host))
    }

    /// Updates a host's position among those with free slots.
    pub(crate) fn refresh_open_hosts(&mut self, index: u32, context: Context<'_>) {
        let Some(node) = context.agents.get(index) else { return };
        let (chain, free) = (node.chain(), self.free_slots(index, context));
        let shown = self.shown_slots(index, context);
        let (block, class) = (self.block_of(node), NodeClass::of(node));
        let NodeMatching {
            open_free: before,
            open_shown,
            open_late: was_late,
            open_position: at,
            class_position: in_class,
            open_class: old_class,
            ..
        } = *self.nodes.get(index);
        let shown_before = u32::from(open_shown);
        let stays = at != NIL && free > 0 && class == old_class;
        let was_known = at != NIL && self.nodes.get(index).open_has_served;
        let known = free > 0 && self.has_served(index, context);
        let was_dry = self.open_hosts.free(chain) == 0;
        let late = free > 0 && !node.dialect().reports_at_once();
        let open = self.open_hosts.open.entry(chain).or_default();
        open.count_late([(was_late, [before, shown_before]), (late, [free, shown])]);
        open.free = open.free.saturating_sub(u64::from(before)).saturating_add(u64::from(free));
        let group = |late, shown| (HostGroup { wide: block.wide(), late }, shown);
        open.count_shown([group(was_late, shown_before), group(late, shown)]);
        open.known = open.known.saturating_add(usize::from(known)).saturating_sub(usize::from(was_known));
        let (mut moved, mut moved_in_class) = (None, None);
        let (mut new, mut new_in_class) = if stays { (at, in_class) } else { (NIL, NIL) };
        if !stays && at != NIL {
            moved = open.groups.remove(block, at);
            moved_in_class = open.classes.remove(block, old_class, in_class);
        }
        if !stays && free > 0 {
            new = open.groups.insert(block, index);
            new_in_class = open.classes.insert(block, class, index);
        }
        if open.groups.is_empty() {
            self.open_hosts.open.remove(&chain);
        }
        if let Some(moved) = moved.and_then(|moved| self.nodes.get_mut(moved)) {
            moved.open_position = at;
        }
        if let Some(moved) = moved_in_class.and_then(|moved| self.nodes.get_mut(moved)) {
            moved.class_position = in_class;
        }
        if let Some(entry) = self.nodes.get_mut(index) {
            (entry.open_free, entry.open_position, entry.open_class) = (free, new, class);
            (entry.class_position, entry.open_has_served) = (new_in_class, known);
            // At most as many as were paired, which are counted in 16 bits.
            entry.open_shown = u16::try_from(shown).unwrap_or(u16::MAX);
            entry.open_late = late;
        }
        if was_dry && free > 0 {
            self.serve_soon(context.now);
        }
        if at == NIL && free > 0 {
            self.host_opened(index, context);
        }
    }

    /// Updates the count of connected clients and the list of connected hosts for a node.
    pub(crate) fn refresh_connected(&mut self, index: u32, context: Context<'_>) {
        let Some(node) = context.agents.get(index) else { return };
        let (hosts, counts) =
            (node.is_host() && node.is_connected(), node.counts_as_client_now() && node.is_connected());
        let Some(entry) = self.nodes.get_mut(index) else { return };
        let counted = std::mem::replace(&mut entry.counted_client, counts);
        let at = entry.host_position;
        let clients = &mut self.open_hosts.clients;
        *clients = clients.saturating_add(u64::from(counts)).saturating_sub(u64::from(counted));
        if hosts && at == NIL {
            entry.host_position = position(self.open_hosts.connected.len());
            self.open_hosts.connected.push(index);
        } else if !hosts && at != NIL {
            entry.host_position = NIL;
            if let Some(moved) = take_out(&mut self.open_hosts.connected, at)
                && let Some(moved) = self.nodes.get_mut(moved)
            {
                moved.host_position = at;
            }
        }
    }

    /// Whether the lists agree with a host's current state, for checks.
    pub(crate) fn is_listed_correctly(&self, index: u32, context: Context<'_>) -> bool {
        let Some(node) = context.agents.get(index) else { return false };
        let entry = self.nodes.get(index);
        let hosts = &self.open_hosts;
        let (block, class) = (self.block_of(node), NodeClass::of(node));
        let open = hosts.of(node.chain());
        let in_block = open.and_then(|open| open.groups.at(block, entry.open_position));
        let in_class = open.and_then(|open| open.classes.at(block, class, entry.class_position));
        let listed = if entry.open_free > 0 {
            in_block == Some(index) && in_class == Some(index) && entry.open_class == class
        } else {
            entry.open_position == NIL
        };
        let shown = hosts.connected.get(entry.host_position as usize) == Some(&index);
        let counted = (entry.open_free, u32::from(entry.open_shown));
        let late = entry.open_free > 0 && !node.dialect().reports_at_once();
        counted == (self.free_slots(index, context), self.shown_slots(index, context))
            && listed
            && entry.open_late == late
            && shown == (node.is_host() && node.is_connected())
    }

    /// The free slots that a host adds to its chain's sums, for checks: all, and those that were used before.
    pub(crate) fn listed_slots(&self, index: u32) -> (u32, u32) {
        let entry = self.nodes.get(index);
        (entry.open_free, entry.open_shown.into())
    }
}

fn position(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(NIL)
}

/// Removes the entry at `at` by moving the last one there. Returns the entry that was moved.
fn take_out(list: &mut Vec<u32>, at: u32) -> Option<u32> {
    if (at as usize) < list.len() {
        list.swap_remove(at as usize);
    }
    list.get(at as usize).copied()
}
