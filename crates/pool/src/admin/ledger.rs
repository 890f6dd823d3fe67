use vipnode_pool_core::{
    LedgerAccountView, LedgerChange, LedgerChangeKind, LedgerEntry, OperatorOrder, PaidPayouts, PayoutRow, PayoutState,
    Reply, Transaction,
};
use vipnode_types::{Account, Amount, Asset, sanitize, wire::WireError};

use super::{
    AccountsRequest, AdminAccount, AdminAccounts, AdminClaims, AdminPaidPayouts, AdminPayout, AdminPayoutState,
    AdminPayouts, AdminService, ClaimsRequest, LedgerOrder, LedgerPosted, LedgerRequest, OPERATOR_LOG, PayoutsRequest,
    payout_mark::with_mark, payout_references::payout_references,
};
use crate::{call_refusal::CallRefusal, engine::OperatorQuery};

/// Characters of a reason, at most.
pub(super) const REASON_CHARS: usize = 200;
/// Characters of an idempotency key, at most.
const KEY_CHARS: usize = 64;
/// Accounts or payouts of one answer, at most.
const MOST: u32 = 1_000;
/// Accounts that the core lists at once.
const PAGE: usize = 1_000;

/// Posts a change of the ledger for the user `by`. It is durable when this returns.
pub(super) async fn change(
    admin: &AdminService,
    request: LedgerRequest,
    by: Option<u32>,
) -> Result<LedgerPosted, WireError> {
    let LedgerRequest { change, reason, key, allow_negative } = request;
    if key.as_ref().is_some_and(|key| !is_key(key)) {
        return Err(CallRefusal::OrderKey { most: KEY_CHARS }.into());
    }
    let order = OperatorOrder { by, reason: sanitize(&reason, REASON_CHARS), key };
    let kind = kind(change);
    let change = LedgerChange { kind, order, allow_negative };
    let answer = match admin.service.gateway.change_ledger(change).await {
        Ok(answer) => answer,
        Err(error) => return Err(with_mark(admin, kind, error).await),
    };
    let (entry, about, paid_all, repeated) = match answer {
        Reply::Ledger(reply) => {
            let about = match reply.entry.transaction {
                Transaction::Credit { payer, .. }
                | Transaction::Debit { payer, .. }
                | Transaction::Limit { payer, .. }
                | Transaction::WriteOff { payer, .. } => Some(payer),
                Transaction::Paid { payee, .. } if reply.paid_all.is_none() => Some(payee),
                Transaction::Correction { payee, .. } | Transaction::Bounced { payee, .. } => Some(payee),
                _ => None,
            };
            (reply.entry, about, reply.paid_all, reply.repeated)
        }
        _ => return Err(CallRefusal::Internal { why: "the core gave an unexpected answer".to_owned() }.into()),
    };
    let views = views(admin, about, usize::from(about.is_some())).await;
    if !repeated {
        log_change(&entry, paid_all.as_ref(), views.as_ref().ok().map(|(asset, _)| *asset));
    }
    let (asset, accounts) = views?;
    let account = accounts.into_iter().find(|view| Some(view.account) == about).map(account);
    let paid_all = paid_all.map(|PaidPayouts { marked, amount, left_out, next }| AdminPaidPayouts {
        marked,
        amount,
        left_out,
        next,
    });
    let amount = entry.transaction.ordered_amount().filter(|_| paid_all.is_none());
    let period = match entry.transaction {
        Transaction::Period { period, .. } => Some(period),
        _ => None,
    };
    Ok(LedgerPosted { entry: entry.number, at_ms: entry.at, repeated, account, amount, period, paid_all, asset })
}

/// Logs a change that was posted, with its account and amount. Without the asset, the amount is in the smallest unit.
fn log_change(entry: &LedgerEntry, paid_all: Option<&PaidPayouts>, asset: Option<Asset>) {
    let LedgerEntry { number, transaction, .. } = entry;
    let (account, amount) = match paid_all {
        Some(paid) => (None, Some(paid.amount)),
        None => (transaction.payer().or(transaction.payee()), transaction.ordered_amount()),
    };
    let amount = amount.map(|amount| match asset {
        Some(asset) => asset.show(amount).to_string(),
        None => amount.get().to_string(),
    });
    let order = transaction.order();
    let reason = order.map(|order| order.reason.as_str()).filter(|reason| !reason.is_empty());
    tracing::info!(
        target: OPERATOR_LOG,
        entry = number,
        kind = transaction.name(),
        account = account.map(tracing::field::display),
        amount,
        payouts = paid_all.map(|paid| paid.marked),
        user = order.and_then(|order| order.by),
        reason,
        "the operator changed the ledger"
    );
}

/// Characters that look alike, or that nobody sees, would make two keys of what an operator takes for one.
fn is_key(key: &str) -> bool {
    (1..=KEY_CHARS).contains(&key.len()) && key.trim() == key && key.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

const fn kind(order: LedgerOrder) -> LedgerChangeKind {
    match order {
        LedgerOrder::Credit { account, amount } => LedgerChangeKind::Credit { payer: account, amount },
        LedgerOrder::Debit { account, amount } => LedgerChangeKind::Debit { payer: account, amount },
        LedgerOrder::Limit { account, amount } => LedgerChangeKind::Limit { payer: account, limit: amount },
        LedgerOrder::WriteOff { entry } => LedgerChangeKind::WriteOff { entry },
        LedgerOrder::Correction { account, amount, takes } => {
            LedgerChangeKind::Correction { payee: account, amount, takes }
        }
        LedgerOrder::ClosePeriod => LedgerChangeKind::ClosePeriod,
        LedgerOrder::Paid { payout } => LedgerChangeKind::Paid { payout },
        LedgerOrder::PaidAll { period, after } => LedgerChangeKind::PaidAll { period, after },
        LedgerOrder::Bounced { payout } => LedgerChangeKind::Bounced { payout },
    }
}

/// Returns a page of the accounts.
pub(super) async fn accounts(admin: &AdminService, request: AccountsRequest) -> Result<AdminAccounts, WireError> {
    let AccountsRequest { filter, from, most } = request;
    let most = usize::try_from(most.clamp(1, MOST)).unwrap_or(usize::MAX);
    let filter = filter.map(|filter| filter.to_lowercase());
    let (mut accounts, mut from) = (Vec::new(), from);
    // Each page holds up the core for a short time only.
    let size = if filter.is_some() { PAGE } else { most };
    loop {
        let (asset, mut page) = views(admin, from, size.saturating_add(1)).await?;
        from = page.get(size).map(|view| view.account);
        page.truncate(size);
        for view in page.into_iter().filter(|view| filter.as_ref().is_none_or(|filter| matches(view, filter))) {
            if accounts.len() >= most {
                return Ok(AdminAccounts { asset, accounts, next: Some(view.account) });
            }
            accounts.push(account(view));
        }
        if from.is_none() || accounts.len() >= most {
            return Ok(AdminAccounts { asset, accounts, next: from });
        }
    }
}

/// Whether an account is what the operator typed, in lower case.
fn matches(view: &LedgerAccountView, filter: &str) -> bool {
    match filter {
        "negative" => view.payer.debt() > Amount::ZERO,
        "due" => view.payee.payable() > Amount::ZERO,
        filter => view
            .account
            .to_string()
            .to_lowercase()
            .trim_start_matches("0x")
            .starts_with(filter.trim_start_matches("0x")),
    }
}

/// Returns a page of what can be claimed of the clients' payment channels.
pub(super) async fn claims(admin: &AdminService, request: ClaimsRequest) -> Result<AdminClaims, WireError> {
    let ClaimsRequest { after, most } = request;
    let most = usize::try_from(most.clamp(1, MOST)).unwrap_or(usize::MAX);
    let (asset, mut claims) =
        ask(admin, |answer| OperatorQuery::Claims { after, most: most.saturating_add(1), answer }).await?;
    let more = claims.len() > most;
    claims.truncate(most);
    let next = claims.last().filter(|_| more).map(|claim| claim.channel.payer_authorizer);
    let pool = admin.service.gateway.ask(OperatorQuery::ClaimsWith).await.flatten();
    Ok(AdminClaims { asset, claims, next, pool })
}

/// Returns a page of the payouts of a settlement period.
pub(super) async fn payouts(admin: &AdminService, request: PayoutsRequest) -> Result<AdminPayouts, WireError> {
    let PayoutsRequest { period, after, most } = request;
    let most = usize::try_from(most.clamp(1, MOST)).unwrap_or(usize::MAX);
    let query = |answer| OperatorQuery::Payouts { period, after, most: most.saturating_add(1), answer };
    let (asset, mut payouts) = ask(admin, query).await?;
    let more = payouts.len() > most;
    payouts.truncate(most);
    let next = payouts.last().filter(|_| more).map(|row| row.number);
    let mut references = payout_references(admin, &payouts).await;
    let payouts = payouts.into_iter().map(|row| payout(row, references.remove(&row.number))).collect();
    let (_, newest_period) = ask(admin, OperatorQuery::NewestPeriod).await?;
    Ok(AdminPayouts { asset, newest_period, payouts, next })
}

async fn views(
    admin: &AdminService,
    from: Option<Account>,
    most: usize,
) -> Result<(Asset, Vec<LedgerAccountView>), WireError> {
    ask(admin, |answer| OperatorQuery::Accounts { from, most, answer }).await
}

/// Asks the core; it refuses if the pool has no ledger.
async fn ask<T>(
    admin: &AdminService,
    query: impl FnOnce(tokio::sync::oneshot::Sender<(Asset, Option<T>)>) -> OperatorQuery,
) -> Result<(Asset, T), WireError> {
    let busy = CallRefusal::Rebuilding { retry_ms: admin.service.limits.retry_ms() };
    let (asset, answer) = admin.service.gateway.ask(query).await.ok_or(busy)?;
    Ok((asset, answer.ok_or(vipnode_pool_core::CoreError::NoLedger)?))
}

fn account(view: LedgerAccountView) -> AdminAccount {
    let LedgerAccountView { account, payer, payee, funds, nodes, leases } = view;
    AdminAccount {
        account,
        funds,
        spent: payer.metered,
        nodes,
        leases,
        earned: payee.metered,
        secured: payee.collected,
        payable: payee.payable(),
    }
}

fn payout(row: PayoutRow, reference: Option<String>) -> AdminPayout {
    let PayoutRow { number, period, payee, amount, state } = row;
    let state = match state {
        PayoutState::Due => AdminPayoutState::Due,
        PayoutState::Paid => AdminPayoutState::Paid,
        PayoutState::Bounced => AdminPayoutState::Bounced,
    };
    AdminPayout { payout: number, period, account: payee, amount, state, reference }
}
