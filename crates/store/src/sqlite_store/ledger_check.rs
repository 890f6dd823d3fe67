//! The check of the ledger: every sum, unpaid cost, and payout computed again from the journal.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result};
use vipnode_pool_core::{
    AccountFigures, BalanceSheet, LedgerAccount, LedgerEntry, MeteredPeriod, PayoutRow, PayoutState, Row,
    SettlementPeriodRow, Transaction, UnpaidRow,
};
use vipnode_types::{Account, Amount};

use super::{
    chain_check::ChainCheck, entry_table, ledger_tables, missing_entries::MissingEntries, period_table,
    recomputed_unpaid::RecomputedUnpaid,
};

/// Billing periods that an account pays for, without an entry. Neither side is indexed by period, so both are sorted: a join would
/// compare each with each.
const PERIODS_WITHOUT_ENTRY: &str = "
    SELECT lease, row FROM journal
    WHERE payer IS NOT NULL AND payee IS NOT NULL AND (length(cost) > 0 OR length(earlier_cost) > 0)
    EXCEPT SELECT subject, lease_row FROM entries WHERE kind = 'lease'";
/// Billing periods with more than one entry.
const PERIODS_BILLED_AGAIN: &str = "
    SELECT subject, lease_row FROM entries WHERE kind = 'lease' GROUP BY subject, lease_row HAVING count(*) > 1";
/// Nodes whose link neither a counter nor a payment channel permits.
const LINKS_WITHOUT_COUNTER: &str = "
    SELECT lower(hex(links.node)), lower(hex(links.account)) FROM links
    LEFT JOIN link_counters USING (account) WHERE link_counters.account IS NULL
    AND links.account NOT IN (SELECT signer FROM channels)";

/// The check of one database.
struct LedgerCheck<'connection> {
    connection: &'connection Connection,
    stored: StoredLedger,
    again: RecomputedLedger,
}

/// Passes what is wrong with the ledger to `problem`. Returns the number of its entries.
pub(super) fn check(connection: &Connection, problem: &mut dyn FnMut(String)) -> Result<u64> {
    let mut check = LedgerCheck { connection, stored: StoredLedger::default(), again: RecomputedLedger::default() };
    ledger_tables::read(connection, &mut |row| check.stored.take(&row))?;
    (check.again.number, check.again.period) = pruned(connection)?;
    check.again.pruned = check.again.number;
    ledger_tables::read_openings(connection, &mut |row| check.open(&row))?;
    let (mut failed, mut chains) = (Ok(()), ChainCheck::after(check.again.pruned));
    entry_table::read(connection, 0, usize::MAX, &mut |entry| {
        if failed.is_ok() {
            failed = check.entry(&entry, problem).and_then(|()| {
                if !chains.entry(connection, &entry)? {
                    problem(format!("entry {} of the ledger is not in the chain of its account", entry.number));
                }
                Ok(())
            });
        }
    })?;
    failed?;
    if !chains.finish(connection)? {
        problem("the chain of an account does not begin at its newest entry".to_owned());
    }
    let number = check.again.number;
    check.finish(problem);
    let periods = |sql: &str, what: &str, problem: &mut dyn FnMut(String)| -> Result<()> {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (lease, row) = (row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, u32>(1)?);
            problem(format!("period {row} of lease {lease} {what}"));
        }
        Ok(())
    };
    periods(PERIODS_WITHOUT_ENTRY, "has a payer and a cost, but no entry in the ledger", problem)?;
    periods(PERIODS_BILLED_AGAIN, "has more than one entry in the ledger", problem)?;
    let mut links = connection.prepare(LINKS_WITHOUT_COUNTER)?;
    let mut rows = links.query([])?;
    while let Some(row) = rows.next()? {
        let (node, account): (String, String) = (row.get(0)?, row.get(1)?);
        problem(format!("node {node} is linked with account 0x{account}, which has no counter"));
    }
    Ok(number)
}

/// The numbers of the last entry and the last settlement period that were removed from the journal; 0 if none was.
pub(super) fn pruned(connection: &Connection) -> Result<(u64, u64)> {
    let read =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned()));
    connection.query_row("SELECT pruned_entry, pruned_period FROM pool", [], read)
}

/// What is stored besides the journal.
#[derive(Default)]
struct StoredLedger {
    accounts: BTreeMap<LedgerAccount, AccountFigures>,
    unpaid: BTreeMap<u64, UnpaidRow>,
    period: u64,
    payouts: BTreeMap<u64, PayoutRow>,
}

/// What the journal results in.
#[derive(Default)]
struct RecomputedLedger {
    /// The number of the newest entry.
    number: u64,
    /// The number of the last entry that was removed.
    pruned: u64,
    missing: MissingEntries,
    sheet: BalanceSheet,
    unpaid: RecomputedUnpaid,
    /// The number of the newest settlement period.
    period: u64,
    /// What became of each payout that was marked.
    marked: BTreeMap<u64, PayoutState>,
    /// Marked payouts of periods long ago, which are no longer stored.
    forgotten: BTreeMap<u64, PayoutRow>,
}

impl StoredLedger {
    fn take(&mut self, row: &Row) {
        match row {
            Row::Account(row) => {
                self.accounts.insert(row.account, row.figures);
            }
            Row::Unpaid(row) => {
                self.unpaid.insert(row.entry, *row);
            }
            Row::Period(row) => self.period = row.number,
            Row::Payout(row) => {
                self.payouts.insert(row.number, *row);
            }
            _ => {}
        }
    }
}

impl LedgerCheck<'_> {
    /// Takes a row of the state before the first entry.
    fn open(&mut self, row: &Row) {
        match row {
            Row::Account(row) => self.again.sheet.open(row.account, row.figures),
            Row::Unpaid(row) => self.again.unpaid.set(*row),
            Row::Payout(row) => {
                self.again.marked.insert(row.number, row.state);
                if self.is_forgotten(row.number, row.period) {
                    self.again.forgotten.insert(row.number, *row);
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, entry: &LedgerEntry, problem: &mut dyn FnMut(String)) -> Result<()> {
        let next = self.again.number.saturating_add(1);
        match entry.number.checked_sub(1) {
            Some(last) if last >= next => self.again.missing.add(next, last),
            Some(last) if last.saturating_add(1) == next => {}
            _ => problem(format!("entry {} of the ledger was removed, but is still there", entry.number)),
        }
        self.again.number = entry.number;
        let before = entry.transaction.payer().map(|payer| self.again.sheet.figures(LedgerAccount::Payer(payer)));
        let before = before.unwrap_or_default();
        if self.again.sheet.apply(&entry.transaction, |_| AccountFigures::default()).is_none() {
            problem(format!("entry {} of the ledger has an impossible amount", entry.number));
        }
        let wrong = match entry.transaction {
            Transaction::Lease { .. } => self.lease(entry, before)?,
            Transaction::Collected { .. } => self.collected(&entry.transaction, before),
            Transaction::WriteOff { payer, payee, entry, amount, .. } => {
                self.written_off((payer, payee), entry, amount)
            }
            Transaction::Overbilled { payer, payee, entry, amount, .. } => {
                self.overbilled((payer, payee), entry, amount)?
            }
            Transaction::Period { period, .. } => self.period(period, problem),
            Transaction::Paid { payout, payee, amount, .. } => {
                self.marked((payout, payee, amount), PayoutState::Paid, |row, before| {
                    (row.payee, row.amount) == (payee, amount) && before == PayoutState::Due
                })
            }
            Transaction::Bounced { payout, payee, amount, .. } => {
                self.marked((payout, payee, amount), PayoutState::Bounced, |row, before| {
                    let returned = if before == PayoutState::Paid { row.amount } else { Amount::ZERO };
                    (row.payee, returned) == (payee, amount) && before != PayoutState::Bounced
                })
            }
            Transaction::Credit { .. }
            | Transaction::Debit { .. }
            | Transaction::Limit { .. }
            | Transaction::Voucher { .. }
            | Transaction::Claimed { .. }
            | Transaction::Correction { .. } => None,
        };
        wrong.into_iter().for_each(|wrong| problem(format!("entry {} of the ledger {wrong}", entry.number)));
        Ok(())
    }

    /// Compares an entry with the billing period that it bills, and with the sums of its payer `before` it.
    fn lease(&mut self, entry: &LedgerEntry, before: AccountFigures) -> Result<Option<&'static str>> {
        let Transaction::Lease { payer, payee, lease, row, from, cost, collected, fee } = entry.transaction else {
            return Ok(None);
        };
        // In the order of the meter: what ended before is secured first.
        let left = before.secured().checked_sub(before.metered).unwrap_or_default();
        let secured = if self.again.unpaid.oldest(payer).is_none() { left.min(cost) } else { Amount::ZERO };
        let Some(period) = period_table::find(self.connection, lease.get(), row)? else {
            return Ok(Some("bills a period that was not metered"));
        };
        let unpaid = UnpaidRow { entry: entry.number, payer, payee, fee_bps: period.lease.fee_bps, cost, collected };
        if collected < cost {
            self.again.unpaid.set(unpaid);
        }
        if period.folded > 0 && !self.found(entry.number, &period)? {
            return Ok(Some("does not contain the entries that were folded into it"));
        }
        // Each of its periods has a fee that was rounded down.
        let less = unpaid.fee().checked_sub(fee).map(Amount::get);
        Ok(if (period.lease.payer, period.lease.payee) != (Some(payer), Some(payee)) {
            Some("has a different payer or payee from its period")
        } else if period.total_cost() != cost {
            Some("has a different cost from its period")
        } else if from != before.metered {
            Some("does not begin where the payer's meter was")
        } else if collected != secured || less.is_none_or(|less| less > u128::from(period.folded)) {
            Some("has a wrong collected amount or fee")
        } else {
            None
        })
    }

    /// Whether the entries that were folded into one are all that its period contains, and are not in the journal themselves.
    fn found(&mut self, number: u64, period: &MeteredPeriod) -> Result<bool> {
        let folded = entry_table::folded(self.connection, number)?;
        let pruned = self.again.pruned;
        let mut all = u32::try_from(folded.len()) == Ok(period.folded);
        for number in folded.iter().filter(|number| *number > pruned) {
            all &= self.again.missing.found(number);
        }
        Ok(all)
    }

    /// Compares what was collected later with the entry that it is for, which is the payer's oldest unpaid one, and with what the payer
    /// had secured before.
    fn collected(&mut self, transaction: &Transaction, figures: AccountFigures) -> Option<&'static str> {
        let Transaction::Collected { payer, payee, entry, amount, fee } = *transaction else { return None };
        let is_oldest = self.again.unpaid.oldest(payer) == Some(entry);
        let Some(before) = self.again.unpaid.take(entry) else { return Some("collects a cost that is not unpaid") };
        let collected = before.collected.checked_add(amount).unwrap_or(Amount::MAX);
        let after = UnpaidRow { collected, ..before };
        if after.collected < after.cost {
            self.again.unpaid.set(after);
        }
        let as_before = (before.payer, before.payee) == (payer, payee);
        let more = after.fee().checked_sub(before.fee());
        let secured = figures.secured().checked_sub(figures.collected).unwrap_or_default();
        if !as_before || after.collected > after.cost || more != Some(fee) {
            Some("does not fit the cost that it collects")
        } else if !is_oldest || amount > secured {
            Some("collects what the payer has not secured")
        } else {
            None
        }
    }

    /// Compares what was written off with the entry that it is for.
    fn written_off(&mut self, of: (Account, Account), entry: u64, amount: Amount) -> Option<&'static str> {
        let Some(row) = self.again.unpaid.take(entry) else { return Some("writes off a cost that is not unpaid") };
        let fits = (row.payer, row.payee) == of && row.cost.checked_sub(row.collected) == Some(amount);
        (!fits).then_some("does not fit the cost that it writes off")
    }

    /// Compares what is overbilled with the entry that billed it.
    fn overbilled(&self, of: (Account, Account), entry: u64, amount: Amount) -> Result<Option<&'static str>> {
        if entry <= self.again.pruned {
            return Ok(None);
        }
        let mut billed = None;
        entry_table::read(self.connection, entry, 1, &mut |found| billed = Some(found))?;
        let fits = billed.is_some_and(|billed| match billed.transaction {
            Transaction::Lease { payer, payee, cost, .. } => {
                (billed.number, payer, payee) == (entry, of.0, of.1) && amount <= cost
            }
            _ => false,
        });
        Ok((!fits).then_some("does not fit the cost that it is about"))
    }

    /// Compares the payouts of a settlement period with what was payable when it was closed.
    fn period(&mut self, period: u64, problem: &mut dyn FnMut(String)) -> Option<&'static str> {
        for row in self.stored.payouts.values().filter(|row| row.period == period) {
            if self.again.sheet.figures(LedgerAccount::Payee(row.payee)).payable() != row.amount {
                problem(format!("payout {} is not what was payable to {}", row.number, row.payee));
            }
        }
        let next = self.again.period.saturating_add(1);
        self.again.period = period;
        (period != next).then_some("closes a period out of order")
    }

    /// Marks a payout if an entry `fits` it and its state before. One of a period long ago is known only from its entries; it was
    /// marked before the next period was closed.
    fn marked(
        &mut self,
        (payout, payee, amount): (u64, Account, Amount),
        state: PayoutState,
        fits: impl FnOnce(PayoutRow, PayoutState) -> bool,
    ) -> Option<&'static str> {
        let before = self.again.marked.insert(payout, state).unwrap_or(PayoutState::Due);
        let period = self.again.period;
        if self.is_forgotten(payout, period) {
            let row = PayoutRow { number: payout, period, payee, amount, state: PayoutState::Due };
            self.again.forgotten.entry(payout).or_insert(row);
        }
        let row = self.stored.payouts.get(&payout).or_else(|| self.again.forgotten.get(&payout));
        let row = row.filter(|row| row.period <= period);
        (!row.is_some_and(|row| fits(*row, before))).then_some("does not fit the payout that it marks")
    }

    /// Whether the pool no longer stores a payout that was marked in a settlement period.
    fn is_forgotten(&self, payout: u64, period: u64) -> bool {
        let first = self.stored.payouts.first_key_value().map(|(number, _)| *number);
        let is_old = period.saturating_add(SettlementPeriodRow::WITH_PAYOUTS) <= self.stored.period;
        is_old && first.is_some_and(|first| payout < first)
    }

    /// Compares what is stored with what the journal results in.
    fn finish(self, problem: &mut dyn FnMut(String)) {
        let Self { stored: StoredLedger { mut accounts, mut unpaid, period, payouts }, again, .. } = self;
        for number in again.missing.first_numbers() {
            problem(format!("entry {number} of the ledger is missing"));
        }
        for (account, computed) in again.sheet.accounts() {
            if accounts.remove(&account).unwrap_or_default() != computed {
                problem(format!("the sums of {account:?} are not those of the journal"));
            }
        }
        for (account, _) in accounts.into_iter().filter(|(_, figures)| *figures != AccountFigures::default()) {
            problem(format!("{account:?} has sums, but no entry of the journal"));
        }
        for computed in again.unpaid.into_rows() {
            let entry = computed.entry;
            if unpaid.remove(&entry) != Some(computed) {
                problem(format!("the unpaid cost of entry {entry} is missing or is not that of the journal"));
            }
        }
        unpaid.into_keys().for_each(|entry| problem(format!("an unpaid cost is stored, but entry {entry} is paid")));
        if period != again.period {
            problem(format!(
                "settlement period {period} is stored as the newest, but the journal ends with {}",
                again.period
            ));
        }
        for PayoutRow { number, period, state, .. } in payouts.into_values() {
            let marked = again.marked.get(&number).copied().unwrap_or(PayoutState::Due);
            if period == 0 || period > again.period {
                problem(format!("payout {number} is of settlement period {period}, which the journal does not close"));
            } else if state != marked {
                problem(format!("payout {number} is stored as {state:?}, but the journal leaves it {marked:?}"));
            }
        }
    }
}
