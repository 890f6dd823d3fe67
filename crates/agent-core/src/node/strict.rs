//! `--strict-peers`: every peer of the node that is on no lease is disconnected. It may come back; what closes a node
//! are flags of its own.
//!
//! Nothing is disconnected before a pool has taken the agent and told its leases, or where there is no pool. While the
//! pool is away its last list stays (D33), and also where it then knows none of the leases, as after a start of its
//! own without its data: a client keeps its hosts until it was given as many others, a host its clients for a while.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{
    Enode, LeaseId, Ms, NodeId, PeerFact,
    wire::{EvictReason, Side},
};

use crate::{Action, AgentCore, NodeCall, NodeTask, Notice, leases::lease::Lease, limits};

/// What is remembered of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Strict {
    /// Whom the node is told to disconnect, and since when.
    dropping: BTreeMap<NodeTask, (NodeId, Ms)>,
    /// Not before then are others disconnected.
    next: Ms,
    said: bool,
    /// Since when leases stand that the pool does not know any more.
    last_list: Option<Ms>,
}

impl Strict {
    /// Whether leases stand that the pool does not know any more.
    pub(crate) const fn has_last_list(&self) -> bool {
        self.last_list.is_some()
    }

    pub(crate) fn is_dropping(&self, peer: NodeId) -> bool {
        self.dropping.values().any(|(other, _)| *other == peer)
    }

    pub(crate) fn dropped_peers(&self) -> impl Iterator<Item = NodeId> {
        self.dropping.values().map(|(peer, _)| *peer)
    }

    /// What the node was told before it went is void.
    pub(crate) fn node_down(&mut self) {
        self.dropping.clear();
    }

    pub(crate) fn dropping(&self) -> usize {
        self.dropping.len()
    }
}

impl AgentCore {
    /// Disconnects strangers, a bounded number at a time.
    pub(crate) fn drop_strangers(&mut self, now: Ms, peers: &[PeerFact], out: &mut Vec<Action>) {
        let told = !self.config.pool || self.link.taken_before;
        if !self.config.strict || !told || self.stopping.is_some() || now < self.strict.next {
            return;
        }
        let direct = &self.config.direct;
        let named = direct.hosts.iter().chain(&direct.allow).map(|peer| peer.id);
        let kept = named.chain(self.config.keep.iter().copied());
        let known: BTreeSet<NodeId> = self.leases.iter().map(|lease| lease.peer.id).chain(kept).collect();
        // By the id alone: a client's address is of no use here, and often not told (D33).
        let stranger = |peer: &&PeerFact| {
            let own = peer.trusted == Some(true) || peer.is_static == Some(true);
            peer.ready && !own && !known.contains(&peer.id) && !self.strict.is_dropping(peer.id)
        };
        let room = limits::STRANGERS.saturating_sub(self.strict.dropping());
        let strangers: Vec<Enode> = peers.iter().filter(stranger).take(room).map(place).collect();
        for peer in strangers {
            self.strict.next = now.plus(limits::STRANGERS_MS);
            let task = self.new_task();
            self.strict.dropping.insert(task, (peer.id, now));
            out.push(Action::Node { task, call: NodeCall::Drop(peer) });
        }
    }

    /// Whether the task was the disconnecting of a stranger.
    pub(crate) fn stranger_done(&mut self, task: NodeTask, result: &Result<(), String>, out: &mut Vec<Action>) -> bool {
        let Some((peer, _)) = self.strict.dropping.remove(&task) else { return false };
        // Who could not be disconnected is seen again.
        if result.is_ok() {
            self.node.peers.remove(&peer);
            self.counters.stranger_dropped();
            if !std::mem::replace(&mut self.strict.said, true) {
                out.push(Action::Notice(Notice::StrangerDropped { peer }));
            }
        }
        true
    }

    /// Keeps leases that the pool does not know any more, where it knows none.
    pub(crate) fn keep_last_list(&mut self, now: Ms, leases: &[LeaseId], out: &mut Vec<Action>) {
        let mut kept = 0_u32;
        for id in leases {
            if let Some(lease) = self.leases.get_mut(*id) {
                // As those of an earlier run: they stand, and are not stated.
                lease.leftover = true;
                lease.socket = 0;
                kept = kept.saturating_add(1);
            }
        }
        if kept > 0 && self.strict.last_list.is_none() {
            self.strict.last_list = Some(now);
            out.push(Action::Notice(Notice::LastListKept { leases: kept }));
        }
    }

    fn of_last_list(&self, side: Side) -> Vec<LeaseId> {
        self.leases.ids(|lease| is_last(lease) && lease.side == side)
    }

    /// Ends what the pool replaced, and clients whose time is over.
    pub(crate) fn last_list_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        let Some(since) = self.strict.last_list else { return };
        let anew = |lease: &Lease| self.leases.siblings(lease).any(|other| other.side == lease.side && is_new(other));
        let mut over: Vec<LeaseId> =
            self.leases.iter().filter(|lease| is_last(lease) && anew(lease)).map(|lease| lease.id).collect();
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
            self.strict.last_list = None;
        }
    }

    /// A place is needed that a client of the last list has: all of them are over.
    pub(crate) fn make_room(&mut self, out: &mut Vec<Action>) {
        if self.strict.last_list.is_some() {
            for id in self.of_last_list(Side::Host) {
                self.end(id, Some(EvictReason::Unknown), out);
            }
        }
    }

    pub(crate) fn strangers_expire(&mut self, now: Ms) {
        self.strict.dropping.retain(|_, (_, since)| since.plus(limits::NODE_TASK_MS) > now);
    }

    /// When something of it is due by the clock.
    pub(crate) fn strict_due(&self) -> impl Iterator<Item = Ms> {
        let clients = self.leases.iter().any(|lease| is_last(lease) && lease.side == Side::Host);
        let last = self.strict.last_list.filter(|_| clients).map(|since| since.plus(limits::LAST_LIST_MS));
        self.strict.dropping.values().map(|(_, since)| since.plus(limits::NODE_TASK_MS)).chain(last)
    }
}

/// Stands though the pool does not know it. Only asked where there is a last list: before the pool spoke the leases of
/// an earlier run look the same.
const fn is_last(lease: &Lease) -> bool {
    lease.leftover && lease.runs() && !lease.id.is_direct()
}

const fn is_new(lease: &Lease) -> bool {
    !lease.leftover && lease.runs() && !lease.id.is_direct()
}

/// Clients that take no bare id disconnect by the id all the same, whatever the port.
fn place(peer: &PeerFact) -> Enode {
    peer.remote.map_or_else(|| Enode::id_only(peer.id), |ip| Enode::at(peer.id, ip, 30_303))
}
