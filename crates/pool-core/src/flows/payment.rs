use vipnode_types::{Ms, PaymentMode, wire::EvictReason};

use crate::{Core, Effect, Row, ledger::Ledger, output::Output};

impl Core {
    /// Switches to the payment mode of the limits if the rows of the store are of another one. The caller calls it once after it
    /// has created or restored the core.
    ///
    /// All leases end first, each under the mode in which it ran: what was metered without payments is never billed, and what
    /// was metered with them is posted.
    pub fn settle_payment(&mut self, now: Ms, out: &mut Vec<Effect>) {
        let mode = self.limits.payment;
        if mode == self.payment {
            return;
        }
        let mut output = Output::new(now.max(self.clock.now()));
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
}
