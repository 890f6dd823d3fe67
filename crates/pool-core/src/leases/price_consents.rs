use std::collections::BTreeMap;

use vipnode_types::{LeaseId, Ms, wire::Side};

use crate::leases::{Leases, pricing::Pricing};

/// The leases whose sides were asked whether they agree to a price. Until both have agreed, the row of a lease is at the old
/// price.
#[derive(Debug, Default)]
pub(crate) struct PriceConsents {
    asked: BTreeMap<LeaseId, PriceConsent>,
}

/// Which sides of a lease agreed to a price.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PriceConsent {
    pub(crate) pricing: Pricing,
    /// When the lease was first asked about this price. Another row is asked again, and this stays.
    pub(crate) since: Ms,
    client: bool,
    host: bool,
}

impl PriceConsent {
    /// Whether a side agreed.
    pub(crate) const fn of(&self, side: Side) -> bool {
        match side {
            Side::Client => self.client,
            Side::Host => self.host,
        }
    }
}

impl Leases {
    /// Begins to ask both sides of a lease whether they agree to a price. Returns since when that is asked.
    pub(crate) fn begin_consent(&mut self, lease: LeaseId, pricing: Pricing, now: Ms) -> Ms {
        let same = self.consent(lease).filter(|consent| consent.pricing == pricing);
        let since = same.map_or(now, |consent| consent.since);
        self.consents.asked.insert(lease, PriceConsent { pricing, since, client: false, host: false });
        since
    }

    /// The price that the sides of a lease are asked for, and their answers.
    pub(crate) fn consent(&self, lease: LeaseId) -> Option<PriceConsent> {
        self.consents.asked.get(&lease).copied()
    }

    /// Notes that a side agreed. Returns the price once both have; then the question is over.
    pub(crate) fn agree(&mut self, lease: LeaseId, side: Side) -> Option<Pricing> {
        let consent = self.consents.asked.get_mut(&lease)?;
        match side {
            Side::Client => consent.client = true,
            Side::Host => consent.host = true,
        }
        let both = consent.client && consent.host;
        let pricing = consent.pricing;
        if both {
            self.consents.asked.remove(&lease);
        }
        both.then_some(pricing)
    }

    /// Forgets the question, because the lease ends or another question follows.
    pub(crate) fn end_consent(&mut self, lease: LeaseId) {
        self.consents.asked.remove(&lease);
    }

    /// The leases whose sides are asked, for checks.
    pub(crate) fn consents(&self) -> impl Iterator<Item = LeaseId> {
        self.consents.asked.keys().copied()
    }
}
