//! `--strict-peers`: unleased peers are disconnected, and a pool's last list stays valid while it is offline.

use std::collections::BTreeSet;

use vipnode_types::{
    Enode, Failure, LeaseId, Ms, NodeId, PeerCommand, PeerFact,
    wire::{EvictReason, Side},
};

use crate::{Action, AgentCore, NodeTask, Notice, leases::Lease, limits};

impl AgentCore {
    /// Disconnects unleased peers, a bounded number at a time.
    pub(crate) fn disconnect_unleased(&mut self, now: Ms, peers: &[PeerFact], out: &mut Vec<Action>) {
        let leases_known = !self.config.pool || self.session.was_accepted();
        let room = self.strict.room(now);
        if !self.config.strict || !leases_known || self.stopping.is_some() || room == 0 {
            return;
        }
        let unleased: Vec<Enode> = self.unleased_peers(peers).take(room).map(endpoint).collect();
        self.disconnect(now, unleased, out);
    }

    /// Returns the peers without a lease that neither the user nor the node's settings keep.
    fn unleased_peers<'a>(&'a self, peers: &'a [PeerFact]) -> impl Iterator<Item = &'a PeerFact> {
        let direct = &self.config.direct;
        let named = direct.hosts.iter().chain(&direct.allow).map(|peer| peer.id);
        let kept = named.chain(self.config.keep.iter().copied());
        let kept = kept.chain(self.waiting_admits.clients());
        let known: BTreeSet<NodeId> = self.leases.iter().map(Lease::peer_id).chain(kept).collect();
        // By the ID alone: a client's address is of no use here and is often unknown (fault D33, docs/faults.md).
        peers.iter().filter(move |peer| {
            let own = peer.trusted == Some(true) || peer.is_static == Some(true);
            peer.ready && !own && !known.contains(&peer.id) && !self.strict.is_dropping(peer.id)
        })
    }

    fn disconnect(&mut self, now: Ms, peers: Vec<Enode>, out: &mut Vec<Action>) {
        for peer in peers {
            let task = self.new_task();
            self.strict.drops(now, task, peer.id);
            out.push(Action::Node { task, call: PeerCommand::Drop(peer) });
        }
    }

    /// Notifies the user of clients that came back without a lease, as ordinary peers. On a host whose peer table has no room
    /// for the slots on offer they are disconnected.
    pub(crate) fn see_former_clients(&mut self, now: Ms, peers: &[PeerFact], out: &mut Vec<Action>) {
        let listed: BTreeSet<NodeId> = peers.iter().map(|peer| peer.id).collect();
        let returned = self.former_clients.returned(now, &listed);
        if returned.is_empty() || self.stopping.is_some() {
            return;
        }
        let unleased: Vec<&PeerFact> =
            self.unleased_peers(peers).filter(|peer| returned.iter().any(|client| client.id == peer.id)).collect();
        let is_full = self.is_table_full(peers.len());
        let new = returned.iter().filter(|client| client.is_new && unleased.iter().any(|peer| peer.id == client.id));
        out.extend(new.map(|client| {
            Action::Notice(Notice::ClientReturned { client: client.id, disconnected: is_full || self.config.strict })
        }));
        if is_full && !self.config.strict {
            let peers: Vec<Enode> = unleased.into_iter().take(self.strict.room(now)).map(endpoint).collect();
            self.disconnect(now, peers, out);
        }
    }

    /// Whether this many peers leave too little room in the node's table for the slots that are on offer and free.
    fn is_table_full(&self, peers: usize) -> bool {
        let Some(host) = &self.config.host else { return false };
        let sold = self.leases.iter().filter(|lease| lease.side() == Side::Host && lease.runs()).count();
        let slots = usize::try_from(host.sellable(self.config.direct.allowed())).unwrap_or(usize::MAX);
        let free = slots.saturating_sub(sold);
        peers.saturating_add(free) > usize::try_from(host.node_max_peers).unwrap_or(usize::MAX)
    }

    /// Ends a task that disconnects an unleased peer. Returns whether it was one.
    pub(crate) fn unleased_done(
        &mut self,
        task: NodeTask,
        result: &Result<(), Failure>,
        out: &mut Vec<Action>,
    ) -> bool {
        let Some(peer) = self.strict.done(task) else { return false };
        // A peer that could not be disconnected is in the next list again.
        if result.is_ok() {
            self.node.forget_peer(peer);
            self.counters.unleased_peer_disconnected();
            // A former client is announced when it is seen.
            if self.config.strict && self.strict.announce() {
                out.push(Action::Notice(Notice::UnleasedPeerDisconnected { peer }));
            }
        }
        true
    }

    /// Keeps leases that the pool no longer knows, if it knows none.
    pub(crate) fn keep_last_list(&mut self, now: Ms, leases: &[LeaseId], out: &mut Vec<Action>) {
        let mut kept = 0_u32;
        for id in leases {
            if let Some(lease) = self.leases.get_mut(*id) {
                lease.forgotten_by_pool();
                kept = kept.saturating_add(1);
            }
        }
        if kept > 0 && self.strict.keep_last_list(now) {
            out.push(Action::Notice(Notice::LastListKept { leases: kept }));
        }
    }

    fn of_last_list(&self, side: Side) -> Vec<LeaseId> {
        self.leases.ids(|lease| is_last(lease) && lease.side() == side)
    }

    /// Ends leases that the pool replaced, and those of clients whose time is up.
    pub(crate) fn last_list_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        let Some(since) = self.strict.last_list() else { return };
        let replaced =
            |lease: &Lease| self.leases.siblings(lease).any(|other| other.side() == lease.side() && is_new(other));
        let mut over: Vec<LeaseId> = self.leases.ids(|lease| is_last(lease) && replaced(lease));
        if self.missing_hosts() == 0 || !self.config.strict {
            over.extend(self.of_last_list(Side::Client));
        }
        if now >= since.plus(limits::LAST_LIST_MS) || !self.config.strict {
            over.extend(self.of_last_list(Side::Host));
        }
        for id in over {
            self.end(id, Some(EvictReason::Unknown), out);
        }
        if !self.leases.iter().any(is_last) {
            self.strict.end_last_list();
        }
    }

    /// Ends all clients of the last list, because a new client needs a slot.
    pub(crate) fn make_room(&mut self, out: &mut Vec<Action>) {
        if self.strict.has_last_list() {
            for id in self.of_last_list(Side::Host) {
                self.end(id, Some(EvictReason::Unknown), out);
            }
        }
    }

    /// Returns when a retry or the end of the last list is due.
    pub(crate) fn strict_due(&self) -> impl Iterator<Item = Ms> {
        let clients = self.leases.iter().any(|lease| is_last(lease) && lease.side() == Side::Host);
        let last = self.strict.last_list().filter(|_| clients).map(|since| since.plus(limits::LAST_LIST_MS));
        self.strict.due().chain(last)
    }
}

/// Whether an active lease is unknown to the pool. Only meaningful while there is a last list: before the pool's first
/// answer, leases of an earlier run look the same.
const fn is_last(lease: &Lease) -> bool {
    lease.is_unreleased() && lease.runs() && !lease.is_direct()
}

const fn is_new(lease: &Lease) -> bool {
    !lease.is_unreleased() && lease.runs() && !lease.is_direct()
}

/// Execution clients that need an address disconnect by the ID all the same, whatever the port.
fn endpoint(peer: &PeerFact) -> Enode {
    peer.remote.map_or_else(|| Enode::id_only(peer.id), |ip| Enode::at(peer.id, ip, 30_303))
}
