use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension as _, Result, TransactionBehavior, params};
use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, LedgerEntry, PayoutRow, PayoutState, Transaction, UnpaidRow,
};
use vipnode_types::{Amount, Ms};

use super::{
    entry_table, ledger_check,
    ledger_tables::{self, LedgerTables},
    period_table,
};

/// What a step removed from the journals of a pool.
///
/// Each step is one transaction, after which the openings and the remaining entries result in the same state as before. A pool can
/// do other work between two steps, and can be killed after any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneStep {
    /// Entries of the ledger.
    pub entries: u64,
    /// Billing periods.
    pub periods: u64,
    /// The position of the journal up to which periods that nobody pays for were removed.
    pub position: u64,
    /// The number of the last entry that was ever removed; 0 if none was.
    pub last_entry: u64,
    /// Nothing of the order is left.
    pub is_done: bool,
}

/// What to remove from the journals of a pool. It was written to a file before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneOrder {
    /// Billing periods that nobody pays for are removed if they ended earlier.
    pub before: Ms,
    /// The number of the last entry that is removed, with the billing periods that removed entries bill.
    pub last_entry: u64,
    /// The position of the last billing period that may be removed.
    pub last_position: u64,
}

/// Billing periods that nobody pays for. Trials have entries, without a cost.
pub(super) const UNPAID_FOR: &str =
    "ended < ?3 AND (payer IS NULL OR payee IS NULL OR (length(cost) = 0 AND length(earlier_cost) = 0 AND trial = 0))";

impl PruneStep {
    /// Removes at most `most` entries with their billing periods, or once there are none, as many of the billing periods after
    /// `position`.
    pub(super) fn make(connection: &mut Connection, order: PruneOrder, position: u64, most: usize) -> Result<Self> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (pruned, period) = ledger_check::pruned(&transaction)?;
        let step = match entries(&transaction, pruned, order.last_entry, most)? {
            entries if entries.is_empty() => {
                PruneStep { last_entry: pruned, ..drop_periods(&transaction, order, position, most)? }
            }
            entries => drop_entries(&transaction, &entries, period, position)?,
        };
        transaction.commit()?;
        Ok(step)
    }
}

/// The next entries to remove. The newest one stays, whatever the order.
fn entries(connection: &Connection, pruned: u64, last: u64, most: usize) -> Result<Vec<LedgerEntry>> {
    let mut entries = Vec::new();
    if pruned < last {
        entry_table::read(connection, pruned.saturating_add(1), most.max(1), &mut |entry| entries.push(entry))?;
        let newest = connection.query_row("SELECT max(number) FROM entries", [], |row| row.get::<_, Option<i64>>(0))?;
        entries.retain(|entry| entry.number <= last && entry.number < newest.unwrap_or(0).cast_unsigned());
    }
    Ok(entries)
}

/// Removes entries with the billing periods that they bill, and adds what they changed to the state with which the journal
/// begins.
fn drop_entries(connection: &Connection, entries: &[LedgerEntry], mut period: u64, position: u64) -> Result<PruneStep> {
    let (mut sheet, failed) = (BalanceSheet::default(), RefCell::new(None));
    let mut periods = 0_u64;
    for entry in entries {
        let applied = sheet.apply(&entry.transaction, |account| {
            let figures = ledger_tables::figures(connection, LedgerTables::Opening, account);
            figures.unwrap_or_else(|error| {
                failed.replace(Some(error));
                AccountFigures::default()
            })
        });
        if let Some(error) = failed.take() {
            return Err(error);
        }
        applied.ok_or(rusqlite::Error::IntegralValueOutOfRange(0, i64::MAX))?;
        match entry.transaction {
            Transaction::Lease { .. } => periods = periods.saturating_add(drop_billed(connection, entry)?),
            Transaction::Period { period: closed, .. } => period = closed,
            _ => keep_reference(connection, period, &entry.transaction)?,
        }
    }
    for (account, figures) in sheet.accounts() {
        ledger_tables::write_account(connection, LedgerTables::Opening, AccountRow { account, figures })?;
    }
    ledger_tables::forget_opening_payouts(connection, period, entries.len())?;
    let last = entries.last().map_or(0, |entry| entry.number);
    for delete in ["DELETE FROM entries WHERE number <= ?1", "DELETE FROM entry_links WHERE number <= ?1"] {
        connection.prepare_cached(delete)?.execute([last.cast_signed()])?;
    }
    let mut note = connection.prepare_cached("UPDATE pool SET pruned_entry = ?1, pruned_period = ?2")?;
    note.execute([last.cast_signed(), period.cast_signed()])?;
    let entries = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    Ok(PruneStep { entries, periods, position, last_entry: last, is_done: false })
}

/// Removes the billing period of an entry, and keeps its cost if it is not fully secured. Returns the number of periods.
fn drop_billed(connection: &Connection, entry: &LedgerEntry) -> Result<u64> {
    let Transaction::Lease { payer, payee, lease, row, cost, collected, .. } = entry.transaction else { return Ok(0) };
    if collected < cost {
        let period = period_table::find(connection, lease.get(), row)?;
        let fee_bps = period.ok_or(rusqlite::Error::QueryReturnedNoRows)?.lease.fee_bps;
        let unpaid = UnpaidRow { entry: entry.number, payer, payee, fee_bps, cost, collected };
        ledger_tables::write_unpaid(connection, LedgerTables::Opening, unpaid)?;
    }
    let mut statement = connection.prepare_cached("DELETE FROM journal WHERE lease = ?1 AND row = ?2")?;
    let removed = statement.execute(params![lease.get().cast_signed(), row])?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

/// Keeps what remaining entries may refer to: how much of an earlier cost is secured, and the mark of a payout.
fn keep_reference(connection: &Connection, period: u64, transaction: &Transaction) -> Result<()> {
    let tables = LedgerTables::Opening;
    let mark = |number, payee, amount, state| {
        ledger_tables::write_payout(connection, tables, PayoutRow { number, period, payee, amount, state })
    };
    match *transaction {
        Transaction::Collected { entry, amount, .. } => {
            let row = ledger_tables::find_unpaid(connection, tables, entry)?;
            let row = row.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            let collected = row.collected.checked_add(amount).unwrap_or(Amount::MAX);
            if collected >= row.cost {
                ledger_tables::delete_unpaid(connection, tables, entry)
            } else {
                ledger_tables::write_unpaid(connection, tables, UnpaidRow { collected, ..row })
            }
        }
        Transaction::WriteOff { entry, .. } => ledger_tables::delete_unpaid(connection, tables, entry),
        Transaction::Paid { payout, payee, amount, .. } => mark(payout, payee, amount, PayoutState::Paid),
        Transaction::Bounced { payout, payee, amount, .. } => mark(payout, payee, amount, PayoutState::Bounced),
        _ => Ok(()),
    }
}

/// Removes billing periods that nobody pays for.
fn drop_periods(connection: &Connection, order: PruneOrder, position: u64, most: usize) -> Result<PruneStep> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let nth = "SELECT position FROM journal WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT 1 OFFSET ?3";
    let skip = i64::try_from(most.saturating_sub(1)).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(nth)?;
    let nth = statement.query_row(params![signed(position), signed(order.last_position), skip], |row| row.get(0));
    let end: i64 = nth.optional()?.unwrap_or_else(|| signed(order.last_position));
    let drop = format!("DELETE FROM journal WHERE position > ?1 AND position <= ?2 AND {UNPAID_FOR}");
    let removed =
        connection.prepare_cached(&drop)?.execute(params![signed(position), end, signed(order.before.get())])?;
    let is_done = end >= signed(order.last_position);
    let periods = u64::try_from(removed).unwrap_or(u64::MAX);
    Ok(PruneStep { entries: 0, periods, position: end.cast_unsigned(), last_entry: 0, is_done })
}
