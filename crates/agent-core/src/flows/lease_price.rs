//! At which price a lease is metered: one that the user's settings accept, whatever the pool states.

use vipnode_types::{
    LeaseId, Ms, Price,
    wire::{EvictReason, LeaveReason, Side},
};

use crate::{Action, AgentCore, Refusal, host::offer::too_cheap, leases::Lease};

impl AgentCore {
    /// Meters a lease at the price that the pool states, from now on. A lease at a price that was never agreed to ends: the agent would
    /// otherwise sign for a price that only the pool set.
    pub(crate) fn meter_at(&mut self, now: Ms, id: LeaseId, price: Price, out: &mut Vec<Action>) {
        let Some(held) = self.leases.get(id).filter(|held| !held.is_direct()) else { return };
        if held.runs() && !self.accepts(held, price) {
            self.leave(id, LeaveReason::Price);
            self.announce_lost(id, EvictReason::Price, out);
            self.end(id, Some(EvictReason::Price), out);
        } else if let Some(held) = self.leases.get_mut(id) {
            held.set_price(price, now);
        }
    }

    /// Whether a lease may be metered at a price: its own, or one that its user's settings accept.
    fn accepts(&self, held: &Lease, price: Price) -> bool {
        // At first, a host takes the pool's word: a trial costs nothing, and an earlier run may have agreed to another price.
        let is_first = held.side() == Side::Host && held.price().is_none();
        let is_own = is_first || held.price() == Some(price);
        is_own || self.price_refusal(held.side(), price, self.session.fee_bps()).is_none()
    }

    /// Why a price does not fit the user's --max-price or --min-price.
    pub(crate) fn price_refusal(&self, side: Side, price: Price, fee_bps: u16) -> Option<Refusal> {
        match (side, &self.config.host) {
            (Side::Client, _) => (!self.config.pays(price)).then_some(Refusal::TooExpensive),
            (Side::Host, Some(host)) => {
                too_cheap(host, price.less_fee(fee_bps)).map(|why| Refusal::NotOffering { why })
            }
            (Side::Host, None) => None,
        }
    }
}
