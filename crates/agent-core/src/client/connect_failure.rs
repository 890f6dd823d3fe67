//! Why a pair that the pool brought together is not connected, seen from either side.

use std::collections::BTreeSet;

use vipnode_types::{
    DropCause, LeaseId, Ms, NodeId, PeerFact,
    wire::{EvictCall, EvictReason, LeaveReason, PairFault, Side},
};

use crate::{Action, AgentCore, Notice, leases::lease::Lease, limits};

/// Why a peer that was let in, or that let the node in, is not connected, as far as this side can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotConnected {
    /// Its genesis block is another one.
    Genesis,
    /// Its network id is another one.
    Network,
    /// Its forks are others.
    Forks,
    /// The two share no version of `eth`.
    EthVersion,
    /// It is a light node, or ours is, and was thrown out as soon as it had come: the host's node has no place left for
    /// light ones.
    NoLightPlace,
    /// It came, and the connection was given up before a protocol ran, and nobody said why.
    NoCommonProtocol,
    /// It never showed, and the node dials as many peers as it may, so that it has not dialled this one.
    NoDialSlot {
        /// Peers that the node dialled.
        dialled: u32,
    },
    /// It never showed.
    Silent,
}

/// Causes that were told to the user; two of a kind are told once.
#[derive(Debug, Clone, Default)]
pub(crate) struct SaidCauses(BTreeSet<NotConnected>);

impl SaidCauses {
    /// Whether it is the first of its kind.
    fn insert(&mut self, cause: NotConnected) -> bool {
        let kind = match cause {
            NotConnected::NoDialSlot { .. } => NotConnected::NoDialSlot { dialled: 0 },
            other => other,
        };
        self.0.insert(kind)
    }
}

impl NotConnected {
    /// What a node told that no further dial changes.
    const fn lasting(cause: DropCause, light: bool) -> Option<Self> {
        match cause {
            DropCause::Genesis => Some(Self::Genesis),
            DropCause::Network => Some(Self::Network),
            DropCause::Forks => Some(Self::Forks),
            DropCause::EthVersion => Some(Self::EthVersion),
            DropCause::Requested if light => Some(Self::NoLightPlace),
            DropCause::Requested | DropCause::Untold => None,
        }
    }

    /// What the other side is told.
    const fn fault(self) -> Option<PairFault> {
        match self {
            Self::Genesis => Some(PairFault::Genesis),
            Self::Network => Some(PairFault::Network),
            Self::Forks => Some(PairFault::Forks),
            Self::EthVersion => Some(PairFault::EthVersion),
            Self::NoLightPlace => Some(PairFault::LightSlots),
            Self::NoCommonProtocol | Self::NoDialSlot { .. } | Self::Silent => None,
        }
    }

    /// What the other side told.
    const fn told(fault: PairFault) -> Self {
        match fault {
            PairFault::Genesis => Self::Genesis,
            PairFault::Network => Self::Network,
            PairFault::Forks => Self::Forks,
            PairFault::EthVersion => Self::EthVersion,
            PairFault::LightSlots => Self::NoLightPlace,
            PairFault::Other => Self::NoCommonProtocol,
        }
    }

    /// What the pool is told: that versions do not go together it remembers, so that it brings no such pair again.
    const fn leave_reason(self) -> LeaveReason {
        match self {
            Self::EthVersion => LeaveReason::Rejected,
            _ => LeaveReason::NotConnected,
        }
    }
}

impl AgentCore {
    /// A peer in the list without a protocol that runs is about to be thrown out, or just begins.
    pub(crate) fn see_doomed(&mut self, peers: &[PeerFact]) {
        for lease in self.leases.iter_mut().filter(|lease| lease.runs() && lease.up.is_none()) {
            if peers.iter().any(|peer| peer.id == lease.peer.id && !peer.ready) {
                lease.doomed.get_or_insert(DropCause::Untold);
            }
        }
    }

    /// The node says that a peer went, and why. Where no protocol had run with it, or a moment only, and no dial would
    /// change that, its lease is given up at once.
    pub(crate) fn came_and_went(&mut self, now: Ms, peer: NodeId, cause: DropCause, out: &mut Vec<Action>) {
        let fresh = |lease: &Lease| {
            let moment = lease.up.is_some_and(|up| now.since(up) < limits::THROWN_OUT_MS);
            lease.peer.id == peer && !lease.leftover && (moment || lease.up.is_none())
        };
        for id in self.leases.ids(fresh) {
            self.doom(now, id, cause, out);
        }
    }

    fn doom(&mut self, now: Ms, id: LeaseId, cause: DropCause, out: &mut Vec<Action>) {
        let Some(light) = self.leases.get(id).map(|lease| self.takes_light_place(lease)) else { return };
        let Some(lease) = self.leases.get_mut(id) else { return };
        let lasting = NotConnected::lasting(cause, light);
        if lease.up.is_none() || (lasting.is_some() && lease.runs()) {
            let known = lease.doomed.filter(|_| lasting.is_none());
            lease.doomed = Some(known.unwrap_or(cause));
        }
        let (side, runs, was_seen) = (lease.side, lease.runs(), lease.up.is_some());
        let Some(cause) = lasting.filter(|_| self.link.is_live()) else { return };
        // Who is named by the user is dialled on, and told about after a while.
        if !runs || id.is_direct() {
            return;
        }
        self.say_not_connected(id, out);
        self.leave_because(id, cause.leave_reason(), cause.fault());
        if side == Side::Client {
            self.host_failed(now, id, cause.leave_reason(), true, out);
            return;
        }
        if cause == NotConnected::NoLightPlace {
            self.light_places.thrown_out(now, was_seen);
        }
        self.end(id, Some(EvictReason::NotConnected), out);
    }

    /// Whether the lease needs a place for light nodes, and those may be taken.
    fn takes_light_place(&self, lease: &Lease) -> bool {
        match lease.side {
            Side::Client => self.node.facts.as_ref().is_some_and(|facts| !facts.full),
            Side::Host => lease.light && self.light_places.may_be_taken(),
        }
    }

    /// Tells why a pair is given up, each cause once.
    pub(crate) fn say_not_connected(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(id) else { return };
        if lease.ever_up && lease.doomed.is_none() {
            return;
        }
        let Some(cause) = self.why_not_connected(lease) else { return };
        self.say_cause(id, cause, out);
    }

    /// The pool ends a pair that was not connected: the other side knows why, or it was waited for in vain.
    pub(crate) fn explain_eviction(&mut self, call: &EvictCall, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(call.lease).filter(|lease| lease.runs()) else { return };
        let held = lease.up.is_some_and(|up| self.now.since(up) >= limits::THROWN_OUT_MS);
        if let Some(fault) = call.fault.filter(|_| !held) {
            self.say_cause(call.lease, NotConnected::told(fault), out);
            return;
        }
        // Sooner than that the other side left for a reason of its own.
        let waited = self.now.since(lease.given) >= limits::AT_ONCE_MS || lease.doomed.is_some();
        if call.reason == EvictReason::NotConnected && waited {
            self.say_not_connected(call.lease, out);
        }
    }

    fn say_cause(&mut self, id: LeaseId, cause: NotConnected, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(id) else { return };
        let (peer, version) = (lease.peer.id, lease.peer_version.clone());
        let notice = match lease.side {
            Side::Client if self.not_connected_said.insert(cause) => {
                Notice::HostNotConnected { lease: id, host: peer, version, cause }
            }
            Side::Host if self.clients_not_connected_said.insert(cause) => {
                Notice::ClientNotConnected { lease: id, client: peer, version, cause }
            }
            Side::Client | Side::Host => return,
        };
        out.push(Action::Notice(notice));
    }

    /// A host whose client never showed hears that when the client's lease ends, and no more is known of it there.
    pub(crate) fn why_not_connected(&self, lease: &Lease) -> Option<NotConnected> {
        let dialled = self.node.dialled;
        let max_peers = self.config.host.as_ref().map_or(limits::NODE_MAX_PEERS, |host| host.node_max_peers);
        let light = self.takes_light_place(lease);
        match (lease.doomed, lease.side) {
            (Some(cause), _) => Some(NotConnected::lasting(cause, light).unwrap_or(NotConnected::NoCommonProtocol)),
            (None, Side::Host) => None,
            (None, Side::Client) if dialled >= (max_peers / limits::DIAL_RATIO).max(1) => {
                Some(NotConnected::NoDialSlot { dialled })
            }
            (None, Side::Client) => Some(NotConnected::Silent),
        }
    }
}
