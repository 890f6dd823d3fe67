use vipnode_types::{LeaseId, Ms};

use crate::{collections::deadlines::Deadlines, matching::Matching};

/// Offers of clients that should be paired soon.
///
/// A host may admit a client and stay silent, or not answer at all, and the client would wait for its offer to end. So a
/// client that can be called gets further hosts while more slots are free than others need before it: two after
/// `extra_host_ms`, four after twice as long, and so on, up to `extra_offers`. Among as many silent blocks as good
/// ones, each of them is good in one of two cases, and all of them are silent in less than one of a hundred. Once the
/// client is paired with as many hosts as it wants, the other offers end. That includes offers from before a restart of
/// the pool, whose clients do not ask again.
#[derive(Debug)]
pub(crate) struct UnpairedOffers(Deadlines<UnpairedOffer>);

/// An offer that is not paired yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnpairedOffer {
    pub(crate) lease: LeaseId,
    /// How often its client got further hosts because of it.
    step: u8,
}

impl UnpairedOffer {
    /// The number of hosts that its client gets now.
    pub(crate) fn extra_hosts(self) -> u32 {
        2_u32.saturating_pow(u32::from(self.step).saturating_add(1))
    }
}

impl UnpairedOffers {
    pub(crate) const fn new() -> Self {
        Self(Deadlines::new())
    }

    pub(crate) fn next(&self) -> Option<Ms> {
        self.0.next()
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

impl Matching {
    /// The client of an offer gets further hosts at `due`, if it is not paired by then.
    pub(crate) fn await_pair(&mut self, lease: LeaseId, due: Ms) {
        self.unpaired_offers.0.push(due, UnpairedOffer { lease, step: 0 });
    }

    /// The same once more, after it got some.
    pub(crate) fn await_pair_again(&mut self, slow: UnpairedOffer, due: Ms) {
        self.unpaired_offers.0.push(due, UnpairedOffer { step: slow.step.saturating_add(1), ..slow });
    }

    /// Returns an offer that should be paired by now.
    pub(crate) fn pop_slow(&mut self, now: Ms) -> Option<UnpairedOffer> {
        self.unpaired_offers.0.pop_due(now)
    }
}
