use vipnode_types::Ms;

use crate::{
    Notice,
    client::connect_failure::{AnnouncedCauses, ConnectFailure},
    host::offer::Offer,
};

/// What a host remembers beyond its leases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosting {
    /// What the user was last told of the slots offered.
    announced: Option<Offer>,
    /// Why clients were not connected, as the user was told since the settings last changed.
    failures: AnnouncedCauses,
    /// When a client was last connected.
    last_client: Option<Ms>,
}

impl Hosting {
    /// A client is connected.
    pub(crate) const fn client_seen(&mut self, now: Ms) {
        self.last_client = Some(now);
    }

    /// When a client was last connected.
    pub(crate) const fn last_client(&self) -> Option<Ms> {
        self.last_client
    }

    /// The user is told once when the offer changes.
    pub(crate) fn announce(&mut self, offer: Offer) -> Option<Notice> {
        if self.announced.as_ref() == Some(&offer) {
            return None;
        }
        let notice = Notice::Offering { slots: offer.slots, why: offer.why_none.clone() };
        self.announced = Some(offer);
        Some(notice)
    }

    /// Whether the user is to be told that clients fail for this cause.
    pub(crate) fn announce_failure(&mut self, cause: ConnectFailure) -> bool {
        self.failures.insert(cause)
    }

    /// The user wants something else: each cause is news again.
    pub(crate) fn configured(&mut self) {
        self.failures = AnnouncedCauses::default();
    }
}
