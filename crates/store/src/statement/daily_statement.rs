use vipnode_pool_core::{LedgerEntry, Transaction};
use vipnode_types::{
    Account, Amount, MeterId, NodeId, PoolId, ShortNodeId, UtcDay,
    wire::{DailyLine, DailyStatement, DailyStatementRequest, DailySums},
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

/// Reads a page of the billing periods of a host that were posted on a day, of at most `most` lines; once the day is over, it
/// never changes. `meter` names the meter of a payer.
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
    each_line(snapshot, host, day, &mut |payer, line, folded| {
        is_folded |= folded > 0;
        if (first..first.saturating_add(most)).contains(&day_sums.lines) {
            lines.push(DailyLine { meter: meter(&payer), ..line });
        }
        let range = || StoreError::Corrupt { why: "the sum of a day is beyond the range of amounts".to_owned() };
        day_sums = day_sums.with(line.cost, line.secured, line.fee).ok_or_else(range)?;
        Ok(())
    })?;
    if is_folded {
        return Ok(DailyRead::Pruned);
    }
    let pages = u32::try_from(day_sums.lines.div_ceil(most).max(1)).unwrap_or(u32::MAX);
    if page == 0 || page > pages {
        return Ok(DailyRead::NoPage { pages });
    }
    let asset = snapshot.head()?.1.unwrap_or_default();
    let host = *host;
    let statement = DailyStatement { pool, incarnation, host, day, asset, page, pages, day_sums, lines };
    Ok(DailyRead::Page(Box::new(statement)))
}

/// Calls `each` with the payer and the line of each billing period, and with how many are folded into it, in the order in which
/// they were posted.
fn each_line(
    snapshot: &mut dyn StoreSnapshot,
    host: &NodeId,
    day: UtcDay,
    each: &mut dyn FnMut(Account, DailyLine, u32) -> Result<(), StoreError>,
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
                each(payer, line, folded)?;
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
