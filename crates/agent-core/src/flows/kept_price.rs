use vipnode_types::{Ms, Price};

use crate::{Action, AgentCore, Notice};

impl AgentCore {
    /// Sets the price that an earlier run of the client kept for this pool ([`Action::KeepPrice`]). The caller calls this before
    /// the first event.
    pub fn restore_kept_price(&mut self, price: Price) {
        self.kept_price.restore(price);
        self.use_kept_price();
    }

    /// Applies the kept price to a client whose user set no maximum.
    pub(crate) fn use_kept_price(&mut self) {
        if self.config.max_price.is_none() {
            self.config.max_price = self.kept_price.maximum();
        }
    }

    /// Keeps the price of a pool whose clients pay, if the user set no maximum.
    pub(crate) fn keep_first_price(&mut self, out: &mut Vec<Action>) {
        let charged = self.session.terms().is_some_and(|terms| !terms.payment.is_none());
        let unlimited = self.config.min_peers > 0 && self.config.max_price.is_none();
        let Some(price) = self.session.price().filter(|_| charged && unlimited) else { return };
        if self.kept_price.keep(price) {
            out.push(Action::KeepPrice(price));
            out.push(Action::Notice(Notice::PriceKept { price }));
            self.use_kept_price();
        }
    }

    /// Connects again if the price rose above a maximum that the pool did not get, because it was kept on this socket.
    pub(crate) fn present_kept_price(&mut self, now: Ms, out: &mut Vec<Action>) {
        let exceeds = self.session.price().is_some_and(|price| !self.config.pays(price));
        if exceeds && self.kept_price.take_unsent() {
            self.present(now, true, out);
        }
    }
}
