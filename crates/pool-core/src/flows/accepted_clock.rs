use vipnode_types::{Amount, Ms};

use crate::{AcceptedClock, Core, Effect, MeteredPeriod, OperatorOrder, Transaction, output::Output};

impl Core {
    /// Ends the billing period of each running lease at the time when both sides were last connected to each other, and
    /// posts how much of each is overbilled. The caller calls it once after it has restored the core with a clock that
    /// the operator accepted.
    ///
    /// Pool time continues at the latest stored time. The next periods begin only there, although the sides of a lease may have
    /// stayed connected: what they last reported may be from before the clock moved ahead. So no later period contains time that did
    /// not pass. Returns the number of entries that it posted, and what they add up to.
    pub fn accept_clock(&mut self, now: Ms, accepted: &AcceptedClock, out: &mut Vec<Effect>) -> (u64, Amount) {
        let mut output = Output::new(now.max(self.clock.now()));
        self.cut_rows(&mut output);
        self.metering.write_all_periods(&mut output);
        self.persist_times(&mut output);
        let mut billed = Vec::new();
        if let Some(ledger) = &mut self.ledger {
            for period in output.metered() {
                billed.extend(ledger.charge(&mut output, &period).map(|entry| (entry, period)));
            }
        }
        let posted = self.post_all_overbilled(&mut output, accepted, &billed);
        output.finish(out);
        posted
    }

    /// Posts how much of finished billing periods is overbilled, each with the number of the entry that billed it. Returns the number
    /// of entries that it posted, and what they add up to.
    pub fn post_overbilled(
        &mut self,
        now: Ms,
        accepted: &AcceptedClock,
        periods: &[(u64, MeteredPeriod)],
        out: &mut Vec<Effect>,
    ) -> (u64, Amount) {
        let mut output = Output::new(now.max(self.clock.now()));
        let posted = self.post_all_overbilled(&mut output, accepted, periods);
        output.finish(out);
        posted
    }

    /// Returns the number of the newest entry of the ledger; `None` if the pool has no ledger.
    #[must_use]
    pub fn newest_entry(&self) -> Option<u64> {
        self.ledger.as_ref().map(|ledger| ledger.newest())
    }

    fn post_all_overbilled(
        &mut self,
        output: &mut Output,
        accepted: &AcceptedClock,
        periods: &[(u64, MeteredPeriod)],
    ) -> (u64, Amount) {
        let (mut posted, mut sum) = (0_u64, Amount::ZERO);
        for (entry, period) in periods {
            let amount = accepted.overbilled(period, &self.limits);
            let (Some(ledger), Some(payer), Some(payee)) = (&mut self.ledger, period.lease.payer, period.lease.payee)
            else {
                continue;
            };
            if amount == Amount::ZERO {
                continue;
            }
            let shown = period.lease.price.asset().show(amount);
            let reason = format!(
                "about {shown} is for time that did not pass: at {}, the pool's clock had reached {}",
                accepted.clock.rfc3339_seconds(),
                accepted.stored.rfc3339_seconds()
            );
            let order = OperatorOrder { by: accepted.by, reason, key: None };
            if ledger.post(output, Transaction::Overbilled { payer, payee, entry: *entry, amount, order }).is_some() {
                posted = posted.saturating_add(1);
                sum = sum.checked_add(amount).unwrap_or(Amount::MAX);
            }
        }
        (posted, sum)
    }
}
