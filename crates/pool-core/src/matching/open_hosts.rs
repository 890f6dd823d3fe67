use std::collections::BTreeMap;

use crate::{
    Limits,
    agents::{
        node::Node,
        node_class::{LastingClass, NodeClass},
    },
    collections::{address_block::AddressBlock, slab::NIL},
    matching::{Context, Matching, Standing, compatibility::Incompatibilities, hosts_by_block::HostsByBlock},
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
    /// How many hosts each class has.
    classes: BTreeMap<NodeClass, u32>,
    /// Classes of clients that no class of hosts is compatible with.
    failed: BTreeMap<LastingClass, Incompatibilities>,
    /// How many of them clients were connected with.
    pub(crate) known: usize,
    pub(crate) free: u64,
}

impl ChainHosts {
    /// The classes of its hosts, each with the number of hosts.
    pub(crate) const fn classes(&self) -> &BTreeMap<NodeClass, u32> {
        &self.classes
    }

    /// Why no host is compatible with a class of clients, where a search found that.
    pub(crate) fn failed_before(&self, class: LastingClass) -> Option<&Incompatibilities> {
        self.failed.get(&class)
    }

    fn insert(&mut self, block: AddressBlock, class: NodeClass, host: u32) -> u32 {
        let hosts = self.classes.entry(class).or_default();
        if *hosts == 0 {
            self.failed.clear();
        }
        *hosts = hosts.saturating_add(1);
        self.groups.insert(block, host)
    }

    /// Removes a host; returns the one that was moved to its position, if one was.
    fn remove(&mut self, block: AddressBlock, class: NodeClass, position: u32) -> Option<u32> {
        if let Some(hosts) = self.classes.get_mut(&class) {
            *hosts = hosts.saturating_sub(1);
            if *hosts == 0 {
                self.classes.remove(&class);
            }
        }
        self.groups.remove(block, position)
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

    /// Remembers that no host of a chain is compatible with a class of clients, until another class of hosts is there.
    pub(crate) fn remember_failure(
        &mut self,
        chain: u32,
        class: LastingClass,
        why: Incompatibilities,
        limits: &Limits,
    ) {
        let Some(open) = self.open.get_mut(&chain) else { return };
        while open.failed.len() >= limits.failed_searches as usize {
            if open.failed.pop_first().is_none() {
                return;
            }
        }
        open.failed.insert(class, why);
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

    /// The slots of a host that can be offered now.
    pub(crate) fn free_slots(&self, host: u32, context: Context<'_>) -> u32 {
        if self.is_resting(host) {
            return 0;
        }
        let open = context.agents.get(host).map_or(0, Node::open_slots);
        open.saturating_sub(context.leases.taken_slots(host))
    }

    /// Updates a host's position among those with free slots.
    pub(crate) fn refresh_open_hosts(&mut self, index: u32, context: Context<'_>) {
        let Some(node) = context.agents.get(index) else { return };
        let (chain, free) = (node.chain(), self.free_slots(index, context));
        let (block, class) = (self.block_of(node), NodeClass::of(node));
        let Standing { open_free: before, open_position: at, open_class: old_class, .. } = *self.nodes.get(index);
        let stays = at != NIL && free > 0 && class == old_class;
        let was_known = at != NIL && self.nodes.get(index).open_known;
        let known = free > 0 && self.is_known_host(index, context);
        let was_dry = self.open_hosts.free(chain) == 0;
        let open = self.open_hosts.open.entry(chain).or_default();
        open.free = open.free.saturating_sub(u64::from(before)).saturating_add(u64::from(free));
        open.known = open.known.saturating_add(usize::from(known)).saturating_sub(usize::from(was_known));
        let mut moved = None;
        let mut new = if stays { at } else { NIL };
        if !stays && at != NIL {
            moved = open.remove(block, old_class, at);
        }
        if !stays && free > 0 {
            new = open.insert(block, class, index);
        }
        if open.groups.is_empty() {
            self.open_hosts.open.remove(&chain);
        }
        if let Some(moved) = moved.and_then(|moved| self.nodes.get_mut(moved)) {
            moved.open_position = at;
        }
        if let Some(standing) = self.nodes.get_mut(index) {
            (standing.open_free, standing.open_position, standing.open_class) = (free, new, class);
            standing.open_known = known;
        }
        if was_dry && free > 0 {
            self.serve_soon(context.now);
        }
    }

    /// Updates the count of connected clients and the list of connected hosts for a node.
    pub(crate) fn refresh_connected(&mut self, index: u32, context: Context<'_>) {
        let Some(node) = context.agents.get(index) else { return };
        let (hosts, counts) =
            (node.hosting() && node.is_connected(), node.counts_as_client_now() && node.is_connected());
        let Some(standing) = self.nodes.get_mut(index) else { return };
        let counted = std::mem::replace(&mut standing.counted_client, counts);
        let at = standing.host_position;
        let clients = &mut self.open_hosts.clients;
        *clients = clients.saturating_add(u64::from(counts)).saturating_sub(u64::from(counted));
        if hosts && at == NIL {
            standing.host_position = position(self.open_hosts.connected.len());
            self.open_hosts.connected.push(index);
        } else if !hosts && at != NIL {
            standing.host_position = NIL;
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
        let standing = self.nodes.get(index);
        let hosts = &self.open_hosts;
        let open = hosts.of(node.chain());
        let open = open.and_then(|open| open.groups.at(self.block_of(node), standing.open_position));
        let same_class = standing.open_class == NodeClass::of(node);
        let listed =
            if standing.open_free > 0 { open == Some(index) && same_class } else { standing.open_position == NIL };
        let shown = hosts.connected.get(standing.host_position as usize) == Some(&index);
        standing.open_free == self.free_slots(index, context)
            && listed
            && shown == (node.hosting() && node.is_connected())
    }

    /// The free slots that a host adds to its chain's sum, for checks.
    pub(crate) fn listed_slots(&self, index: u32) -> u32 {
        self.nodes.get(index).open_free
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
