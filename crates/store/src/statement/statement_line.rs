use vipnode_pool_core::{LedgerAccount, LedgerEntry, MeteredPeriod, Transaction};
use vipnode_types::{
    Amount, Ms, SignedAmount,
    meter::Seen,
    wire::{LeasePeriod, StatementKind, StatementLine, StatementSide},
};

use super::StatementParties;

/// The lines of an entry: one for each side on which it is about one of the parties. `period` is the billing period of an entry
/// that bills one.
pub(super) fn lines(
    parties: StatementParties,
    entry: &LedgerEntry,
    period: Option<&MeteredPeriod>,
) -> impl Iterator<Item = StatementLine> {
    let (payer, payee) = (entry.transaction.payer(), entry.transaction.payee());
    let of = |side, own: Option<_>, of: Option<_>| (own.is_some() && own == of).then_some(side);
    let sides = [of(StatementSide::Payer, parties.payer, payer), of(StatementSide::Host, parties.payee, payee)];
    sides.into_iter().flatten().map(move |side| line(side, entry, period))
}

fn line(side: StatementSide, entry: &LedgerEntry, period: Option<&MeteredPeriod>) -> StatementLine {
    use StatementKind::{
        Bounced, Claimed, Correction, Credit, Debit, Lease, Limit, Overbilled, Paid, Secured, Voucher, WriteOff,
    };
    let is_host = side == StatementSide::Host;
    let mut line = StatementLine {
        entry: entry.number,
        at_ms: entry.at,
        side,
        kind: Credit,
        change: change(side, &entry.transaction),
        fee: Amount::ZERO,
        secured: Amount::ZERO,
        limit: None,
        reason: entry.transaction.order().map(|order| order.reason.clone()).filter(|reason| !reason.is_empty()),
        payout: None,
        secures: None,
        lease: None,
    };
    match entry.transaction {
        Transaction::Credit { .. } | Transaction::Period { .. } => {}
        Transaction::Debit { .. } => line.kind = Debit,
        Transaction::Limit { limit, .. } => (line.kind, line.limit) = (Limit, Some(limit)),
        Transaction::Voucher { limit, .. } => (line.kind, line.limit) = (Voucher, Some(limit)),
        Transaction::Claimed { limit, .. } => (line.kind, line.limit) = (Claimed, Some(limit)),
        Transaction::Lease { from, cost, collected, fee, .. } => {
            (line.kind, line.secured) = (Lease, collected);
            line.fee = if is_host { fee } else { Amount::ZERO };
            let interval = [from, from.checked_add(cost).unwrap_or(Amount::MAX)];
            line.lease = period.map(|period| lease_period(side, period, interval));
        }
        Transaction::Collected { entry, amount, fee, .. } => {
            (line.kind, line.secured, line.secures) = (Secured, amount, Some(entry));
            line.fee = if is_host { fee } else { Amount::ZERO };
        }
        Transaction::WriteOff { entry, .. } => (line.kind, line.secures) = (WriteOff, Some(entry)),
        Transaction::Overbilled { entry, .. } => (line.kind, line.secures) = (Overbilled, Some(entry)),
        Transaction::Correction { .. } => line.kind = Correction,
        Transaction::Paid { payout, .. } => (line.kind, line.payout) = (Paid, Some(payout)),
        Transaction::Bounced { payout, .. } => (line.kind, line.payout) = (Bounced, Some(payout)),
    }
    line
}

/// By how much a transaction changes the balance of its payer or payee.
pub(super) fn change(side: StatementSide, transaction: &Transaction) -> SignedAmount {
    let own = match side {
        StatementSide::Payer => transaction.payer().map(LedgerAccount::Payer),
        StatementSide::Host => transaction.payee().map(LedgerAccount::Payee),
        StatementSide::Unknown => None,
    };
    let (mut received, mut sent) = (Amount::ZERO, Amount::ZERO);
    for posting in transaction.postings() {
        // A transaction has at most two postings, and one to an account and one from it.
        let add = |sum: Amount| sum.checked_add(posting.amount).unwrap_or(Amount::MAX);
        if Some(posting.to) == own {
            received = add(received);
        }
        if Some(posting.from) == own {
            sent = add(sent);
        }
    }
    SignedAmount::difference(received, sent)
}

fn lease_period(side: StatementSide, period: &MeteredPeriod, interval: [Amount; 2]) -> LeasePeriod {
    let lease = &period.lease;
    let (node, counterpart) = match side {
        StatementSide::Payer | StatementSide::Unknown => (lease.client, lease.host),
        StatementSide::Host => (lease.host, lease.client),
    };
    LeasePeriod {
        lease: lease.id,
        row: lease.row,
        node: node.short(),
        counterpart: counterpart.short(),
        first_ms: first_ms(period),
        last_ms: last_ms(period),
        billed_ms: period.total_billed_ms(),
        merged: period.merged_rows(),
        price: lease.price,
        trial: lease.trial,
        cost: period.total_cost(),
        interval,
    }
}

/// The time at which both sides were first connected to each other.
pub(super) fn first_ms(period: &MeteredPeriod) -> Option<Ms> {
    both(period).map(|(client, host)| client.up.max(host.up))
}

/// The last time at which both sides were connected to each other.
pub(super) fn last_ms(period: &MeteredPeriod) -> Option<Ms> {
    both(period).map(|(client, host)| client.end.min(host.end))
}

fn both(period: &MeteredPeriod) -> Option<(Seen, Seen)> {
    period.client.zip(period.host).filter(|_| period.billed_ms > 0)
}
