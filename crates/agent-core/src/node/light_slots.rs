use vipnode_types::{Ms, PeerFact};

use crate::limits;

/// A node's slots for light nodes. It keeps them apart from its slots for peers, and no trust gets past their limit,
/// which no call tells: only that a light node is thrown out at once shows that they are taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct LightSlots {
    /// They are taken, by so many: none is sold until then, unless one goes before.
    taken: Option<(usize, Ms)>,
    /// Light nodes that are connected now, with a lease or without.
    connected: usize,
}

impl LightSlots {
    pub(crate) const fn are_taken(&self) -> bool {
        self.taken.is_some()
    }

    pub(crate) fn see_peers(&mut self, peers: &[PeerFact]) {
        self.connected = peers.iter().filter(|peer| peer.ready && is_light(peer)).count();
        self.taken = self.taken.filter(|(by, _)| self.connected >= *by);
    }

    /// Whether they may be taken: where no light node is connected, one that goes at once wished so itself.
    pub(crate) const fn may_be_taken(&self) -> bool {
        self.connected > 0
    }

    /// One more was let in and thrown out; a look may have found it connected for that moment.
    pub(crate) const fn thrown_out(&mut self, now: Ms, was_seen: bool) {
        let by = self.connected.saturating_sub(if was_seen { 1 } else { 0 });
        self.taken = Some((by, now.plus(limits::LIGHT_REST_MS)));
    }

    pub(crate) fn expire(&mut self, now: Ms) {
        self.taken = self.taken.filter(|(_, until)| *until > now);
    }

    /// When one may be let in again to see.
    pub(crate) fn due(&self) -> Option<Ms> {
        self.taken.map(|(_, until)| until)
    }
}

/// It speaks `les` and not `eth`.
fn is_light(peer: &PeerFact) -> bool {
    let speaks = |name: &str| peer.caps.iter().any(|cap| cap.name() == name);
    speaks("les") && !speaks("eth")
}
