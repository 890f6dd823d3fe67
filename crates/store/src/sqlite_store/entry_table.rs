//! The ledger's journal. All kinds of transactions share the columns.

use std::{collections::BTreeMap, ops::RangeInclusive};

use rusqlite::{Connection, OptionalExtension as _, Result, params};
use vipnode_pool_core::{LedgerEntry, OperatorOrder, PayoutRow, PayoutState, Transaction};
use vipnode_types::{Account, Amount, LeaseId};

use super::{
    address_table,
    bindings::Bindings,
    columns::Columns,
    entry_chain::{self, ChainSide, EntryChain},
    folded_numbers::FoldedNumbers,
    ledger_check,
};
use crate::StatementParties;

/// Reads the columns in the order in which they are bound. An address that is missing is an error when it is read, not a missing
/// account: the number of an account is not an address.
macro_rules! select {
    () => {
        "SELECT entries.number, at, kind, coalesce(payers.address, payer), coalesce(payees.address, payee), amount, subject, lease_row, \
         meter, collected, fee, by_user, reason, key FROM entries \
         LEFT JOIN addresses AS payers ON payers.number = payer LEFT JOIN addresses AS payees ON payees.number = payee "
    };
}

const APPEND: &str = "
    INSERT INTO entries (
        number, at, kind, payer, payee, amount, subject, lease_row, meter, collected, fee, by_user, reason, key
    ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (number) DO NOTHING";
const READ_ONE: &str = concat!(select!(), "WHERE entries.number = ?1");
const READ: &str = concat!(select!(), "WHERE entries.number >= ?1 ORDER BY entries.number LIMIT ?2");
/// Payouts are marked after their period was closed, and soon, so that few entries are looked at.
const READ_MARK: &str = concat!(
    select!(),
    "WHERE kind = ?1 AND subject = ?2 AND entries.number > \
     coalesce((SELECT max(number) FROM entries WHERE kind = 'period' AND subject <= ?3), 0) ORDER BY entries.number LIMIT 1"
);
/// Those with an idempotency key, and the newest.
const READ_KEPT: &str = concat!(
    select!(),
    "WHERE key IS NOT NULL OR entries.number = (SELECT max(number) FROM entries) ORDER BY entries.number"
);

/// Payouts are marked after their period was closed.
const READ_MARKS: &str = concat!(
    select!(),
    "WHERE kind IN ('paid', 'bounced') AND subject BETWEEN ?1 AND ?2 AND entries.number > \
     coalesce((SELECT max(number) FROM entries WHERE kind = 'period' AND subject = ?3), 0) ORDER BY entries.number"
);

/// What the columns hold; each kind of transaction uses some of them.
#[derive(Default)]
struct EntryForm<'entry> {
    payer: Option<Account>,
    payee: Option<Account>,
    amount: Amount,
    /// The number of the lease, entry, period, or payout that the transaction is about; of a correction, 1 if it takes.
    subject: Option<u64>,
    lease_row: Option<u32>,
    meter: Option<Amount>,
    collected: Option<Amount>,
    fee: Option<Amount>,
    order: Option<&'entry OperatorOrder>,
}

/// Appends an entry. Returns false, and changes nothing, if its number is there with another value.
pub(super) fn append(connection: &Connection, entry: &LedgerEntry) -> Result<bool> {
    let EntryForm { payer, payee, amount, subject, lease_row, meter, collected, fee, order } = form(&entry.transaction);
    let address = |account: Option<Account>| account.map(|of| address_table::number(connection, of)).transpose();
    let (payer, payee) = (address(payer)?, address(payee)?);
    let mut statement = connection.prepare_cached(APPEND)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.number(entry.number)?;
    bindings.ms(entry.at)?;
    bindings.put(entry.transaction.name())?;
    bindings.put(payer)?;
    bindings.put(payee)?;
    bindings.amount(amount)?;
    bindings.optional_number(subject)?;
    bindings.put(lease_row)?;
    for amount in [meter, collected, fee] {
        bindings.optional_amount(amount)?;
    }
    bindings.put(order.and_then(|order| order.by))?;
    bindings.put(order.map(|order| order.reason.as_str()))?;
    bindings.put(order.and_then(|order| order.key.as_deref()))?;
    if bindings.execute()? > 0 {
        entry_chain::append(connection, entry.number.cast_signed(), [payer, payee])?;
        return Ok(true);
    }
    Ok(find(connection, entry.number)?.as_ref() == Some(entry))
}

/// Reads the entry with a number.
pub(super) fn find(connection: &Connection, number: u64) -> Result<Option<LedgerEntry>> {
    let mut statement = connection.prepare_cached(READ_ONE)?;
    statement.query_row([number.cast_signed()], |row| entry_of(&mut Columns::of(row))).optional()
}

/// Reads the entry that marked a payout as what it is; `None` if it is due.
pub(super) fn find_mark(connection: &Connection, payout: PayoutRow) -> Result<Option<LedgerEntry>> {
    let kind = match payout.state {
        PayoutState::Due => return Ok(None),
        PayoutState::Paid => "paid",
        PayoutState::Bounced => "bounced",
    };
    let mut statement = connection.prepare_cached(READ_MARK)?;
    let bound = params![kind, payout.number.cast_signed(), payout.period.cast_signed()];
    statement.query_row(bound, |row| entry_of(&mut Columns::of(row))).optional()
}

/// Returns the number of the newest entry; 0 if there is none.
pub(super) fn newest(connection: &Connection) -> Result<u64> {
    let newest = connection.query_row("SELECT max(number) FROM entries", [], |row| row.get::<_, Option<i64>>(0));
    Ok(newest?.map_or(0, i64::cast_unsigned))
}

/// The entries that were folded into the one with a number.
pub(super) fn folded(connection: &Connection, number: u64) -> Result<FoldedNumbers> {
    let mut statement = connection.prepare_cached("SELECT folded FROM entries WHERE number = ?1")?;
    let bytes = statement.query_row([number.cast_signed()], |row| row.get::<_, Option<Vec<u8>>>(0)).optional()?;
    Ok(FoldedNumbers::of_bytes(&bytes.flatten().unwrap_or_default()))
}

/// Reads entries by number, from a number on.
pub(super) fn read(connection: &Connection, from: u64, limit: usize, each: &mut dyn FnMut(LedgerEntry)) -> Result<()> {
    let (from, limit) = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
    let mut statement = connection.prepare_cached(READ)?;
    let mut rows = statement.query([from, limit])?;
    while let Some(row) = rows.next()? {
        each(entry_of(&mut Columns::of(row))?);
    }
    Ok(())
}

/// Reads entries with this payer or this payee by number, after a number: by the chain of each.
pub(super) fn read_of(
    connection: &Connection,
    parties: StatementParties,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<LedgerEntry>> {
    // The chains go on to entries that were pruned.
    let (pruned, _) = ledger_check::pruned(connection)?;
    let pruned = (pruned > 0).then(|| pruned.cast_signed());
    let after = after.map(|after| i64::try_from(after).unwrap_or(i64::MAX)).max(pruned).unwrap_or(-1);
    let mut entries = BTreeMap::new();
    for (side, account) in ChainSide::BOTH.into_iter().zip([parties.payer, parties.payee]) {
        let address = account.map_or(Ok(None), |account| address_table::find(connection, account))?;
        let Some(address) = address else { continue };
        let Some(mut chain) = EntryChain::of(connection, side, side.account(address))? else { continue };
        let mut statement = connection.prepare_cached(READ_ONE)?;
        let (mut after, mut left) = (after, limit);
        while let numbers @ [.., last] = &chain.after(after, left)?[..] {
            after = *last;
            for number in numbers {
                // What was folded into another one is not there.
                let entry = statement.query_row([number], |row| entry_of(&mut Columns::of(row))).optional()?;
                left = left.saturating_sub(usize::from(entry.is_some()));
                entries.extend(entry.map(|entry| (entry.number, entry)));
            }
        }
    }
    Ok(entries.into_values().take(limit).collect())
}

/// Reads the entries that marked payouts of a settlement period with these numbers.
pub(super) fn marks(connection: &Connection, period: u64, payouts: RangeInclusive<u64>) -> Result<Vec<LedgerEntry>> {
    let mut statement = connection.prepare_cached(READ_MARKS)?;
    let bound = [*payouts.start(), *payouts.end(), period].map(u64::cast_signed);
    statement.query_map(bound, |row| entry_of(&mut Columns::of(row)))?.collect()
}

/// Reads the entries with an idempotency key and the newest, by number.
pub(super) fn read_kept(connection: &Connection, each: &mut dyn FnMut(LedgerEntry)) -> Result<()> {
    let mut statement = connection.prepare_cached(READ_KEPT)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(entry_of(&mut Columns::of(row))?);
    }
    Ok(())
}

fn form(transaction: &Transaction) -> EntryForm<'_> {
    let base = EntryForm { order: transaction.order(), ..EntryForm::default() };
    match *transaction {
        Transaction::Credit { payer, amount, .. }
        | Transaction::Debit { payer, amount, .. }
        | Transaction::Limit { payer, limit: amount, .. } => EntryForm { payer: Some(payer), amount, ..base },
        Transaction::Voucher { payer, limit, signed } => {
            EntryForm { payer: Some(payer), amount: signed, meter: Some(limit), ..base }
        }
        Transaction::Claimed { payer, amount, limit } => {
            EntryForm { payer: Some(payer), amount, meter: Some(limit), ..base }
        }
        Transaction::Lease { payer, payee, lease, row, from, cost, collected, fee } => EntryForm {
            payer: Some(payer),
            payee: Some(payee),
            amount: cost,
            subject: Some(lease.get()),
            lease_row: Some(row),
            meter: Some(from),
            collected: Some(collected),
            fee: Some(fee),
            ..base
        },
        Transaction::Collected { payer, payee, entry, amount, fee } => {
            EntryForm { payer: Some(payer), payee: Some(payee), amount, subject: Some(entry), fee: Some(fee), ..base }
        }
        Transaction::WriteOff { payer, payee, entry, amount, .. }
        | Transaction::Overbilled { payer, payee, entry, amount, .. } => {
            EntryForm { payer: Some(payer), payee: Some(payee), amount, subject: Some(entry), ..base }
        }
        Transaction::Correction { payee, amount, takes, .. } => {
            EntryForm { payee: Some(payee), amount, subject: Some(u64::from(takes)), ..base }
        }
        Transaction::Period { period, .. } => EntryForm { subject: Some(period), ..base },
        Transaction::Paid { payout, payee, amount, .. } | Transaction::Bounced { payout, payee, amount, .. } => {
            EntryForm { payee: Some(payee), amount, subject: Some(payout), ..base }
        }
    }
}

fn entry_of(columns: &mut Columns<'_, '_>) -> Result<LedgerEntry> {
    let (number, at, kind): (_, _, String) = (columns.number()?, columns.ms()?, columns.get()?);
    let (payer, payee, amount) = (columns.account()?, columns.account()?, columns.amount()?);
    let (subject, row) = (columns.optional_number()?, columns.get::<Option<u32>>()?);
    let (meter, collected, fee) = (columns.optional_amount()?, columns.optional_amount()?, columns.optional_amount()?);
    let (by, reason, key) = (columns.get()?, columns.get::<Option<String>>()?, columns.get()?);
    let order = reason.map(|reason| OperatorOrder { by, reason, key });
    let transaction = || {
        Some(match kind.as_str() {
            "credit" => Transaction::Credit { payer: payer?, amount, order: order? },
            "debit" => Transaction::Debit { payer: payer?, amount, order: order? },
            "limit" => Transaction::Limit { payer: payer?, limit: amount, order: order? },
            "voucher" => Transaction::Voucher { payer: payer?, signed: amount, limit: meter? },
            "claimed" => Transaction::Claimed { payer: payer?, amount, limit: meter? },
            "lease" => Transaction::Lease {
                payer: payer?,
                payee: payee?,
                lease: LeaseId::new(subject?),
                row: row?,
                from: meter?,
                cost: amount,
                collected: collected?,
                fee: fee?,
            },
            "collected" => Transaction::Collected { payer: payer?, payee: payee?, entry: subject?, amount, fee: fee? },
            "write_off" => {
                Transaction::WriteOff { payer: payer?, payee: payee?, entry: subject?, amount, order: order? }
            }
            "overbilled" => {
                Transaction::Overbilled { payer: payer?, payee: payee?, entry: subject?, amount, order: order? }
            }
            "correction" => Transaction::Correction { payee: payee?, amount, takes: subject? > 0, order: order? },
            "period" => Transaction::Period { period: subject?, order: order? },
            "paid" => Transaction::Paid { payout: subject?, payee: payee?, amount, order: order? },
            "bounced" => Transaction::Bounced { payout: subject?, payee: payee?, amount, order: order? },
            _ => return None,
        })
    };
    let transaction = transaction().ok_or_else(|| columns.invalid("an entry of the ledger"))?;
    Ok(LedgerEntry { number, at, transaction })
}
