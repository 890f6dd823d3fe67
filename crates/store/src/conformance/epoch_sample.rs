//! Any row of an epoch.

use proptest::{collection::vec, option, prelude::*};
use vipnode_pool_core::{
    ChainTransactionRow, EpochClaimRow, EpochRow, EpochStep, GasTerms, Row, RowKey, TransactionPurpose,
};
use vipnode_types::{Account, Amount, Hash256, Ms, payment::ChannelId};

/// Any row, of a few accounts and nonces.
pub(super) fn any_row() -> impl Strategy<Value = Row> {
    prop_oneof![
        2 => any_epoch().prop_map(|row| Row::Epoch(Box::new(row))),
        2 => any_claim().prop_map(|row| Row::EpochClaim(Box::new(row))),
        2 => any_transaction().prop_map(|row| Row::ChainTransaction(Box::new(row))),
        1 => any_account().prop_map(|signer| Row::Delete(RowKey::EpochClaim(signer))),
        1 => any_nonce().prop_map(|nonce| Row::Delete(RowKey::ChainTransaction(nonce))),
    ]
}

fn any_epoch() -> impl Strategy<Value = EpochRow> {
    let step = prop::sample::select(&EpochStep::ALL);
    let times = (any::<u64>(), any::<u64>(), option::of(any::<u64>()));
    let amounts = (option::of(any_amount()), any_amount(), any::<u128>(), any::<u128>());
    let parts = (any::<u64>(), step, times, any::<bool>(), amounts, any::<u32>(), option::of(".{0,20}"));
    parts.prop_map(|(number, step, (since, cut, finished), withdrawals_only, amounts, settles, problem)| {
        let (settled_before, unattributed, spent_wei, spent_before_wei) = amounts;
        EpochRow {
            number,
            step,
            since: Ms::new(since),
            cut: Ms::new(cut),
            withdrawals_only,
            settled_before,
            settles,
            unattributed,
            spent_wei,
            spent_before_wei,
            finished: finished.map(Ms::new),
            problem,
        }
    })
}

fn any_claim() -> impl Strategy<Value = EpochClaimRow> {
    let parts = (any_account(), any::<[u8; 32]>(), any_amount(), any_amount(), any::<u32>(), option::of(".{0,20}"));
    parts.prop_map(|(signer, channel, target, claimed_before, attempts, set_aside)| EpochClaimRow {
        signer,
        channel: ChannelId::new(Hash256(channel)),
        target,
        claimed_before,
        attempts,
        set_aside,
    })
}

fn any_transaction() -> impl Strategy<Value = ChainTransactionRow> {
    let purpose =
        prop_oneof![vec(any_account(), 0..4).prop_map(TransactionPurpose::Claim), Just(TransactionPurpose::Settle)];
    let gas = (any::<u64>(), any::<u128>(), any::<u128>());
    let gas = gas.prop_map(|(gas, priority_fee_wei, max_fee_wei)| GasTerms { gas, priority_fee_wei, max_fee_wei });
    let bytes = (any::<[u8; 32]>(), vec(any::<u8>(), 0..9));
    let parts = (any_nonce(), purpose, gas, bytes, any::<u32>(), any::<u64>(), option::of(any::<u128>()));
    parts.prop_map(|(nonce, purpose, gas, (hash, raw), bumps, signed, cost_wei)| ChainTransactionRow {
        nonce,
        purpose,
        gas,
        hash: Hash256(hash),
        raw,
        bumps,
        signed: Ms::new(signed),
        cost_wei,
    })
}

/// Also beyond 2^63: the order is that of unsigned numbers.
fn any_nonce() -> impl Strategy<Value = u64> {
    prop_oneof![0..3_u64, Just(u64::MAX)]
}

fn any_account() -> impl Strategy<Value = Account> {
    (0u8..3).prop_map(|byte| Account::new([byte; 20]))
}

fn any_amount() -> impl Strategy<Value = Amount> {
    prop_oneof![Just(0), 0..1_000u128, any::<u128>()].prop_map(Amount::new)
}
