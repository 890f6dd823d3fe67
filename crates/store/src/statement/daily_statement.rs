use vipnode_pool_core::{LedgerEntry, Transaction};
use vipnode_types::{
    Account, Amount, MeterId, NodeId, PoolId, ShortNodeId, UtcDay,
    wire::{CollectedSums, DailyCollected, DailyLine, DailyStatement, DailyStatementRequest, DailySums},
};

use super::{
    StatementParties,
    account_statement::first_at,
    statement_line::{first_ms, last_ms},
};
use crate::{StoreError, StoreSnapshot};

/// What a pool can state about a host and a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DailyRead {
    /// A page, for the pool to sign.
    Page(Box<DailyStatement>),
    /// The day is not over by the pool's clock, so further lines may follow.
    NotOver,
    /// Entries of the day may have been removed from the ledger, or billing periods of the host were folded: the statement would be
    /// another one than before.
    Pruned,
    /// The statement has fewer pages.
    NoPage {
        /// How many it has.
        pages: u32,
    },
}

/// Entries that are read at once.
const PAGE: usize = 1_000;

/// What an entry is about.
enum DailyEntry {
    /// A billing period, and how many are folded into it.
    Period(DailyLine, u32),
    /// A payment for an earlier period.
    Collected(DailyCollected),
}

/// Reads a page of the billing periods of a host that were posted on a day, and of what was collected then for earlier ones, of at
/// most `most` lines; once the day is over, it never changes. `meter` names the meter of a payer.
///
/// # Errors
/// See [`StoreError`].
pub fn daily_statement(
    snapshot: &mut dyn StoreSnapshot,
    (pool, host): (PoolId, &NodeId),
    DailyStatementRequest { day, page }: DailyStatementRequest,
    most: usize,
    meter: &mut dyn FnMut(&Account) -> MeterId,
) -> Result<DailyRead, StoreError> {
    let (incarnation, now) = snapshot.pool_time()?;
    if now < day.end() {
        return Ok(DailyRead::NotOver);
    }
    let is_pruned = snapshot.trimmed()?.pruned_entry > 0;
    let oldest = snapshot.entries(None, 1)?.pop();
    if is_pruned && oldest.is_some_and(|oldest| oldest.at >= day.start()) {
        return Ok(DailyRead::Pruned);
    }
    let most = u64::try_from(most.max(1)).unwrap_or(u64::MAX);
    let first = u64::from(page.saturating_sub(1)).saturating_mul(most);
    let (mut lines, mut day_sums, mut is_folded) = (Vec::new(), DailySums::default(), false);
    let (mut collected, mut day_collected, mut count) = (Vec::new(), CollectedSums::default(), 0_u64);
    each_entry(snapshot, host, day, &mut |payer, entry| {
        let is_on_page = (first..first.saturating_add(most)).contains(&count);
        count = count.saturating_add(1);
        let range = || StoreError::Corrupt { why: "the sum of a day is beyond the range of amounts".to_owned() };
        match entry {
            DailyEntry::Period(line, folded) => {
                is_folded |= folded > 0;
                day_sums = day_sums.with(line.cost, line.secured, line.fee).ok_or_else(range)?;
                if is_on_page {
                    lines.push(DailyLine { meter: meter(&payer), ..line });
                }
            }
            DailyEntry::Collected(payment) => {
                day_collected = day_collected.with(payment.amount, payment.fee).ok_or_else(range)?;
                if is_on_page {
                    collected.push(DailyCollected { meter: meter(&payer), ..payment });
                }
            }
        }
        Ok(())
    })?;
    if is_folded {
        return Ok(DailyRead::Pruned);
    }
    let pages = u32::try_from(count.div_ceil(most).max(1)).unwrap_or(u32::MAX);
    if page == 0 || page > pages {
        return Ok(DailyRead::NoPage { pages });
    }
    let asset = snapshot.head()?.1.unwrap_or_default();
    let host = *host;
    let statement =
        DailyStatement { pool, incarnation, host, day, asset, page, pages, day_sums, day_collected, lines, collected };
    Ok(DailyRead::Page(Box::new(statement)))
}

/// Calls `each` with the payer of each billing period, and of each payment for an earlier one, in the order in which they were
/// posted.
fn each_entry(
    snapshot: &mut dyn StoreSnapshot,
    host: &NodeId,
    day: UtcDay,
    each: &mut dyn FnMut(Account, DailyEntry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    // A host without a payout account never earned anything.
    let Some(payout) = snapshot.payout(host)? else { return Ok(()) };
    // What the host earned may be posted an hour after the account changed. A day more is not missed.
    let payee = (payout.changed.plus(UtcDay::MS) <= day.start()).then_some(payout.account);
    let mut after = first_at(snapshot, day.start())?.checked_sub(1);
    loop {
        let entries = match payee {
            payee @ Some(_) => snapshot.entries_of(StatementParties { payer: None, payee }, after, PAGE)?,
            None => snapshot.entries(after, PAGE)?,
        };
        let Some(last) = entries.last() else { return Ok(()) };
        let is_over = last.at >= day.end();
        after = Some(last.number);
        for entry in entries.iter().take_while(|entry| entry.at < day.end()) {
            if let Some((payer, line, folded)) = line_of(snapshot, host, entry)? {
                each(payer, DailyEntry::Period(line, folded))?;
            } else if let Some((payer, payment)) = payment_of(snapshot, host, entry)? {
                each(payer, DailyEntry::Collected(payment))?;
            }
        }
        if is_over {
            return Ok(());
        }
    }
}

/// The payer and the line of an entry, without the meter, if it bills a period of this host, and how many are folded into it.
fn line_of(
    snapshot: &mut dyn StoreSnapshot,
    host: &NodeId,
    entry: &LedgerEntry,
) -> Result<Option<(Account, DailyLine, u32)>, StoreError> {
    let Transaction::Lease { payer, lease, row, from, cost, collected, fee, .. } = entry.transaction else {
        return Ok(None);
    };
    let Some(period) = snapshot.period(lease, row)?.filter(|period| period.lease.host == *host) else {
        return Ok(None);
    };
    let line = DailyLine {
        entry: entry.number,
        lease,
        row,
        counterpart: ShortNodeId::of(&period.lease.client),
        first_ms: first_ms(&period),
        last_ms: last_ms(&period),
        billed_ms: period.total_billed_ms(),
        merged: period.merged_rows(),
        price: period.lease.price,
        cost,
        secured: collected,
        fee,
        meter: MeterId::default(),
        interval: [from, from.checked_add(cost).unwrap_or(Amount::MAX)],
    };
    Ok(Some((payer, line, period.folded)))
}

/// The payer and the payment of an entry, without the meter, if it secures a period of this host that was posted earlier. One whose
/// period was removed from the ledger is left out: nothing names its host.
fn payment_of(
    snapshot: &mut dyn StoreSnapshot,
    host: &NodeId,
    entry: &LedgerEntry,
) -> Result<Option<(Account, DailyCollected)>, StoreError> {
    let Transaction::Collected { payer, entry: period, amount, fee, .. } = entry.transaction else { return Ok(None) };
    let billed = snapshot.entries(period.checked_sub(1), 1)?.pop().filter(|billed| billed.number == period);
    let Some((_, DailyLine { lease, row, .. }, _)) =
        billed.map_or(Ok(None), |billed| line_of(snapshot, host, &billed))?
    else {
        return Ok(None);
    };
    let entry = entry.number;
    Ok(Some((payer, DailyCollected { entry, period, lease, row, amount, fee, meter: MeterId::default() })))
}
