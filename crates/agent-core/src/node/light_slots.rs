use vipnode_types::{LeaseId, Ms, PeerFact};

use crate::limits;

/// The state of a node's slots for light nodes. geth keeps them apart from its slots for other peers; trusted light
/// nodes count against the limit too, and no RPC method returns it. The agent infers that the slots are taken when a
/// new light node is disconnected at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct LightSlots {
    taken: Option<Taken>,
    /// Light nodes that are connected now, with or without a lease.
    connected: usize,
}

/// The slots are taken: none is sold for a while, unless one of the light nodes disconnects before.
#[derive(Debug, Clone, Copy)]
struct Taken {
    /// How many light nodes take them.
    by: usize,
    until: Ms,
    /// The lease of the light node that was thrown out.
    lease: LeaseId,
}

impl LightSlots {
    pub(crate) const fn are_taken(&self) -> bool {
        self.taken.is_some()
    }

    pub(crate) fn see_peers(&mut self, peers: &[PeerFact]) {
        self.connected = peers.iter().filter(|peer| peer.ready && is_light(peer)).count();
        self.taken = self.taken.filter(|taken| self.connected >= taken.by);
    }

    /// Whether the slots may be taken. With no light node connected, one that disconnects at once did so on its own.
    pub(crate) const fn may_be_taken(&self) -> bool {
        self.connected > 0
    }

    /// A further light node was admitted and disconnected at once. `was_seen`: the last list of peers still includes
    /// it.
    pub(crate) const fn dropped_by_host(&mut self, now: Ms, lease: LeaseId, was_seen: bool) {
        let by = self.connected.saturating_sub(if was_seen { 1 } else { 0 });
        self.taken = Some(Taken { by, until: now.plus(limits::LIGHT_REST_MS), lease });
    }

    /// The light node of that lease does not report that it was disconnected: it left by itself, which shows nothing about slots.
    pub(crate) fn not_thrown_out(&mut self, lease: LeaseId) {
        self.taken = self.taken.filter(|taken| taken.lease != lease);
    }

    pub(crate) fn expire(&mut self, now: Ms) {
        self.taken = self.taken.filter(|taken| taken.until > now);
    }

    /// When a light node may be admitted again, to find out whether a slot is free.
    pub(crate) fn due(&self) -> Option<Ms> {
        self.taken.map(|taken| taken.until)
    }
}

/// Whether the peer supports `les` and not `eth`.
fn is_light(peer: &PeerFact) -> bool {
    let speaks = |name: &str| peer.caps.iter().any(|cap| cap.name() == name);
    speaks("les") && !speaks("eth")
}
