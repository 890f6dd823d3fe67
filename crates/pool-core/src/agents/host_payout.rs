use vipnode_types::{
    Account, Ms,
    wire::{NextPayout, PayoutView},
};

use crate::{Limits, NewPayout};

/// The account that receives what a host earns, by the orders of its node key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostPayout {
    /// The account that receives the earnings now.
    pub account: Account,
    /// The counter of the newest order. An older one is ignored.
    pub counter: Ms,
    /// When the account last changed; zero for the first one.
    pub changed: Ms,
    /// The account that was ordered meanwhile, and when it takes effect.
    pub next: Option<(Account, Ms)>,
}

impl HostPayout {
    /// The first account of a host, which takes effect at once: nobody's earnings are redirected.
    pub(crate) const fn first(order: NewPayout) -> Self {
        Self { account: order.account, counter: order.counter, changed: Ms::ZERO, next: None }
    }

    /// The same after a newer order. Another account takes effect only after a while, in which the owner of the present one
    /// can cancel the change with an order for it.
    pub(crate) fn ordered(self, order: NewPayout, now: Ms, limits: &Limits) -> Self {
        let next = match self.next {
            _ if order.account == self.account => None,
            Some((account, from)) if account == order.account => Some((account, from)),
            _ => {
                // Each change writes billing periods that wait, and begins an account that the operator pays on its own.
                let again = if self.changed == Ms::ZERO { now } else { self.changed.plus(limits.payout_change_ms) };
                Some((order.account, now.plus(limits.payout_delay_ms).max(again)))
            }
        };
        Self { counter: order.counter, next, ..self }
    }

    /// The same after the ordered account took effect, if that is due.
    pub(crate) fn changed(self, now: Ms) -> Option<Self> {
        let (account, _) = self.next.filter(|(_, from)| *from <= now)?;
        Some(Self { account, changed: now, next: None, ..self })
    }

    /// The account as its owner sees it.
    pub(crate) fn view(&self) -> PayoutView {
        let next = self.next.map(|(account, from_ms)| NextPayout { account, from_ms });
        PayoutView { account: self.account, next }
    }
}
