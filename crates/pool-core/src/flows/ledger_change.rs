use vipnode_types::{Account, Amount, SignedAmount};

use crate::{
    AccountFigures, ConnectionId, Core, CoreError, LedgerAccount, LedgerAccountView, LedgerChange, LedgerChangeKind,
    LedgerChangeReply, LedgerEntry, OperatorOrder, OrderError, PaidPayouts, PayoutRow, PayoutState, Reply, RequestId,
    Transaction, UnpaidRow, ledger::notice_times::NoticeTimes, output::Output,
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
        if self.ledger.is_none() {
            return Err(CoreError::NoLedger);
        }
        let LedgerChange { kind, order, allow_negative } = change;
        kind.check(&order.reason)?;
        kind.check_account(&self.limits)?;
        if let LedgerChangeKind::PaidAll { period, after } = kind {
            return self.pay_all(output, period, after, &order);
        }
        // Vouchers set the limits of their payers.
        if matches!(kind, LedgerChangeKind::Limit { .. }) && self.pays_by_channels() {
            return Err(OrderError::LimitOfChannel.into());
        }
        let ledger = self.ledger.as_mut().ok_or(CoreError::NoLedger)?;
        let key = order.key.clone();
        let (account, transaction) = match kind {
            LedgerChangeKind::Credit { payer, amount } => (Some(payer), Transaction::Credit { payer, amount, order }),
            LedgerChangeKind::Debit { payer, amount } => (Some(payer), Transaction::Debit { payer, amount, order }),
            LedgerChangeKind::Limit { payer, limit } => (Some(payer), Transaction::Limit { payer, limit, order }),
            LedgerChangeKind::WriteOff { entry } => {
                // The row is gone when the order comes again.
                let done = key.as_deref().and_then(|key| ledger.keyed(key)).cloned();
                if let Some(done) = done
                    && matches!(done.transaction, Transaction::WriteOff { entry: before, .. } if before == entry)
                {
                    return Ok(self.change_reply(done, true));
                }
                let UnpaidRow { payer, payee, cost, collected, .. } =
                    ledger.unpaid_cost(entry).ok_or(OrderError::NoUnpaidCost { entry })?;
                let amount = cost.checked_sub(collected).unwrap_or_default();
                (Some(payer), Transaction::WriteOff { payer, payee, entry, amount, order })
            }
            LedgerChangeKind::Correction { payee, amount, takes } => {
                (Some(payee), Transaction::Correction { payee, amount, takes, order })
            }
            LedgerChangeKind::ClosePeriod => {
                (None, Transaction::Period { period: ledger.next_settlement_period(), order })
            }
            // Posted above.
            LedgerChangeKind::PaidAll { period, .. } => return Err(OrderError::NoPayoutDue { period }.into()),
            LedgerChangeKind::Paid { payout } => {
                let PayoutRow { payee, amount, .. } = ledger.payout(payout).ok_or(OrderError::NoPayout { payout })?;
                (Some(payee), Transaction::Paid { payout, payee, amount, order })
            }
            LedgerChangeKind::Bounced { payout } => {
                let row = ledger.payout(payout).ok_or(OrderError::NoPayout { payout })?;
                let amount = if row.state == PayoutState::Paid { row.amount } else { Amount::ZERO };
                (Some(row.payee), Transaction::Bounced { payout, payee: row.payee, amount, order })
            }
        };
        if let Some(before) = self.order_before(key.as_deref(), &transaction)? {
            return Ok(self.change_reply(before, true));
        }
        self.check_payout(kind)?;
        if !allow_negative {
            self.check_debit(kind)?;
        }
        let Some(ledger) = &mut self.ledger else { return Err(CoreError::NoLedger) };
        let entry = ledger.post(output, transaction).ok_or(OrderError::AmountRange)?;
        self.changed(output, kind, account);
        Ok(self.change_reply(entry, false))
    }

    /// The entry that the same order posted before with its key.
    fn order_before(&self, key: Option<&str>, order: &Transaction) -> Result<Option<LedgerEntry>, OrderError> {
        let (Some(ledger), Some(key)) = (&self.ledger, key) else { return Ok(None) };
        let most = self.limits.order_keys;
        match ledger.keyed(key) {
            Some(entry) if entry.transaction.is_same_order(order) => Ok(Some(entry.clone())),
            Some(entry) => {
                let asset = self.limits.price.asset();
                let [posted, ordered] = [&entry.transaction, order].map(|of| of.describe(asset));
                Err(OrderError::KeyUsed { entry: entry.number, posted, ordered })
            }
            None if ledger.keys() >= most as usize => Err(OrderError::OrderKeys { most }),
            None => Ok(None),
        }
    }

    /// Marks payouts of a period as paid, in one batch. A payout of which less is payable by now is left out, as it would be
    /// refused alone. The order has no key: what is marked is not marked again.
    fn pay_all(
        &mut self,
        output: &mut Output,
        period: u64,
        after: Option<u64>,
        order: &OperatorOrder,
    ) -> Result<LedgerChangeReply, CoreError> {
        let most = self.limits.payouts_a_step;
        let ledger = self.ledger.as_mut().ok_or(CoreError::NoLedger)?;
        let due = ledger.payouts_of(period, after).filter(|row| row.state == PayoutState::Due);
        let mut due: Vec<PayoutRow> = due.take(usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1)).collect();
        let more = due.len() > usize::try_from(most).unwrap_or(usize::MAX);
        due.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let mut paid =
            PaidPayouts { next: due.last().filter(|_| more).map(|row| row.number), ..PaidPayouts::default() };
        let mut newest = None;
        for row in due {
            let PayoutRow { number: payout, payee, amount, .. } = row;
            let order = OperatorOrder { key: None, ..order.clone() };
            let transaction = Transaction::Paid { payout, payee, amount, order };
            let is_payable = amount <= ledger.payee(payee).payable();
            let Some(entry) = is_payable.then(|| ledger.post(output, transaction)).flatten() else {
                paid.left_out = paid.left_out.saturating_add(1);
                continue;
            };
            ledger.set_payout(output, PayoutRow { state: PayoutState::Paid, ..row });
            paid.marked = paid.marked.saturating_add(1);
            paid.amount = paid.amount.checked_add(amount).unwrap_or(Amount::MAX);
            newest = Some(entry);
        }
        let newest_period = ledger.next_settlement_period().saturating_sub(1);
        let entry = newest.ok_or(if paid.left_out > 0 {
            OrderError::PayoutExceeds
        } else if (1..=newest_period).contains(&period) {
            OrderError::NoPayoutDue { period }
        } else {
            OrderError::NoPeriod { period, newest: newest_period }
        })?;
        Ok(LedgerChangeReply { entry, figures: AccountFigures::default(), paid_all: Some(paid), repeated: false })
    }

    /// Checks that a payout is in a state that can be marked so, that no more is taken than is payable, and that a period is closed only
    /// once the payouts of the one before are marked.
    fn check_payout(&self, kind: LedgerChangeKind) -> Result<(), OrderError> {
        let payouts = self.ledger.as_ref().map_or(0, |ledger| ledger.unmarked_payouts());
        let row = |payout: u64| self.ledger.as_ref()?.payout(payout);
        let marked =
            |payout: u64, state: PayoutState| row(payout).filter(|row| row.state == state).map(|row| row.payee);
        let payable = |row: PayoutRow| self.ledger.as_ref().map(|ledger| ledger.payee(row.payee).payable());
        match kind {
            LedgerChangeKind::ClosePeriod if payouts > 0 => Err(OrderError::PayoutsUnmarked { payouts }),
            LedgerChangeKind::Paid { payout } if let Some(account) = marked(payout, PayoutState::Paid) => {
                Err(OrderError::PayoutPaid { payout, account })
            }
            LedgerChangeKind::Paid { payout } | LedgerChangeKind::Bounced { payout }
                if let Some(account) = marked(payout, PayoutState::Bounced) =>
            {
                Err(OrderError::PayoutBounced { payout, account })
            }
            LedgerChangeKind::Correction { payee, amount, takes: true }
                if self.ledger.as_ref().is_some_and(|ledger| amount > ledger.payee(payee).payable()) =>
            {
                Err(OrderError::CorrectionExceeds)
            }
            LedgerChangeKind::Paid { payout } if row(payout).is_some_and(|row| Some(row.amount) > payable(row)) => {
                Err(OrderError::PayoutExceeds)
            }
            _ => Ok(()),
        }
    }

    /// Checks that a debit leaves no debt, by the billing periods that have ended.
    fn check_debit(&self, kind: LedgerChangeKind) -> Result<(), CoreError> {
        let LedgerChangeKind::Debit { payer: account, amount } = kind else { return Ok(()) };
        let AccountFigures { received, sent, .. } = self.ledger.as_ref().ok_or(CoreError::NoLedger)?.payer(account);
        let debt = sent.checked_add(amount).unwrap_or(Amount::MAX).checked_sub(received).unwrap_or_default();
        if debt == Amount::ZERO {
            return Ok(());
        }
        let balance = SignedAmount::difference(received, sent);
        Err(OrderError::DebitExceeds { account, asset: self.limits.price.asset(), balance, debt }.into())
    }

    /// Brings what depends on a posted change up to date.
    fn changed(&mut self, output: &mut Output, kind: LedgerChangeKind, account: Option<Account>) {
        let most = self.limits.collected_a_tick;
        let Some(ledger) = &mut self.ledger else { return };
        match kind {
            LedgerChangeKind::ClosePeriod => {
                let payable = ledger.payable(Amount::new(self.limits.smallest_payout.into()));
                ledger.close_period(output, output.now, payable.into_iter());
            }
            LedgerChangeKind::Paid { payout } | LedgerChangeKind::Bounced { payout } => {
                let paid = matches!(kind, LedgerChangeKind::Paid { .. });
                let state = if paid { PayoutState::Paid } else { PayoutState::Bounced };
                if let Some(row) = ledger.payout(payout) {
                    ledger.set_payout(output, PayoutRow { state, ..row });
                }
            }
            LedgerChangeKind::PaidAll { .. } | LedgerChangeKind::Correction { .. } => {}
            LedgerChangeKind::WriteOff { entry } => {
                let Some(payer) = account else { return };
                ledger.written_off(output, entry);
                ledger.plan_check(payer, NoticeTimes::of(&self.limits), output.now);
                self.funds_changed_of(output, payer);
            }
            LedgerChangeKind::Credit { .. } | LedgerChangeKind::Debit { .. } | LedgerChangeKind::Limit { .. } => {
                let Some(payer) = account else { return };
                ledger.collect(output, payer, most);
                self.funds_changed_of(output, payer);
            }
        }
    }

    fn change_reply(&self, entry: LedgerEntry, repeated: bool) -> LedgerChangeReply {
        let account = match entry.transaction {
            Transaction::Credit { payer, .. }
            | Transaction::Debit { payer, .. }
            | Transaction::Limit { payer, .. }
            | Transaction::WriteOff { payer, .. } => Some(LedgerAccount::Payer(payer)),
            Transaction::Correction { payee, .. }
            | Transaction::Paid { payee, .. }
            | Transaction::Bounced { payee, .. } => Some(LedgerAccount::Payee(payee)),
            Transaction::Period { .. }
            | Transaction::Lease { .. }
            | Transaction::Collected { .. }
            | Transaction::Overbilled { .. }
            | Transaction::Voucher { .. }
            | Transaction::Claimed { .. } => None,
        };
        let figures = self.ledger.as_ref().zip(account).map(|(ledger, account)| ledger.figures(account));
        LedgerChangeReply { entry, figures: figures.unwrap_or_default(), paid_all: None, repeated }
    }

    /// Forgets the idempotency keys of the entries up to a number. The caller calls it once the store has removed these: the same
    /// order is posted again, as it would be after a restart.
    pub fn forget_keys(&mut self, last: u64) {
        if let Some(ledger) = self.ledger.as_mut().or(self.unused_ledger.as_mut()) {
            ledger.forget_keys(last);
        }
    }

    /// Accounts from an address on, as the operator sees them; `None` if the pool has no ledger.
    #[must_use]
    pub fn accounts_from(&self, from: Option<Account>, most: usize) -> Option<Vec<LedgerAccountView>> {
        Some(self.ledger.as_ref()?.views(from, most, self.clock.now()))
    }

    /// The payout with a number.
    #[must_use]
    pub fn payout_with(&self, number: u64) -> Option<PayoutRow> {
        self.ledger.as_ref()?.payout(number)
    }

    /// At most `most` payouts of a settlement period, or of the newest, after a number; `None` if the pool has no ledger.
    #[must_use]
    pub fn payouts_of(&self, period: Option<u64>, after: Option<u64>, most: usize) -> Option<Vec<PayoutRow>> {
        let ledger = self.ledger.as_ref()?;
        let period = period.unwrap_or_else(|| ledger.next_settlement_period().saturating_sub(1));
        Some(ledger.payouts_of(period, after).take(most).collect())
    }

    /// The number of the newest settlement period that was closed, 0 if none was; `None` if the pool has no ledger.
    #[must_use]
    pub fn newest_settlement_period(&self) -> Option<u64> {
        Some(self.ledger.as_ref()?.next_settlement_period().saturating_sub(1))
    }

    /// Posts the costs of the billing periods that this command has finished.
    pub(crate) fn post_metered(&mut self, output: &mut Output) {
        let Some(ledger) = &mut self.ledger else { return };
        for period in output.metered() {
            ledger.charge(output, &period);
        }
    }
}
