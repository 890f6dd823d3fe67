use vipnode_types::Ms;

use crate::{
    Notice,
    client::connect_failure::{AnnouncedCauses, ConnectFailure},
    host::offer::OfferedSlots,
};

/// What a host remembers beyond its leases.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostState {
    /// The offer of which the user was last notified.
    announced: Option<OfferedSlots>,
    /// Causes of failed connections of which the user was notified since the settings last changed.
    failures: AnnouncedCauses,
    /// When a client was last connected.
    last_client: Option<Ms>,
    /// The user was notified that the host earns nothing, since the settings last changed.
    unpaid_announced: bool,
}

impl HostState {
    /// Records that a client is connected.
    pub(crate) const fn client_seen(&mut self, now: Ms) {
        self.last_client = Some(now);
    }

    /// When a client was last connected.
    pub(crate) const fn last_client(&self) -> Option<Ms> {
        self.last_client
    }

    /// Returns a notice if the offer changed.
    pub(crate) fn announce(&mut self, offer: OfferedSlots) -> Option<Notice> {
        if self.announced.as_ref() == Some(&offer) {
            return None;
        }
        let notice = Notice::Offering { slots: offer.slots, why: offer.why_none.clone() };
        self.announced = Some(offer);
        Some(notice)
    }

    /// Returns whether to notify the user that clients fail for this cause.
    pub(crate) fn announce_failure(&mut self, cause: ConnectFailure) -> bool {
        self.failures.insert(cause)
    }

    /// Returns whether to notify the user that the host earns nothing.
    pub(crate) const fn announce_unpaid(&mut self) -> bool {
        !std::mem::replace(&mut self.unpaid_announced, true)
    }

    /// Records new settings: the user is notified of each cause again.
    pub(crate) fn configured(&mut self) {
        self.failures = AnnouncedCauses::default();
        self.unpaid_announced = false;
    }
}
