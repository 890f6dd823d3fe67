use vipnode_types::{
    Amount, Ms,
    wire::{EvictReason, PaymentTerms},
};

use crate::{
    Core, Effect, Row,
    ledger::{Ledger, burn::BurnRate},
    output::Output,
};

impl Core {
    /// Switches to the payment mode of the limits if the rows of the store are of another one, and otherwise ends the leases for
    /// which nobody pays. The caller calls it once after it has created or restored the core.
    ///
    /// All leases end first, each under the mode in which it ran: what was metered without payments is never billed, and what
    /// was metered with them is posted.
    pub fn settle_payment(&mut self, now: Ms, out: &mut Vec<Effect>) {
        let mode = self.limits.payment;
        let mut output = Output::new(now.max(self.clock.now()));
        if mode == self.payment {
            self.follow_settings(&mut output);
            self.end_without_payer(&mut output);
            self.watch_channels(&mut output);
            self.begin_epochs(&mut output);
            output.finish(out);
            return;
        }
        let leases: Vec<u32> = self.leases.iter().map(|(index, _)| index).collect();
        for lease in leases {
            self.end_lease(&mut output, lease, EvictReason::PaymentChanged, None, None);
        }
        self.metering.write_all_periods(&mut output);
        self.persist_times(&mut output);
        self.post_metered(&mut output);
        if self.ledger.is_some() {
            // What was announced for a time when the pool did not run counts, also for when its clients pay again.
            self.price_due(&mut output);
        }
        output.persist(Row::Payment(mode));
        self.payment = mode;
        let ledger = self.ledger.take().or_else(|| self.unused_ledger.take());
        if mode.is_none() {
            self.unused_ledger = None;
            self.prices.next = None;
            self.follow_settings(&mut output);
        } else {
            self.ledger = Some(ledger.unwrap_or_else(|| Box::new(Ledger::default())));
            self.begin_pricing(&mut output);
            self.watch_channels(&mut output);
            self.begin_epochs(&mut output);
        }
        output.finish(out);
    }

    /// How clients pay, and the terms of that.
    pub(crate) fn payment_terms(&self) -> PaymentTerms {
        let (payment, price) = (self.limits.payment, self.limits.price);
        if payment.is_none() {
            return PaymentTerms::default();
        }
        let minimum_balance = (!price.is_free()).then(|| BurnRate::of(price).least_for(self.limits.funds_last_ms));
        let smallest_payout = Some(Amount::new(self.limits.smallest_payout.into()));
        let trial_ms = Some(self.limits.trial_ms).filter(|ms| *ms > 0 && !price.is_free());
        PaymentTerms {
            payment,
            minimum_balance,
            smallest_payout,
            period_ms: self.epoch_terms().map(|terms| terms.epoch_ms),
            trial_ms,
            channel: self.limits.channel,
        }
    }

    /// Ends the leases that cost something and whose client has no payer: a store of an earlier version may hold some.
    fn end_without_payer(&mut self, output: &mut Output) {
        let unpaid = self.leases.iter().filter(|(_, lease)| self.lacks_payer(lease, None));
        let unpaid: Vec<u32> = unpaid.map(|(index, _)| index).collect();
        for lease in unpaid {
            self.end_lease(output, lease, EvictReason::NoPayer, None, None);
        }
        self.persist_times(output);
        self.post_metered(output);
    }
}
