use std::collections::BTreeMap;

use crate::{Core, leases::lease::NIL};

/// Hosts that have free places, chain by chain, and all connected hosts.
#[derive(Debug, Default)]
pub(crate) struct OpenHosts {
    open: BTreeMap<u32, ChainHosts>,
    connected: Vec<u32>,
}

/// The hosts of one chain that have free places.
#[derive(Debug, Default)]
pub(crate) struct ChainHosts {
    pub(crate) hosts: Vec<u32>,
    pub(crate) free: u64,
}

impl OpenHosts {
    pub(crate) fn of(&self, chain: u32) -> Option<&ChainHosts> {
        self.open.get(&chain)
    }

    /// Free places on a chain.
    pub(crate) fn free(&self, chain: u32) -> u64 {
        self.open.get(&chain).map_or(0, |open| open.free)
    }

    /// Free places in all.
    pub(crate) fn all_free(&self) -> u64 {
        self.open.values().fold(0, |sum, open| sum.saturating_add(open.free))
    }

    /// Connected hosts, in no particular order.
    pub(crate) fn connected(&self) -> &[u32] {
        &self.connected
    }

    /// Chains that have open hosts, for checks.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (u32, &ChainHosts)> {
        self.open.iter().map(|(chain, open)| (*chain, open))
    }
}

impl Core {
    /// Brings a host's place in the lists up to what it is now. Call after anything changed that
    /// `Node::free_slots` looks at.
    pub(crate) fn refresh_open_hosts(&mut self, index: u32) {
        let Some(node) = self.nodes.get(index) else { return };
        let (chain, free, before, at) = (node.chain, node.free_slots(), node.open_free, node.open_position);
        let was_dry = self.open_hosts.free(chain) == 0;
        let open = self.open_hosts.open.entry(chain).or_default();
        open.free = open.free.saturating_sub(u64::from(before)).saturating_add(u64::from(free));
        let mut moved = None;
        let mut pos = at;
        if free > 0 && at == NIL {
            pos = position(open.hosts.len());
            open.hosts.push(index);
        } else if free == 0 && at != NIL {
            moved = take_out(&mut open.hosts, at);
            pos = NIL;
        }
        if open.hosts.is_empty() {
            self.open_hosts.open.remove(&chain);
        }
        if let Some(moved) = moved.and_then(|moved| self.nodes.get_mut(moved)) {
            moved.open_position = at;
        }
        if let Some(node) = self.nodes.get_mut(index) {
            (node.open_free, node.open_position) = (free, pos);
        }
        if was_dry && free > 0 {
            self.serve_soon();
        }
    }

    /// Counts a connected client, and puts a host into the list of connected ones; or takes them out.
    pub(crate) fn refresh_connected(&mut self, index: u32) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let (counts, counted) = (node.consuming && node.peer.is_some(), node.counted_client);
        node.counted_client = counts;
        let clients = &mut self.roles.connected_clients;
        *clients = clients.saturating_add(u64::from(counts)).saturating_sub(u64::from(counted));
        let (at, is_in) = (node.host_position, node.hosting && node.peer.is_some());
        if is_in && at == NIL {
            node.host_position = position(self.open_hosts.connected.len());
            self.open_hosts.connected.push(index);
        } else if !is_in && at != NIL {
            node.host_position = NIL;
            if let Some(moved) = take_out(&mut self.open_hosts.connected, at)
                && let Some(moved) = self.nodes.get_mut(moved)
            {
                moved.host_position = at;
            }
        }
    }
}

fn position(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(NIL)
}

/// Removes the entry at `at` by moving the last one there; the entry that was moved.
fn take_out(list: &mut Vec<u32>, at: u32) -> Option<u32> {
    if (at as usize) < list.len() {
        list.swap_remove(at as usize);
    }
    list.get(at as usize).copied()
}
