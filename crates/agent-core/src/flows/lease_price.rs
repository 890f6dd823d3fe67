//! At which price a lease is metered: one that the user's settings accept, whatever the pool states.

use vipnode_types::{
    LeaseId, Ms, Price,
    wire::{EvictReason, LeaveReason, Side},
};

use crate::{Action, AgentCore, host::offer::too_cheap};

impl AgentCore {
    /// Meters a lease at the price that the pool states, from now on. A lease at a price that was never agreed to ends: the agent would
    /// otherwise sign for a price that only the pool set.
    pub(crate) fn meter_at(&mut self, now: Ms, id: LeaseId, price: Price, out: &mut Vec<Action>) {
        if self.accepts_price(id, price) {
            if let Some(held) = self.leases.get_mut(id).filter(|held| !held.is_direct()) {
                held.set_price(price, now);
            }
            return;
        }
        self.leave(id, LeaveReason::Price);
        self.announce_lost(id, EvictReason::Price, out);
        self.end(id, Some(EvictReason::Price), out);
    }

    /// Whether a lease has this price already, or its user accepts it by --max-price or --min-price.
    fn accepts_price(&self, id: LeaseId, price: Price) -> bool {
        let Some(held) = self.leases.get(id).filter(|held| held.runs() && !held.is_direct()) else { return true };
        if held.price() == Some(price) {
            return true;
        }
        match (held.side(), &self.config.host) {
            (Side::Client, _) => self.config.pays(price),
            // At first, the pool's word counts: a trial costs nothing, and an earlier run may have agreed to another price.
            (Side::Host, Some(host)) if held.price().is_some() => {
                too_cheap(host, price.less_fee(self.session.fee_bps())).is_none()
            }
            (Side::Host, _) => true,
        }
    }
}
