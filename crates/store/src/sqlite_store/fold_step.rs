use rusqlite::{Connection, OptionalExtension as _, Result, TransactionBehavior, params};
use vipnode_pool_core::{LedgerEntry, MergedPeriods, MeteredPeriod, Transaction};
use vipnode_types::{Account, Amount, Ms, UtcDay, meter, meter::Seen};

use super::{bindings::amount_bytes, entry_table, folded_numbers::FoldedNumbers, period_table};
use crate::StatementParties;

/// What a step folded: of the billing periods of one lease and UTC day that follow each other on their payer's meter, only the
/// last one stays, with the sums of all.
///
/// Each step is one transaction, and so is each pair of periods on its own: after any of them, all totals are those of before. A
/// pool can do other work between two steps, and can be killed after any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldStep {
    /// Billing periods that are now part of another one.
    pub folded: u64,
    /// The number of the last entry that was looked at.
    pub position: u64,
    /// No further day is old enough.
    pub is_done: bool,
}

/// Billing periods in another one.
const MOST_FOLDED: usize = 1_000;
/// Entries of a payer, of which one has to be its next billing period.
const NEXT_ENTRIES: usize = 8;

impl FoldStep {
    /// Looks at `most` entries after the one with the number `after`, of days that were over at a time.
    pub(super) fn make(connection: &mut Connection, before: Ms, after: u64, most: usize) -> Result<Self> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let clock = "SELECT coalesce(clock, 0) FROM pool";
        let clock = transaction.query_row(clock, [], |row| row.get::<_, i64>(0))?.cast_unsigned();
        let (before, most) = (before.min(Ms::new(clock)), most.max(1));
        let mut entries = Vec::new();
        entry_table::read(&transaction, after.saturating_add(1), most, &mut |entry| entries.push(entry))?;
        let mut step = Self { folded: 0, position: after, is_done: entries.len() < most };
        let mut last = 0;
        for entry in entries {
            if UtcDay::of(entry.at).end() > before {
                step.is_done = true;
                break;
            }
            step.position = entry.number;
            if let Some(into) = fold(&transaction, entry.number)? {
                (step.folded, last) = (step.folded.saturating_add(1), into.max(last));
            }
        }
        if step.folded > 0 {
            const NOTE: &str = "UPDATE pool SET folds = folds + 1, folded_entry = max(folded_entry, ?1)";
            transaction.prepare_cached(NOTE)?.execute([last.cast_signed()])?;
        }
        transaction.commit()?;
        Ok(step)
    }
}

/// A billing period with the entry that bills it.
struct BilledPeriod {
    number: u64,
    at: Ms,
    payer: Account,
    /// Where its interval on the payer's meter begins.
    from: Amount,
    cost: Amount,
    collected: Amount,
    fee: Amount,
    period: MeteredPeriod,
    /// The numbers of the entries that bill the periods in it.
    folded: FoldedNumbers,
}

/// Folds the billing period of an entry into the payer's next one, if both are of one lease and nothing is lost but where one of
/// them ends. Returns the number of the entry that bills both.
fn fold(connection: &Connection, number: u64) -> Result<Option<u64>> {
    let entry = entry_table::find(connection, number)?;
    let Some(first) = entry.map_or(Ok(None), |entry| BilledPeriod::of(connection, entry))? else { return Ok(None) };
    let Some(next) = first.next(connection)? else { return Ok(None) };
    let Some(both) = first.with(&next) else { return Ok(None) };
    if is_settled_between(connection, first.number, next.number)? || is_overbilled(connection, first.number)? {
        return Ok(None);
    }
    remove(connection, &first)?;
    both.store(connection)?;
    Ok(Some(both.number))
}

impl BilledPeriod {
    /// `None` if the entry bills no period.
    fn of(connection: &Connection, entry: LedgerEntry) -> Result<Option<Self>> {
        let LedgerEntry { number, at, transaction } = entry;
        let Transaction::Lease { payer, lease, row, from, cost, collected, fee, .. } = transaction else {
            return Ok(None);
        };
        let Some(period) = period_table::find(connection, lease.get(), row)? else { return Ok(None) };
        let folded = entry_table::folded(connection, number)?;
        Ok(Some(Self { number, at, payer, from, cost, collected, fee, period, folded }))
    }

    /// The next billing period of its payer.
    fn next(&self, connection: &Connection) -> Result<Option<Self>> {
        let parties = StatementParties { payer: Some(self.payer), payee: None };
        let entries = entry_table::read_of(connection, parties, Some(self.number), NEXT_ENTRIES)?;
        let is_lease = |entry: &LedgerEntry| matches!(entry.transaction, Transaction::Lease { .. });
        entries.into_iter().find(is_lease).map_or(Ok(None), |entry| Self::of(connection, entry))
    }

    /// Both as one, which the entry of the next one bills; `None` if they are not of one lease, day, and price, or do not follow each
    /// other, or if one of them is not wholly secured, because later entries refer to such a cost.
    fn with(&self, next: &Self) -> Option<Self> {
        let (one, other) = (&self.period, &next.period);
        let is_same = {
            let (one, other) = (&one.lease, &other.lease);
            let ids = (one.id, one.client, one.host, one.payer, one.payee);
            let terms = (one.price, one.fee_bps, one.trial);
            ids == (other.id, other.client, other.host, other.payer, other.payee)
                && terms == (other.price, other.fee_bps, other.trial)
        };
        let is_one_day = UtcDay::of(self.at) == UtcDay::of(next.at);
        let is_whole = [self, next].iter().all(|billed| {
            let of_others = billed.period.earlier != MergedPeriods::default();
            billed.collected == billed.cost && billed.period.cost == billed.cost && !of_others
        });
        let meets = self.from.checked_add(self.cost) == Some(next.from)
            && one.lease.price.cost_from(one.billed_ms, one.lease.carry) == Some((one.cost, other.lease.carry));
        let folded = self.folded.and_then(self.number, &next.folded);
        if !is_same || !is_one_day || !is_whole || !meets || folded.len() > MOST_FOLDED {
            return None;
        }
        let span = |one: Option<Seen>, other: Option<Seen>| Some(Seen { up: one?.up, end: other?.end });
        let mut period = other.clone();
        period.lease.carry = one.lease.carry;
        (period.client, period.host) = (span(one.client, other.client), span(one.host, other.host));
        period.billed_ms = one.billed_ms.checked_add(other.billed_ms)?;
        period.cost = one.cost.checked_add(other.cost)?;
        period.folded = u32::try_from(folded.len()).ok()?;
        let fits = period.billed_ms <= meter::billed_ms(period.client, period.host);
        let (cost, fee) = (period.cost, self.fee.checked_add(next.fee)?);
        fits.then_some(Self {
            number: next.number,
            at: next.at,
            payer: self.payer,
            from: self.from,
            cost,
            collected: cost,
            fee,
            period,
            folded,
        })
    }

    /// Stores it in the place of its last period.
    fn store(&self, connection: &Connection) -> Result<()> {
        const PERIOD: &str = "
            UPDATE journal SET carry = ?3, client_from = ?4, host_from = ?5, billed_ms = ?6, cost = ?7, folded = ?8
            WHERE lease = ?1 AND row = ?2";
        const ENTRY: &str =
            "UPDATE entries SET amount = ?2, meter = ?3, collected = ?4, fee = ?5, folded = ?6 WHERE number = ?1";
        let MeteredPeriod { lease, client, host, billed_ms, folded, .. } = &self.period;
        let from = |seen: Option<Seen>| seen.map(|seen| seen.up.get().cast_signed());
        let cost = amount_bytes(self.cost);
        connection.prepare_cached(PERIOD)?.execute(params![
            lease.id.get().cast_signed(),
            lease.row,
            lease.carry,
            from(*client),
            from(*host),
            billed_ms.cast_signed(),
            cost,
            folded
        ])?;
        connection.prepare_cached(ENTRY)?.execute(params![
            self.number.cast_signed(),
            cost,
            amount_bytes(self.from),
            amount_bytes(self.collected),
            amount_bytes(self.fee),
            self.folded.bytes()
        ])?;
        Ok(())
    }
}

/// Whether a settlement period was closed between two entries: what was payable then must not change.
fn is_settled_between(connection: &Connection, first: u64, next: u64) -> Result<bool> {
    const CLOSED: &str = "SELECT 1 FROM entries INDEXED BY entries_of_periods WHERE kind = 'period' AND number > ?1 AND number < ?2 LIMIT 1";
    let mut statement = connection.prepare_cached(CLOSED)?;
    let found = statement.query_row([first.cast_signed(), next.cast_signed()], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

/// Whether a later entry is about overbilled time of the one with a number.
fn is_overbilled(connection: &Connection, number: u64) -> Result<bool> {
    const OVERBILLED: &str =
        "SELECT 1 FROM entries INDEXED BY entries_of_overbilled WHERE kind = 'overbilled' AND subject = ?1 LIMIT 1";
    let mut statement = connection.prepare_cached(OVERBILLED)?;
    Ok(statement.query_row([number.cast_signed()], |_| Ok(())).optional()?.is_some())
}

fn remove(connection: &Connection, billed: &BilledPeriod) -> Result<()> {
    let lease = &billed.period.lease;
    let mut statement = connection.prepare_cached("DELETE FROM journal WHERE lease = ?1 AND row = ?2")?;
    statement.execute(params![lease.id.get().cast_signed(), lease.row])?;
    connection.prepare_cached("DELETE FROM entries WHERE number = ?1")?.execute([billed.number.cast_signed()])?;
    Ok(())
}
