use vipnode_types::{Ms, PaymentMode, wire::EvictReason};

use crate::{Core, Effect, Row, ledger::Ledger, output::Output};

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
            self.end_without_payer(&mut output);
            output.finish(out);
            return;
        }
        let leases: Vec<u32> = self.leases.iter().map(|(index, _)| index).collect();
        for lease in leases {
            self.end_lease(&mut output, lease, EvictReason::Price, None, None);
        }
        self.metering.rows.write_all(&mut output);
        self.persist_times(&mut output);
        self.post_metered(&mut output);
        output.persist(Row::Payment(mode));
        self.payment = mode;
        let ledger = self.ledger.take().or_else(|| self.unused_ledger.take());
        match mode {
            PaymentMode::None => self.unused_ledger = None,
            PaymentMode::Credit => self.ledger = Some(ledger.unwrap_or_else(|| Box::new(Ledger::default()))),
        }
        output.finish(out);
    }

    /// Ends the leases that cost something and whose client has no payer: a store of an earlier version may hold some.
    fn end_without_payer(&mut self, output: &mut Output) {
        let unpaid = self.leases.iter().filter(|(_, lease)| self.lacks_payer(lease, None));
        let unpaid: Vec<u32> = unpaid.map(|(index, _)| index).collect();
        for lease in unpaid {
            self.end_lease(output, lease, EvictReason::NoFunds, None, None);
        }
        self.persist_times(output);
        self.post_metered(output);
    }
}
