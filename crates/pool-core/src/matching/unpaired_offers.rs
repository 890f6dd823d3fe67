use std::collections::BTreeMap;

use vipnode_types::{LeaseId, Ms};

use crate::{
    collections::{deadlines::Deadlines, slab::Handle},
    matching::Matching,
};

/// Offers of clients that should be paired soon.
///
/// A host may admit a client and stay silent, or not answer at all, and the client would wait for its offer to end. So a
/// client that can be called gets further hosts while more slots are free than others need before it: two after
/// `extra_host_ms`, four after twice as long, and so on, up to `extra_offers`. Among as many silent blocks as good
/// ones, each of them is good in one of two cases, and all of them are silent in less than one of a hundred. Once the
/// client is paired with as many hosts as it wants, the other offers end. That includes offers from before a restart of
/// the pool, whose clients do not ask again. If an offer ends unpaired and none of its client's other offers is awaited, one of
/// those takes its place.
#[derive(Debug)]
pub(crate) struct UnpairedOffers {
    due: Deadlines<UnpairedOffer>,
    /// How many of them each client has.
    clients: BTreeMap<Handle, u32>,
}

/// An offer that is not paired yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnpairedOffer {
    pub(crate) lease: LeaseId,
    pub(crate) client: Handle,
    /// How often its client got further hosts because of it.
    step: u8,
}

impl UnpairedOffer {
    /// The same for another offer of its client.
    pub(crate) const fn of(self, lease: LeaseId) -> Self {
        Self { lease, ..self }
    }

    /// The number of hosts that its client gets now.
    pub(crate) fn extra_hosts(self) -> u32 {
        2_u32.saturating_pow(u32::from(self.step).saturating_add(1))
    }
}

impl UnpairedOffers {
    pub(crate) const fn new() -> Self {
        Self { due: Deadlines::new(), clients: BTreeMap::new() }
    }

    pub(crate) fn next(&self) -> Option<Ms> {
        self.due.next()
    }

    pub(crate) const fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether any is of this client.
    pub(crate) fn any_of(&self, client: Handle) -> bool {
        self.clients.contains_key(&client)
    }

    fn push(&mut self, due: Ms, offer: UnpairedOffer) {
        let count = self.clients.entry(offer.client).or_default();
        *count = count.saturating_add(1);
        self.due.push(due, offer);
    }

    fn pop_due(&mut self, now: Ms) -> Option<UnpairedOffer> {
        let offer = self.due.pop_due(now)?;
        let left = self.clients.get(&offer.client).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            self.clients.remove(&offer.client);
        } else {
            self.clients.insert(offer.client, left);
        }
        Some(offer)
    }
}

impl Matching {
    /// Offers that should be paired soon.
    pub(crate) const fn unpaired_offers(&self) -> &UnpairedOffers {
        &self.unpaired_offers
    }

    /// The client of an offer gets further hosts at `due`, if it is not paired by then.
    pub(crate) fn await_pair(&mut self, lease: LeaseId, client: Handle, due: Ms) {
        self.unpaired_offers.push(due, UnpairedOffer { lease, client, step: 0 });
    }

    /// The same once more, after it got some.
    pub(crate) fn await_pair_again(&mut self, slow: UnpairedOffer, due: Ms) {
        self.unpaired_offers.push(due, UnpairedOffer { step: slow.step.saturating_add(1), ..slow });
    }

    /// Returns an offer that should be paired by now.
    pub(crate) fn pop_slow(&mut self, now: Ms) -> Option<UnpairedOffer> {
        self.unpaired_offers.pop_due(now)
    }
}
