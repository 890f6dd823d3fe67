//! Adds to a refusal of a payout's mark what the payout was marked with before, which only the store has.

use vipnode_pool_core::{LedgerChangeKind, LedgerEntry, OrderError, PayoutRow, PayoutState};
use vipnode_types::wire::WireError;

use super::AdminService;
use crate::{call_refusal::CallRefusal, engine::OperatorQuery};

/// Returns the error with the reference of the payout, or the error itself if it is about something else, or if the entry with
/// the reference was pruned or cannot be read.
pub(super) async fn with_mark(admin: &AdminService, change: LedgerChangeKind, error: WireError) -> WireError {
    let Some(payout) = marked(admin, change, &error).await else { return error };
    match admin.service.statements.with_snapshot(move |snapshot| snapshot.mark_of(payout)).await {
        Ok(Some(mark)) => refusal(change, payout, &mark).into(),
        Ok(None) => error,
        Err(why) => {
            tracing::warn!(payout = payout.number, %why, "cannot read the reference of a payout");
            error
        }
    }
}

/// The payout that the error is about, if that is that it was marked before.
async fn marked(admin: &AdminService, change: LedgerChangeKind, error: &WireError) -> Option<PayoutRow> {
    let payout = match change {
        LedgerChangeKind::Paid { payout } | LedgerChangeKind::Bounced { payout } => {
            admin.service.gateway.ask(|answer| OperatorQuery::Payout { number: payout, answer }).await.flatten()?
        }
        LedgerChangeKind::PaidAll { period, .. } => {
            let first = |answer| OperatorQuery::Payouts { period: Some(period), after: None, most: 1, answer };
            admin.service.gateway.ask(first).await?.1?.pop()?
        }
        _ => return None,
    };
    let (number, account) = (payout.number, payout.payee);
    let refused = match (change, payout.state) {
        (_, PayoutState::Due) => return None,
        (LedgerChangeKind::PaidAll { period, .. }, _) => OrderError::NoPayoutDue { period },
        (_, PayoutState::Paid) => OrderError::PayoutPaid { payout: number, account },
        (_, PayoutState::Bounced) => OrderError::PayoutBounced { payout: number, account },
    };
    (WireError::from(refused) == *error).then_some(payout)
}

fn refusal(change: LedgerChangeKind, payout: PayoutRow, mark: &LedgerEntry) -> CallRefusal {
    let PayoutRow { number: payout, payee: account, state, .. } = payout;
    let (entry, text) = (mark.number, mark.transaction.order().map(|order| order.reason.clone()).unwrap_or_default());
    match (change, state) {
        (LedgerChangeKind::PaidAll { period, .. }, state) => {
            let state = if state == PayoutState::Paid { "paid" } else { "bounced" };
            CallRefusal::PeriodMarked { period, payout, state, reference: text }
        }
        (_, PayoutState::Paid) => CallRefusal::MarkedPaid { payout, account, reference: text, entry },
        (_, PayoutState::Due | PayoutState::Bounced) => {
            CallRefusal::MarkedBounced { payout, account, reason: text, entry }
        }
    }
}
