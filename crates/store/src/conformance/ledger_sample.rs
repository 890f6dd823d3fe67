//! Any row of the ledger.

use proptest::{option, prelude::*};
use vipnode_pool_core::{
    AccountFigures, AccountRow, LedgerAccount, LedgerEntry, LinkRow, NextPricing, OperatorOrder, PayoutRow,
    PayoutState, Pricing, PricingRow, Row, RowKey, SettlementPeriodRow, Transaction, UnpaidRow,
};
use vipnode_types::{Account, Amount, LeaseId, Ms, PaymentMode, Price};

use super::sample::node_id;

/// Any row, of a few accounts, nodes, and numbers.
pub(super) fn any_row() -> impl Strategy<Value = Row> {
    let node = || (0u8..4).prop_map(node_id);
    let unpaid = (0u64..4, any_account(), any_account(), any::<u16>(), any_amount(), any_amount());
    let unpaid = unpaid.prop_map(|(entry, payer, payee, fee_bps, cost, collected)| UnpaidRow {
        entry,
        payer,
        payee,
        fee_bps,
        cost,
        collected,
    });
    let state = prop_oneof![Just(PayoutState::Due), Just(PayoutState::Paid), Just(PayoutState::Bounced)];
    let payout = (0u64..4, any::<u64>(), any_account(), any_amount(), state);
    let payout =
        payout.prop_map(|(number, period, payee, amount, state)| PayoutRow { number, period, payee, amount, state });
    let period = |number, closed| Row::Period(SettlementPeriodRow { number, closed: Ms::new(closed) });
    prop_oneof![
        3 => any_entry().prop_map(|entry| Row::Entry(Box::new(entry))),
        2 => any_figures().prop_map(Row::Account),
        1 => any_pricing_row().prop_map(|row| Row::Pricing(Box::new(row))),
        1 => prop_oneof![Just(PaymentMode::None), Just(PaymentMode::Credit)].prop_map(Row::Payment),
        1 => (node(), any_account()).prop_map(|(node, account)| Row::Link(LinkRow { node, account })),
        1 => (any_account(), any::<u64>()).prop_map(|(account, counter)| Row::LinkCounter(account, counter)),
        1 => unpaid.prop_map(Row::Unpaid),
        1 => (any::<u64>(), any::<u64>()).prop_map(move |(number, closed)| period(number, closed)),
        1 => payout.prop_map(Row::Payout),
        1 => node().prop_map(|node| Row::Delete(RowKey::Link(node))),
        1 => (0u64..4).prop_map(|entry| Row::Delete(RowKey::Unpaid(entry))),
        1 => (0u64..4).prop_map(|number| Row::Delete(RowKey::Payout(number))),
    ]
}

/// Mostly one of a few values, so that entries repeat; otherwise any value, for conflicts.
fn any_entry() -> impl Strategy<Value = LedgerEntry> {
    let wild = (0u64..100, any::<u64>(), any_transaction());
    let wild = wild.prop_map(|(number, at, transaction)| LedgerEntry { number, at: Ms::new(at), transaction });
    prop_oneof![3 => (0u64..8).prop_map(entry), 1 => wild]
}

/// The ordinary entry with that number.
pub(crate) fn entry(number: u64) -> LedgerEntry {
    let key = number.is_multiple_of(2).then(|| format!("key {number}"));
    let order = OperatorOrder { by: Some(1_000), reason: "bank transfer".to_owned(), key };
    let transaction = Transaction::Credit { payer: Account::new([1; 20]), amount: Amount::new(number.into()), order };
    LedgerEntry { number, at: Ms::new(number), transaction }
}

fn any_transaction() -> impl Strategy<Value = Transaction> {
    let parts = (
        0..11usize,
        any_account(),
        any_account(),
        [any_amount(), any_amount(), any_amount(), any_amount()],
        any::<u64>(),
        any::<u32>(),
        any_order(),
    );
    parts.prop_map(|(kind, payer, payee, [amount, from, collected, fee], number, row, order)| match kind {
        0 => Transaction::Credit { payer, amount, order },
        1 => Transaction::Debit { payer, amount, order },
        2 => Transaction::Limit { payer, limit: amount, order },
        3 => Transaction::Lease { payer, payee, lease: LeaseId::new(number), row, from, cost: amount, collected, fee },
        4 => Transaction::Collected { payer, payee, entry: number, amount, fee },
        5 => Transaction::Period { period: number, order },
        6 => Transaction::Paid { payout: number, payee, amount, order },
        7 => Transaction::WriteOff { payer, payee, entry: number, amount, order },
        9 => Transaction::Overbilled { payer, payee, entry: number, amount, order },
        8 => Transaction::Correction { payee, amount, takes: row % 2 == 0, order },
        _ => Transaction::Bounced { payout: number, payee, amount, order },
    })
}

fn any_order() -> impl Strategy<Value = OperatorOrder> {
    (any::<Option<u32>>(), ".{0,20}", option::of("[a-z]{0,8}")).prop_map(|(by, reason, key)| OperatorOrder {
        by,
        reason,
        key,
    })
}

fn any_figures() -> impl Strategy<Value = AccountRow> {
    let account = prop_oneof![
        any_account().prop_map(LedgerAccount::Payer),
        any_account().prop_map(LedgerAccount::Payee),
        Just(LedgerAccount::Received),
        Just(LedgerAccount::PaidOut),
        Just(LedgerAccount::Fee),
    ];
    let figures = (any_amount(), any_amount(), any_amount(), any_amount(), any_amount());
    let figures = figures.prop_map(|(received, sent, metered, collected, limit)| AccountFigures {
        received,
        sent,
        metered,
        collected,
        limit,
    });
    (account, figures).prop_map(|(account, figures)| AccountRow { account, figures })
}

fn any_account() -> impl Strategy<Value = Account> {
    (0u8..3).prop_map(|byte| Account::new([byte; 20]))
}

fn any_amount() -> impl Strategy<Value = Amount> {
    prop_oneof![Just(0), 0..1_000u128, any::<u128>()].prop_map(Amount::new)
}

fn any_pricing() -> impl Strategy<Value = Pricing> {
    (1_u64..4, 0_u16..10_001).prop_map(|(price, fee_bps)| Pricing::new(Price::per_minute(price), fee_bps))
}

fn any_pricing_row() -> impl Strategy<Value = PricingRow> {
    let ms = || (0_u64..1_000).prop_map(Ms::new);
    let next = (any_pricing(), ms(), ms());
    let next = next.prop_map(|(pricing, from, announced)| NextPricing { pricing, from, announced });
    let times = (ms(), ms());
    (any_pricing(), any_pricing(), times, option::of(next)).prop_map(|(settings, current, (announced, since), next)| {
        PricingRow { settings, current, announced, since, next }
    })
}
