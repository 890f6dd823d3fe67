use vipnode_types::{Capability, Ms, wire::Side};

use super::Lease;

/// What our node sees of the peer.
impl Lease {
    /// Other rules hold: the peer is looked at again.
    pub(crate) const fn recheck(&mut self) {
        self.observed.checked = false;
    }

    pub(crate) const fn is_checked(&self) -> bool {
        self.observed.checked
    }

    /// The peer is looked at now; of a host, what it serves is kept.
    pub(crate) fn checked(&mut self, caps: &[Capability]) {
        self.observed.checked = true;
        if self.side == Side::Client {
            self.observed.caps = caps.to_vec();
        }
    }

    /// What the host serves, where the pool is to be told that.
    pub(crate) fn take_unreported_caps(&mut self) -> Option<Vec<Capability>> {
        let observed = &mut self.observed;
        let news = self.presence.is_up() && !observed.caps_reported && !observed.caps.is_empty();
        (news).then(|| {
            observed.caps_reported = true;
            observed.caps.clone()
        })
    }

    /// On a new socket the pool is told again what the host serves.
    pub(crate) const fn forget_caps_reported(&mut self) {
        self.observed.caps_reported = false;
    }

    pub(crate) const fn is_missing_announced(&self) -> bool {
        self.missing_announced
    }

    /// The user is told that the peer is missing; whether that is news.
    pub(crate) const fn announce_missing(&mut self) -> bool {
        !std::mem::replace(&mut self.missing_announced, true)
    }

    /// The peer came; whether for the first time.
    pub(crate) fn came(&mut self, now: Ms) -> bool {
        self.missing_announced = false;
        self.presence.came(now)
    }
}
