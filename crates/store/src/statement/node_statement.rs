use vipnode_pool_core::Transaction;
use vipnode_types::{
    NodeId,
    wire::{Statement, StatementCursor, StatementRange, StatementSide},
};

use super::{
    account_statement::{check_cursor, first_at, page},
    statement_line::lines,
};
use crate::{StoreError, StoreSnapshot};

/// A page of the billing periods of a node, on the account that pays for it now and on its payout account. Reads `most` entries
/// of the ledger, whatever they are about, so a page can be empty and still have a next one: a node can name the account of
/// another as its payout account, and must not learn from where its pages end when that account pays or is paid.
///
/// # Errors
/// See [`StoreError`].
pub fn node_statement(
    snapshot: &mut dyn StoreSnapshot,
    node: &NodeId,
    range: StatementRange,
    most: usize,
) -> Result<Statement, StoreError> {
    let parties = snapshot.accounts_of(node)?;
    let folds = check_cursor(snapshot, range)?;
    let after = match (range.after, range.from_ms) {
        (Some(cursor), _) => Some(cursor.entry),
        (None, Some(from)) => first_at(snapshot, from)?.checked_sub(1),
        (None, None) => None,
    };
    let (entries, more) = page(snapshot.entries(after, most.saturating_add(1))?, range.to_ms, most);
    let mut all = Vec::new();
    for entry in entries.iter().filter(|entry| parties.are_of(&entry.transaction)) {
        let Transaction::Lease { lease, row, .. } = entry.transaction else { continue };
        let Some(period) = snapshot.period(lease, row)? else { continue };
        all.extend(lines(parties, entry, Some(&period)).filter(|line| match line.side {
            StatementSide::Payer => period.lease.client == *node,
            StatementSide::Host => period.lease.host == *node,
            StatementSide::Unknown => false,
        }));
    }
    let last = entries.last().filter(|_| more);
    let next = last.map(|entry| StatementCursor { entry: entry.number, balances: None, folds });
    let (batch, (_, asset)) = (snapshot.seq(), snapshot.head()?);
    Ok(Statement { asset: asset.unwrap_or_default(), batch, opening: None, lines: all, closing: None, next })
}
