//! The references with which payouts were marked, which only the store has.

use std::collections::BTreeMap;

use vipnode_pool_core::{LedgerEntry, PayoutRow, PayoutState, Transaction};

use super::AdminService;

/// The reference of each payout of a page that was marked, by its number: of one that bounced, the reason. Empty if the store cannot
/// be read in time, because the payouts themselves are known.
pub(super) async fn payout_references(admin: &AdminService, payouts: &[PayoutRow]) -> BTreeMap<u64, String> {
    let ([first, ..], [.., last]) = (payouts, payouts) else { return BTreeMap::new() };
    if payouts.iter().all(|payout| payout.state == PayoutState::Due) {
        return BTreeMap::new();
    }
    let (period, numbers) = (first.period, first.number..=last.number);
    match admin.service.statements.with_snapshot(move |snapshot| snapshot.marks(period, numbers)).await {
        Ok(marks) => references(payouts, marks),
        Err(error) => {
            tracing::warn!(period, %error, "cannot read the references of payouts");
            BTreeMap::new()
        }
    }
}

/// Of the marks of a payout, the one that made it what it is counts.
fn references(payouts: &[PayoutRow], marks: Vec<LedgerEntry>) -> BTreeMap<u64, String> {
    let states: BTreeMap<u64, PayoutState> = payouts.iter().map(|payout| (payout.number, payout.state)).collect();
    let reference = |entry: LedgerEntry| match entry.transaction {
        Transaction::Paid { payout, order, .. } if states.get(&payout) == Some(&PayoutState::Paid) => {
            Some((payout, order.reason))
        }
        Transaction::Bounced { payout, order, .. } if states.get(&payout) == Some(&PayoutState::Bounced) => {
            Some((payout, order.reason))
        }
        _ => None,
    };
    marks.into_iter().filter_map(reference).collect()
}
