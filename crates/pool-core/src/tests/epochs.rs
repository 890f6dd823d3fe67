//! Epochs: the pool claims on its own, and lists the payouts.

mod evm;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Amount, payment::ChannelTerms, wire::ErrorCode};

use self::{
    evm::GWEI,
    world::{Crash, DAY_MS, EPOCH_MS, HOST, OWED, World, account, limits, signer},
};
use super::pool::START;
use crate::{ChainRequest, Core, EpochStep, EpochTerms, LedgerChangeKind, Limits, PayoutState};

#[test]
fn an_epoch_claims_confirms_at_finality_and_lists_the_payouts() {
    let mut world = World::new(3);
    world.work();
    world.pass(EPOCH_MS - 1_000);
    assert_eq!((world.step(), world.view().row.number), (EpochStep::Open, 0), "no epoch is over");
    let plan = world.view().plan;
    assert_eq!((plan.claims, plan.amount.get(), plan.gas), (3, 3 * OWED, 390_000), "two claims, and the transfer");
    world.pass(1_000);
    world.work();
    assert_eq!((world.step(), world.view().row.number), (EpochStep::Redeem, 1));
    assert_eq!(world.evm.sent.len(), 1, "one transaction at a time");
    let mut seen = BTreeSet::new();
    for _ in 0..8 {
        world.evm.mine();
        world.pass(1_000);
        seen.insert(world.step().name());
    }
    assert_eq!(world.step(), EpochStep::Confirm);
    assert_eq!(world.evm.mined.len(), 3, "two transactions with claims, and the transfer");
    assert_eq!((world.evm.latest.settled, world.posted(1)), (3 * OWED, 0), "mined, and not final");
    assert_eq!(world.payouts(), []);
    world.evm.finalize();
    world.pass(3_000);
    world.pass(1_000);
    assert_eq!((world.step(), world.posted(1)), (EpochStep::Open, OWED));
    assert!(seen.contains("redeem") && seen.contains("confirm"), "{seen:?}");
    let payouts = world.payouts();
    assert_eq!((payouts.len(), payouts[0].payee), (1, HOST));
    assert_eq!(payouts[0].amount.get(), 3 * (OWED - OWED / 10), "less the fee of 10 %");
    let row = world.view().row;
    assert_eq!((row.unattributed, row.spent_wei, row.problem), (Amount::ZERO, 3_000, None));
    assert!(row.finished.is_some());
    assert_eq!((world.view().claims, world.view().plan.claims), (0, 0));
    // Nothing is left to claim: the next epoch sends nothing, and closes no period.
    world.pass(EPOCH_MS);
    world.blocks(8);
    assert_eq!((world.view().row.number, world.evm.mined.len(), world.payouts().len()), (2, 3, 1));
}

/// A pool that dies at any moment sends nothing twice and loses nothing.
#[test]
fn a_crash_at_each_moment_repeats_nothing_and_loses_nothing() {
    let complete = |crash: Option<(Crash, u32)>| {
        let mut world = World::new(3);
        world.work();
        world.wait(EPOCH_MS);
        (world.moments, world.crash) = (0, crash);
        world.blocks(40);
        assert_eq!(world.step(), EpochStep::Open, "{crash:?}: {:?}", world.view());
        let mined: BTreeSet<u64> = world.evm.mined.iter().map(|(nonce, _)| *nonce).collect();
        assert_eq!((world.evm.mined.len(), mined.len()), (3, 3), "{crash:?}: two with claims, and one transfer");
        let mut of_nonces: BTreeMap<u64, BTreeSet<_>> = BTreeMap::new();
        for (nonce, hash) in &world.evm.sent {
            of_nonces.entry(*nonce).or_default().insert(*hash);
        }
        assert!(of_nonces.values().all(|hashes| hashes.len() == 1), "{crash:?}: one transaction a nonce");
        for channel in 1..=3 {
            assert_eq!(world.posted(channel), OWED, "{crash:?}");
        }
        let payouts = world.payouts();
        assert_eq!(payouts.iter().map(|row| row.amount.get()).sum::<u128>(), 3 * (OWED - OWED / 10), "{crash:?}");
        assert_eq!((payouts.len(), payouts[0].period, world.view().row.number), (1, 1, 1), "{crash:?}");
        assert_eq!(world.view().row.unattributed, Amount::ZERO);
        world.moments
    };
    let moments = complete(None);
    assert!(moments > 50, "{moments}");
    for moment in 1..=moments {
        for kind in [Crash::BeforeCommit, Crash::AfterCommit, Crash::AfterRequest] {
            complete(Some((kind, moment)));
        }
    }
}

#[test]
fn a_reorganization_sends_the_same_transactions_again() {
    let mut world = World::new(3);
    world.work();
    world.pass(EPOCH_MS);
    for _ in 0..8 {
        world.evm.mine();
        world.pass(1_000);
    }
    assert_eq!((world.step(), world.evm.mined.len()), (EpochStep::Confirm, 3));
    let sent: BTreeSet<_> = world.evm.sent.iter().copied().collect();
    world.evm.reorganize();
    world.pass(Limits::default().send_again_ms);
    world.blocks(12);
    assert_eq!((world.step(), world.evm.mined.len(), world.posted(3)), (EpochStep::Open, 3, OWED));
    let again: BTreeSet<_> = world.evm.sent.iter().copied().collect();
    assert!(again.is_superset(&sent));
    assert!(again.len() <= sent.len() + 1, "at most the first got a higher fee: {:?}", world.evm.sent);
}

/// A final block is replaced, which a chain promises not to do: what fell is claimed again.
#[test]
fn a_total_that_falls_is_claimed_again() {
    let mut world = World::new(1);
    world.work();
    world.pass(EPOCH_MS);
    for _ in 0..5 {
        world.evm.mine();
        world.pass(1_000);
    }
    assert_eq!(world.step(), EpochStep::Confirm);
    // The transactions are final, and the claim is not in the state.
    let lost = world.evm.latest.clone();
    world.evm.latest.claimed.clear();
    (world.evm.latest.all_claimed, world.evm.latest.settled) = (0, 0);
    world.evm.finalize();
    world.pass(3_000);
    assert_eq!((world.posted(1), world.view().row.number), (0, 1), "{lost:?}");
    world.blocks(16);
    assert_eq!((world.step(), world.posted(1), world.evm.mined.len()), (EpochStep::Open, OWED, 4));
}

#[test]
fn a_claim_that_the_contract_refuses_blocks_no_other() {
    let mut world = World::with(Limits { claim_rows: 5, ..limits() }, 5);
    world.evm.bad.insert(signer(2));
    world.work();
    world.pass(EPOCH_MS);
    world.blocks(30);
    assert_eq!(world.step(), EpochStep::Open);
    for channel in [1, 3, 4, 5] {
        assert_eq!(world.posted(channel), OWED);
    }
    let aside = world.set_aside();
    assert_eq!((aside.len(), aside[0].signer, world.posted(2)), (1, signer(2), 0));
    assert_eq!(aside[0].set_aside.as_deref(), Some("ClaimExceedsBalance"));
    // The next epoch tries it again.
    world.evm.bad.clear();
    world.pass(EPOCH_MS);
    world.blocks(30);
    assert_eq!((world.posted(2), world.set_aside()), (OWED, Vec::new()));
}

#[test]
fn a_claim_that_no_transaction_achieves_is_given_up() {
    let mut world = World::with(Limits { claim_attempts: 2, ..limits() }, 1);
    world.evm.is_deaf = true;
    world.work();
    world.pass(EPOCH_MS);
    world.blocks(60);
    assert_eq!(world.step(), EpochStep::Open);
    let aside = world.set_aside();
    assert!(aside[0].set_aside.as_ref().unwrap().contains("2 transactions claimed it"), "{aside:?}");
    assert!((2..=4).contains(&world.evm.mined.len()), "{:?}", world.evm.mined);
}

/// A client can have its claim fail after it was simulated, and with it the transaction that contains it, but only once.
#[test]
fn a_claim_that_reverts_once_it_is_mined_takes_no_other_with_it_again() {
    let mut world = World::with(Limits { claim_rows: 4, ..limits() }, 4);
    world.evm.treacherous.insert(signer(3));
    world.work();
    world.pass(EPOCH_MS);
    world.blocks(80);
    assert_eq!(world.step(), EpochStep::Open);
    assert_eq!([1, 2, 3, 4].map(|channel| world.posted(channel)), [OWED, OWED, 0, OWED]);
    let aside = world.set_aside();
    assert_eq!((aside.len(), aside[0].signer), (1, signer(3)));
    assert_eq!(world.payouts().len(), 1);
}

#[test]
fn the_cost_of_gas_has_limits() {
    // 2 gwei a unit, and 2 claims use at most 100,800 gas.
    let most = |epoch_gas_gwei, gas_price_gwei| Limits { epoch_gas_gwei, gas_price_gwei, ..limits() };
    for (limit, named) in [(most(200_000, 200), "epoch_gas_gwei"), (most(u64::MAX, 1), "gas_price_gwei")] {
        let mut world = World::with(limit, 2);
        world.work();
        world.pass(EPOCH_MS);
        world.blocks(8);
        assert_eq!((world.step(), world.evm.sent.len()), (EpochStep::Redeem, 0), "{named}");
        assert!(world.problem().contains(named), "{}", world.problem());
        // The operator raises the limit, or gas gets cheaper.
        world.pool.core.limits.epoch_gas_gwei = 1_000_000;
        world.evm.fee_wei = GWEI / 2;
        world.blocks(30);
        assert_eq!((world.step(), world.posted(2), world.problem()), (EpochStep::Open, OWED, String::new()));
    }
}

#[test]
fn a_claim_is_worth_its_gas_or_waits() {
    // A claim costs 30,000 gas, so 30,000 units; the channels owe 5,000,000 each.
    for (times, claimed) in [(166, OWED), (167, 0)] {
        let mut world = World::with(Limits { claim_worth: times, ..limits() }, 1);
        world.work();
        world.pass(EPOCH_MS);
        world.blocks(20);
        assert_eq!((world.step(), world.posted(1)), (EpochStep::Open, claimed));
    }
    // A withdrawal would take it, so less is enough.
    let worth = Limits { claim_worth: 1_000, withdrawal_worth: 166, ..limits() };
    let mut world = World::with(worth, 2);
    world.work();
    let far = world.pool.now.plus(30 * DAY_MS);
    world.withdraws(2, 10 * OWED, far);
    world.pass(EPOCH_MS);
    world.blocks(20);
    assert_eq!((world.posted(1), world.posted(2)), (0, OWED));
}

#[test]
fn a_withdrawal_is_preceded_by_a_claim_between_two_epochs() {
    let mut world = World::with(Limits { withdrawal_notice_ms: 2 * DAY_MS, ..limits() }, 2);
    world.work();
    world.pass(1_000);
    let done = world.pool.now.plus(3 * DAY_MS);
    world.withdraws(1, 10 * OWED, done);
    world.pass(DAY_MS - 2_000);
    assert_eq!(world.view().row.number, 0, "there is time");
    world.pass(2_000);
    world.blocks(20);
    let row = world.view().row;
    assert_eq!((row.number, row.withdrawals_only, world.step()), (1, true, EpochStep::Open));
    assert_eq!((world.posted(1), world.posted(2)), (OWED, 0), "only what is exposed");
    assert_eq!(world.payouts(), [], "no period is closed");
    // The regular epoch keeps its time.
    assert_eq!(world.view().next_cut, START.plus(EPOCH_MS));
    // One that leaves enough for what was signed does not matter.
    world.withdraws(2, 8 * OWED, done);
    world.blocks(8);
    assert_eq!(world.view().row.number, 1);
}

/// Anyone can settle to the receiver, and claim for it what it permits.
#[test]
fn what_arrives_beyond_the_claims_stops_nothing_and_less_stops_the_epoch() {
    let mut world = World::new(1);
    world.work();
    world.pass(EPOCH_MS);
    for _ in 0..20 {
        world.evm.pay(account(0xee), world.evm.latest.all_claimed + 1);
        world.evm.latest.settled = world.evm.latest.all_claimed;
        world.blocks(1);
        world.evm.finalize();
    }
    assert_eq!((world.step(), world.posted(1)), (EpochStep::Open, OWED));
    assert!(world.view().row.unattributed > Amount::ZERO);

    let mut world = World::new(1);
    world.evm.finalized.settled = 7;
    world.evm.latest.settled = 7;
    world.work();
    world.pass(EPOCH_MS);
    for _ in 0..12 {
        world.blocks(1);
        // As if 7 units were taken back.
        world.evm.latest.settled = world.evm.latest.settled.min(OWED);
        world.evm.finalize();
    }
    assert_eq!(world.step(), EpochStep::Halted);
    assert!(world.problem().contains("7 smallest units less"), "{}", world.problem());
    assert_eq!(world.payouts(), []);
    world.pass(EPOCH_MS);
    assert_eq!(world.step(), EpochStep::Halted, "it waits for the operator");
    world.restart();
    world.work();
    assert_eq!(world.step(), EpochStep::Halted);
    world.evm.latest.settled += 7;
    world.evm.finalize();
    assert_eq!(world.run().unwrap().row.step, EpochStep::Read);
    world.blocks(12);
    assert_eq!((world.step(), world.payouts().len()), (EpochStep::Open, 1));
}

#[test]
fn a_transaction_that_is_not_mined_gets_a_higher_fee_a_few_times() {
    let mut world = World::with(Limits { send_again_ms: 10_000, fee_bumps: 2, ..limits() }, 1);
    world.work();
    world.pass(EPOCH_MS);
    world.blocks(0);
    assert_eq!(world.evm.sent.len(), 1);
    let first = world.evm.sent[0];
    for _ in 0..60 {
        world.pass(1_000);
    }
    let hashes: BTreeSet<_> = world.evm.sent.iter().map(|(_, hash)| *hash).collect();
    assert_eq!(hashes.len(), 3, "two with a higher fee");
    assert!(world.evm.sent.iter().all(|(nonce, _)| *nonce == first.0), "only one of them can count");
    world.blocks(20);
    assert_eq!((world.step(), world.posted(1), world.evm.mined.len()), (EpochStep::Open, OWED, 2));
}

#[test]
fn a_node_that_does_not_answer_is_asked_again() {
    let mut world = World::with(Limits { chain_answer_ms: 20_000, ..limits() }, 1);
    world.work();
    world.evm.is_silent = true;
    world.pass(EPOCH_MS);
    world.pass(19_000);
    assert_eq!(world.problem(), "");
    world.pass(2_000);
    assert!(world.problem().contains("did not answer"), "{}", world.problem());
    world.evm.is_silent = false;
    world.blocks(30);
    assert_eq!((world.step(), world.posted(1)), (EpochStep::Open, OWED));
}

#[test]
fn an_epoch_has_a_number_of_claims_and_the_rest_follows() {
    let mut world = World::with(Limits { epoch_rows: 2, claim_rows: 1, ..limits() }, 3);
    world.work();
    world.run().unwrap();
    assert_eq!(world.run(), Err(ErrorCode::Unsuitable), "one runs");
    world.blocks(30);
    assert_eq!((1..=3).map(|channel| world.posted(channel)).sum::<u128>(), 2 * OWED);
    assert_eq!(world.evm.mined.len(), 3, "each claim in a transaction of its own");
    let payout = world.payouts()[0].number;
    // Payouts that are not marked do not delay the next epoch.
    world.run().unwrap();
    world.blocks(30);
    assert_eq!((1..=3).map(|channel| world.posted(channel)).sum::<u128>(), 3 * OWED);
    assert!(world.problem().contains("unmarked"), "{}", world.problem());
    assert_eq!(world.payouts().len(), 1);
    world.pool.change(LedgerChangeKind::Paid { payout }, None).unwrap();
    world.run().unwrap();
    world.blocks(8);
    let payouts = world.payouts();
    assert_eq!((payouts[0].period, payouts[0].state, world.problem()), (2, PayoutState::Due, String::new()));
}

/// The nonces of another account, and what another receiver got, say nothing about an epoch.
#[test]
fn an_epoch_of_another_claimer_ends_and_its_channels_are_left_to_the_command() {
    let mut world = World::new(2);
    world.work();
    world.pass(EPOCH_MS);
    assert_eq!((world.step(), world.evm.sent.len()), (EpochStep::Redeem, 1));
    let terms = limits().channel.map(|terms| ChannelTerms { receiver_authorizer: account(0xa4), ..terms });
    world.restart_with(Limits { channel: terms, ..limits() });
    world.work();
    assert_eq!((world.step(), world.view().transactions, world.evm.sent.len()), (EpochStep::Open, 0, 1));
    assert!(world.problem().contains("changed"), "{}", world.problem());
    assert_eq!(world.view().plan.claims, 0, "the new key cannot claim from them");
    assert_eq!(world.pool.core.claims(None, 9).unwrap().len(), 2);
    // What the first claimer sent counts.
    world.evm.mine();
    world.evm.finalize();
    world.watch();
    assert_eq!((world.posted(1), world.posted(2)), (OWED, OWED));
}

/// What agents are promised.
fn period_ms(limits: Limits) -> Option<u64> {
    Core::new(limits, [1; 32], START).payment_terms().period_ms
}

#[test]
fn a_pool_without_the_key_does_not_claim() {
    let mut world = World::with(Limits { epoch: None, ..limits() }, 1);
    world.work();
    world.pass(2 * EPOCH_MS);
    assert_eq!((world.pool.core.epoch_view(), world.run()), (None, Err(ErrorCode::Unsuitable)));
    assert!(world.pool.chain.iter().all(|request| matches!(request, ChainRequest::Watch { .. })));
    assert_eq!(period_ms(limits()), Some(EPOCH_MS));
    assert_eq!(period_ms(Limits { epoch: None, ..limits() }), None);
    // The terms of epochs change at a start only.
    let mut world = World::new(1);
    let other = Some(EpochTerms { epoch_ms: 1, coin_price: Amount::new(1) });
    world.pool.core.set_limits(Limits { epoch: other, ..limits() });
    assert_eq!(period_ms(world.pool.core.limits), Some(EPOCH_MS));
}
