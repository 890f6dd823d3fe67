use crate::{
    ConnectionId, Core, CoreError, LedgerChange, LedgerChangeKind, LedgerChangeReply, Reply, RequestId, Transaction,
    output::Output,
};

impl Core {
    /// Posts what the operator ordered. An order with a key that was used before changes nothing.
    pub(crate) fn change_ledger(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        change: LedgerChange,
    ) {
        match self.post_change(output, change) {
            Ok(reply) => output.reply_durably(connection, request, Reply::Ledger(Box::new(reply))),
            Err(error) => output.reply(connection, request, Err(error.into())),
        }
    }

    fn post_change(&mut self, output: &mut Output, change: LedgerChange) -> Result<LedgerChangeReply, CoreError> {
        let most = self.limits.collected_a_tick;
        let ledger = self.ledger.as_mut().ok_or(CoreError::NoLedger)?;
        let LedgerChange { kind, order } = change;
        let key = order.key.clone();
        let (payer, transaction) = match kind {
            LedgerChangeKind::Credit { payer, amount } => (payer, Transaction::Credit { payer, amount, order }),
            LedgerChangeKind::Debit { payer, amount } => (payer, Transaction::Debit { payer, amount, order }),
            LedgerChangeKind::Limit { payer, limit } => (payer, Transaction::Limit { payer, limit, order }),
        };
        if let Some(entry) = key.as_deref().and_then(|key| ledger.keyed(key)) {
            if !entry.transaction.is_same_order(&transaction) {
                return Err(CoreError::KeyUsed { entry: entry.number });
            }
            return Ok(LedgerChangeReply { entry: entry.clone(), figures: ledger.payer(payer) });
        }
        let entry = ledger.post(output, transaction).ok_or(CoreError::AmountRange)?;
        ledger.collect(output, payer, most);
        ledger.plan_check(payer, output.now);
        let figures = ledger.payer(payer);
        self.funded(payer);
        Ok(LedgerChangeReply { entry, figures })
    }

    /// Posts the costs of the billing periods that this command has finished.
    pub(crate) fn post_metered(&mut self, output: &mut Output) {
        let Some(ledger) = &mut self.ledger else { return };
        for period in output.metered() {
            ledger.charge(output, &period);
        }
    }
}
