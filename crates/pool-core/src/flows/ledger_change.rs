use vipnode_types::{Account, NodeId, wire::Done};

use crate::{
    ConnectionId, Core, CoreError, LedgerChange, LedgerChangeKind, LedgerChangeReply, LinkRow, Reply, RequestId, Row,
    RowKey, Transaction, output::Output,
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

    /// Links a client's node with the account that pays for its leases, or with none. The caller has checked the signatures of
    /// both.
    pub(crate) fn link(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        (node, account): (NodeId, Option<Account>),
        (signer, counter): (Account, u64),
    ) {
        let Some(ledger) = &mut self.ledger else {
            output.reply(connection, request, Err(CoreError::NoLedger.into()));
            return;
        };
        let newest = ledger.links.counter(signer);
        if counter <= newest {
            output.reply(connection, request, Err(CoreError::LinkCounter { newest }.into()));
            return;
        }
        ledger.links.set_counter(signer, counter);
        output.persist(Row::LinkCounter(signer, counter));
        self.set_payer(output, node, account);
        output.reply_durably(connection, request, Reply::Done(Done {}));
    }

    /// Changes the payer of a node: its running rows end first, and the next ones are for the new payer.
    fn set_payer(&mut self, output: &mut Output, node: NodeId, payer: Option<Account>) {
        let leases: Vec<u32> = match self.agents.find(&node) {
            Some(index) => self.leases.of_client(index).map(|(lease, _)| lease).collect(),
            None => Vec::new(),
        };
        for &lease in &leases {
            self.end_row(output, lease);
        }
        let Some(ledger) = &mut self.ledger else { return };
        ledger.links.set(node, payer);
        output.persist(match payer {
            Some(account) => Row::Link(LinkRow { node, account }),
            None => Row::Delete(RowKey::Link(node)),
        });
        for lease in leases {
            self.begin_charges(lease);
            self.persist_lease(output, lease);
        }
        payer.into_iter().for_each(|payer| self.funded(payer));
    }

    /// Posts the costs of the billing periods that this command has finished.
    pub(crate) fn post_metered(&mut self, output: &mut Output) {
        let Some(ledger) = &mut self.ledger else { return };
        for period in output.metered() {
            ledger.charge(output, &period);
        }
    }
}
