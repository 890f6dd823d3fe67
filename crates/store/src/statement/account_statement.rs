use vipnode_pool_core::{AccountFigures, LedgerAccount, LedgerEntry, Transaction};
use vipnode_types::{
    Account, Ms, SignedAmount,
    wire::{Statement, StatementBalances, StatementCursor, StatementLine, StatementRange, StatementSide},
};

use super::{
    StatementParties,
    statement_line::{change, lines},
};
use crate::{StoreError, StoreSnapshot, TrimmedJournal};

/// Entries that are read at once.
const PAGE: usize = 1_000;

/// A page of the statement of an account, of at most `most` entries of the ledger.
///
/// # Errors
/// See [`StoreError`].
pub fn account_statement(
    snapshot: &mut dyn StoreSnapshot,
    account: Account,
    range: StatementRange,
    most: usize,
) -> Result<Statement, StoreError> {
    let parties = StatementParties::both(account);
    let folds = check_cursor(snapshot, range)?;
    let (after, opening) = match range.after {
        Some(StatementCursor { entry, balances: Some(balances), .. }) => (Some(entry), balances),
        // To sum them up for each page would read the whole history of the account again and again.
        Some(StatementCursor { balances: None, .. }) => return Err(StoreError::CursorBalances),
        None => {
            let first = range.from_ms.map_or(Ok(0), |from| first_at(snapshot, from))?;
            (first.checked_sub(1), balances_before(snapshot, account, first)?)
        }
    };
    let (entries, more) = page(snapshot.entries_of(parties, after, most.saturating_add(1))?, range.to_ms, most);
    let mut closing = opening;
    let mut all = Vec::new();
    for entry in &entries {
        // Balances that are beyond the range of amounts with what was posted since were not those of the page before.
        add(&mut closing, parties, entry).map_err(|error| match range.after {
            Some(_) => StoreError::CursorBalances,
            None => error,
        })?;
        push_lines(snapshot, parties, entry, &mut all)?;
    }
    let last = entries.last().filter(|_| more);
    let next = last.map(|entry| StatementCursor { entry: entry.number, balances: Some(closing), folds });
    let (batch, (_, asset)) = (snapshot.seq(), snapshot.head()?);
    let asset = asset.unwrap_or_default();
    Ok(Statement { asset, batch, opening: Some(opening), lines: all, closing: Some(closing), next })
}

/// Checks that since the page before was read, no entry after it was removed, and no later entry took in what is on it. Returns
/// how often billing periods were folded, for the next cursor.
pub(super) fn check_cursor(snapshot: &mut dyn StoreSnapshot, range: StatementRange) -> Result<u64, StoreError> {
    let TrimmedJournal { pruned_entry, folds, folded_entry } = snapshot.trimmed()?;
    let is_changed = range
        .after
        .is_some_and(|after| after.entry < pruned_entry || (after.folds != folds && after.entry < folded_entry));
    if is_changed { Err(StoreError::CursorPruned) } else { Ok(folds) }
}

/// Entries of a page, and whether further ones follow. `entries` are those after the page before, one more than `most` if there
/// are as many.
pub(super) fn page(mut entries: Vec<LedgerEntry>, to: Option<Ms>, most: usize) -> (Vec<LedgerEntry>, bool) {
    let mut more = entries.len() > most;
    entries.truncate(most);
    if let Some(end) = to.and_then(|to| entries.iter().position(|entry| entry.at >= to)) {
        entries.truncate(end);
        more = false;
    }
    (entries, more)
}

/// Adds the lines of an entry.
pub(super) fn push_lines(
    snapshot: &mut dyn StoreSnapshot,
    parties: StatementParties,
    entry: &LedgerEntry,
    all: &mut Vec<StatementLine>,
) -> Result<(), StoreError> {
    let period = match entry.transaction {
        Transaction::Lease { lease, row, .. } => snapshot.period(lease, row)?,
        _ => None,
    };
    all.extend(lines(parties, entry, period.as_ref()));
    Ok(())
}

/// The number of the first entry that was posted at a time or later; one more than the newest if there is none. The times of
/// entries never fall.
pub(super) fn first_at(snapshot: &mut dyn StoreSnapshot, at: Ms) -> Result<u64, StoreError> {
    let (mut from, mut to) = (0, i64::MAX.cast_unsigned());
    while from < to {
        let middle = from.midpoint(to);
        match snapshot.entries(middle.checked_sub(1), 1)?.first() {
            Some(entry) if entry.at < at => from = entry.number.saturating_add(1),
            Some(_) | None => to = middle,
        }
    }
    Ok(from)
}

/// The balances of an account before an entry: those of now, less what was posted since, or the sum of what was posted before.
fn balances_before(
    snapshot: &mut dyn StoreSnapshot,
    account: Account,
    first: u64,
) -> Result<StatementBalances, StoreError> {
    let parties = StatementParties::both(account);
    let end = if first == 0 { 0 } else { first_at(snapshot, Ms::NEVER)? };
    let is_late = first > end / 2;
    let opened = balances_of(account, |account| snapshot.opening(account))?;
    let (mut balances, mut after) =
        if is_late { (StatementBalances::default(), first.checked_sub(1)) } else { (opened, None) };
    if first == 0 {
        return Ok(balances);
    }
    while let entries @ [.., last] = &snapshot.entries_of(parties, after, PAGE)?[..] {
        after = Some(last.number);
        for entry in entries.iter().filter(|entry| is_late || entry.number < first) {
            add(&mut balances, parties, entry)?;
        }
        if !is_late && last.number >= first {
            break;
        }
    }
    if is_late {
        let now = balances_of(account, |account| snapshot.figures(account))?;
        balances.payer = sum(now.payer, balances.payer.negated())?;
        balances.host = sum(now.host, balances.host.negated())?;
    }
    Ok(balances)
}

/// The balances of an account that follow from its sums.
fn balances_of(
    account: Account,
    mut figures: impl FnMut(LedgerAccount) -> Result<AccountFigures, StoreError>,
) -> Result<StatementBalances, StoreError> {
    let mut balance = |account| {
        let AccountFigures { received, sent, .. } = figures(account)?;
        Ok(SignedAmount::difference(received, sent))
    };
    Ok(StatementBalances {
        payer: balance(LedgerAccount::Payer(account))?,
        host: balance(LedgerAccount::Payee(account))?,
    })
}

fn add(balances: &mut StatementBalances, parties: StatementParties, entry: &LedgerEntry) -> Result<(), StoreError> {
    let transaction = &entry.transaction;
    if parties.payer.is_some() && transaction.payer() == parties.payer {
        balances.payer = sum(balances.payer, change(StatementSide::Payer, transaction))?;
    }
    if parties.payee.is_some() && transaction.payee() == parties.payee {
        balances.host = sum(balances.host, change(StatementSide::Host, transaction))?;
    }
    Ok(())
}

fn sum(one: SignedAmount, other: SignedAmount) -> Result<SignedAmount, StoreError> {
    let range = || StoreError::Corrupt { why: "a balance is beyond the range of amounts".to_owned() };
    one.checked_add(other).ok_or_else(range)
}
