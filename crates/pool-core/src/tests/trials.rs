//! Free trials of clients that cannot pay: one host at a time, until the time is used up.

use vipnode_types::{
    Amount, LeaseId, Price,
    wire::{AskRequest, ErrorCode, EvictReason, LeaveReason, NoticeCall, TrialEnds, WireError},
};

use super::{
    connect::{ISSUED, check},
    funds::{credit_limits, payer, pool as linked},
    pool::{Pool, client, host, node, wei},
    scenario::{CLIENT, DAY_MS, HOST, HOUR_MS, KEPT, MINUTE_MS, SECOND_HOST, SLOTS, other_clients},
};
use crate::{CallOutcome, Command, LeaseRow, LedgerChangeKind, Limits, PoolCall, Row, Transaction};

const TRIAL_MS: u64 = 30 * MINUTE_MS;
const HOSTS: [u32; 2] = [HOST, SECOND_HOST];

fn limits() -> Limits {
    Limits { trial_ms: TRIAL_MS, ..credit_limits() }
}

/// A pool with trials, two hosts, and a client that nobody pays for.
fn new_client(limits: Limits) -> Pool {
    let mut pool = Pool::with(limits);
    pool.settle();
    for agent in HOSTS {
        pool.join(agent, host(agent, SLOTS));
    }
    pool.join(CLIENT, client(CLIENT));
    pool
}

impl Pool {
    fn lease_row(&self) -> Option<LeaseRow> {
        let lease = |row| if let Row::Lease(lease) = row { Some(*lease) } else { None };
        self.core.rows().into_iter().find_map(lease)
    }

    fn trial_used_ms(&self, agent: u32) -> u64 {
        self.core.agents.known(&node(agent)).unwrap().trial_used_ms().into()
    }

    fn has(&self, lease: LeaseId) -> bool {
        self.core.leases.find(lease).is_some()
    }

    /// The host of the only lease.
    fn serving_host(&self) -> u32 {
        let id = self.lease_row().unwrap().host;
        HOSTS.into_iter().find(|host| node(*host) == id).unwrap()
    }

    fn evicted_hosts(&mut self) -> Vec<EvictReason> {
        HOSTS.into_iter().filter_map(|host| self.evicted(host)).collect()
    }

    fn take_trial_notice(&mut self, agent: u32) -> Option<TrialEnds> {
        let notice = self.take_call(agent, |call| match call {
            PoolCall::Notice(NoticeCall::TrialEnds(ends)) => Some(*ends),
            _ => None,
        });
        notice.map(|(call, ends)| {
            self.done(call, CallOutcome::Done);
            ends
        })
    }

    /// Both sides of the lease are asked for the present price.
    fn asked_to_pay(&mut self, lease: LeaseId) -> [crate::CallId; 2] {
        [CLIENT, self.serving_host()].map(|agent| {
            let (call, price) = self.take_price(agent).expect("a question about the price");
            assert_eq!((price.lease, price.price, price.fee_bps), (lease, wei(60_000), 1_000));
            call
        })
    }

    /// The refusal of a request for a host; `None` if it is not refused.
    fn refuses(&mut self, agent: u32) -> Option<WireError> {
        let ask = Box::new(AskRequest { want: 1, avoid: Vec::new() });
        let connection = self.connection(agent);
        self.request(Command::Ask { connection, request: 2, ask }).and_then(Result::err)
    }
}

#[test]
fn a_client_that_cannot_pay_is_served_as_long_as_its_trial_lasts() {
    let mut pool = new_client(limits());
    let lease = pool.served(1)[0];
    let row = pool.lease_row().unwrap();
    assert_eq!((row.trial, row.price, row.payer), (true, Price::FREE, None));
    assert_eq!(super::limits::status(&mut pool).stats.num_trial_balances, 1);
    pool.passes(TRIAL_MS - 10_000);
    assert!(pool.has(lease));
    pool.passes(12_000);
    assert!(!pool.has(lease));
    assert_eq!(pool.evicted_hosts(), [EvictReason::TrialOver], "on the host's node");
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::TrialOver));
    let refused = pool.refused(1);
    assert!(refused.is(ErrorCode::PaymentRequired), "{refused:?}");
    assert!(refused.message.contains("its free trial is over (30 min)"), "{}", refused.message);
    assert!(refused.hint().unwrap().contains("vipnode account link"));
    assert!(pool.metered().iter().all(|row| row.lease.trial && row.cost == Amount::ZERO));
    pool.pass_with(2 * DAY_MS, &[HOST, SECOND_HOST, CLIENT]);
    assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired, "there is one trial for each node");
    assert_eq!(super::limits::status(&mut pool).stats.num_trial_balances, 0);
}

#[test]
fn without_trials_and_in_a_pool_that_charges_nothing_there_is_none() {
    let mut pool = new_client(credit_limits());
    assert_eq!(pool.connect(CLIENT, client(CLIENT)).unwrap().terms.trial_ms, None);
    pool.full(CLIENT, &[]);
    let refused = pool.refused(1).message;
    assert!(refused.ends_with("here, and no account pays for this node"), "{refused}");
    let mut pool = new_client(limits());
    assert_eq!(pool.connect(CLIENT, client(CLIENT)).unwrap().terms.trial_ms, Some(TRIAL_MS));
    let mut free = new_client(Limits { price: Price::FREE, ..limits() });
    assert_eq!(free.connect(CLIENT, client(CLIENT)).unwrap().terms.trial_ms, None);
    free.full(CLIENT, &[]);
    free.served(1);
    assert!(!free.lease_row().unwrap().trial);
}

#[test]
fn the_lease_of_a_client_that_can_pay_goes_on_and_costs_from_then_on() {
    let mut pool = new_client(limits());
    let lease = pool.served(1)[0];
    pool.passes(10 * MINUTE_MS);
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool.credit(HOUR_MS.into());
    assert!(pool.lease_row().unwrap().trial, "what it has of its trial stays free");
    pool.passes(TRIAL_MS - 10 * MINUTE_MS - 4_000);
    for call in pool.asked_to_pay(lease) {
        assert!(pool.lease_row().unwrap().trial, "both sides agree first");
        pool.done(call, CallOutcome::Done);
    }
    let (row, from) = (pool.lease_row().unwrap(), pool.now);
    assert_eq!((row.id, row.trial, row.price, row.payer), (lease, false, wei(60_000), Some(payer())));
    pool.passes(5 * MINUTE_MS);
    assert!(pool.evicted_hosts().is_empty() && pool.evicted(CLIENT).is_none());
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let (trials, paid): (Vec<_>, Vec<_>) = pool.metered().into_iter().partition(|row| row.lease.trial);
    assert!(trials.iter().all(|row| row.cost == Amount::ZERO));
    assert_eq!((paid.len(), paid[0].billed_ms, paid[0].cost), (1, 5 * MINUTE_MS, Amount::new((5 * MINUTE_MS).into())));
    assert!(
        paid[0].client.unwrap().up >= from && paid[0].host.unwrap().up >= from,
        "nothing is billed of the time before"
    );
    assert_eq!(pool.trial_used_ms(CLIENT), u64::from(u32::MAX), "a client that paid is not new");
}

#[test]
fn a_client_whose_funds_are_gone_when_it_should_begin_to_pay_is_not_served() {
    let mut pool = new_client(limits());
    let lease = pool.served(1)[0];
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool.credit(HOUR_MS.into());
    pool.passes(TRIAL_MS - 4_000);
    let calls = pool.asked_to_pay(lease);
    let amount = Amount::new(HOUR_MS.into());
    pool.change(LedgerChangeKind::Debit { payer: payer(), amount }, None).unwrap();
    for call in calls {
        pool.done(call, CallOutcome::Done);
    }
    assert!(!pool.has(lease));
    assert_eq!(pool.evicted_hosts(), [EvictReason::TrialOver]);
    let evict = pool.take_evict(CLIENT).unwrap();
    assert_eq!((evict.reason, evict.account), (EvictReason::TrialOver, Some(payer())));
}

#[test]
fn a_side_that_does_not_answer_before_the_end_of_the_trial_loses_the_lease() {
    let mut pool = new_client(limits());
    let lease = pool.served(1)[0];
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool.credit(HOUR_MS.into());
    pool.passes(TRIAL_MS - 4_000);
    let [of_client, _unanswered] = pool.asked_to_pay(lease);
    pool.done(of_client, CallOutcome::Done);
    pool.passes(6_000);
    assert!(!pool.has(lease));
    assert_eq!(pool.evicted_hosts(), [EvictReason::TrialOver]);
}

/// Otherwise each of a client's 64 leases would be a trial of its own.
#[test]
fn a_client_gets_one_host_in_its_trial() {
    let mut pool = new_client(limits());
    pool.ask(CLIENT, 3);
    let (host, call) = pool.admitting(&HOSTS).unwrap();
    pool.done(call, CallOutcome::Done);
    let answer = pool.last_ask(CLIENT).unwrap();
    assert_eq!((answer.hosts.len(), answer.missing), (1, 2));
    assert!(pool.why(CLIENT).contains("a client gets one host in its free trial"), "{}", pool.why(CLIENT));
    let lease = answer.hosts[0].lease;
    pool.reports_up(host, lease);
    pool.reports_up(CLIENT, lease);
    pool.passes(MINUTE_MS);
    assert_eq!((pool.core.gauges().leases, pool.admitting(&HOSTS)), (1, None));
    assert!(pool.explain(CLIENT).unwrap().reason.unwrap().contains("free trial"));
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool.credit(DAY_MS.into());
    pool.passes(10_000);
    assert!(pool.admitting(&HOSTS).is_some(), "once it can pay, it gets further ones");
}

/// The attack: a client that never reports is not paired, so the pool would soon forget it, and its trial would begin again.
#[test]
fn a_client_that_never_reports_uses_its_trial_all_the_same() {
    let mut pool = new_client(limits());
    pool.ask(CLIENT, 1);
    let (host, call) = pool.admitting(&HOSTS).unwrap();
    pool.done(call, CallOutcome::Done);
    let lease = pool.lease_row().unwrap().id;
    pool.reports_up(host, lease);
    pool.passes(16_000);
    assert!(!pool.has(lease), "the offer ended");
    let used = pool.trial_used_ms(CLIENT);
    assert!((14_000..=16_000).contains(&used), "{used}");
    pool.passes(10_000);
    assert_eq!(pool.evicted(host), Some(EvictReason::NotConnected));
    let used = pool.trial_used_ms(CLIENT);
    assert!((24_000..=27_000).contains(&used), "the host saw it until it was evicted: {used}");
    pool.disconnect(CLIENT);
    pool.pass_with(2 * HOUR_MS, &HOSTS);
    assert_eq!(pool.trial_used_ms(CLIENT), used, "the pool remembers");
}

#[test]
fn a_client_that_leaves_uses_its_trial_until_the_host_has_evicted_it() {
    let mut pool = new_client(limits());
    let lease = pool.served(1)[0];
    pool.passes(MINUTE_MS);
    pool.ask(CLIENT, 0);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let used = pool.trial_used_ms(CLIENT);
    assert!((MINUTE_MS..=MINUTE_MS + 2_000).contains(&used), "{used}");
    pool.passes(20_000);
    assert_eq!(pool.evicted_hosts(), [EvictReason::Left]);
    assert_eq!(pool.trial_used_ms(CLIENT), used + 20_000);
}

#[test]
fn a_kill_in_the_middle_of_a_trial_loses_none_of_it() {
    let limits = Limits { reconnect_window_ms: MINUTE_MS, ..limits() };
    let mut pool = new_client(limits.clone());
    let lease = pool.served(1)[0];
    pool.passes(20 * MINUTE_MS);
    let serving = pool.serving_host();
    pool.now = pool.now.plus(MINUTE_MS);
    pool.restart(limits.clone());
    for agent in HOSTS {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
        let leases = if agent == serving { vec![(lease, KEPT)] } else { Vec::new() };
        pool.full(agent, &leases);
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    pool.passes(8 * MINUTE_MS);
    assert!(pool.has(lease));
    pool.passes(2 * MINUTE_MS);
    assert!(!pool.has(lease), "it was used before and during the restart too");
    pool.restart(limits);
    pool.join(CLIENT, client(CLIENT));
    assert!(pool.refused(1).message.contains("is over"), "what was used is stored");
}

/// No deadline of money counts in the reconnect window: an agent that could not report yet may show that less was used.
#[test]
fn in_the_reconnect_window_no_trial_ends() {
    let mut pool = new_client(limits());
    let lease = pool.served(1)[0];
    pool.passes(TRIAL_MS - MINUTE_MS);
    pool.restart(limits());
    for agent in HOSTS {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
    }
    pool.pass(9 * MINUTE_MS);
    assert!(pool.has(lease));
    pool.pass(MINUTE_MS + 2_000);
    assert!(!pool.has(lease));
}

#[test]
fn a_trial_that_rolls_over_stays_one_and_nobody_is_asked_for_a_price() {
    let mut pool = new_client(Limits { rollover_ms: 5 * MINUTE_MS, ..limits() });
    let lease = pool.served(1)[0];
    pool.passes(12 * MINUTE_MS);
    let row = pool.lease_row().unwrap();
    assert!(row.id == lease && row.trial && row.row >= 2, "{row:?}");
    assert!([CLIENT, HOST, SECOND_HOST].into_iter().all(|agent| pool.take_price(agent).is_none()));
    pool.passes(TRIAL_MS - 12 * MINUTE_MS + 2_000);
    assert!(!pool.has(lease));
}

#[test]
fn a_host_decides_whether_it_gives_trials() {
    let mut pool = Pool::with(limits());
    pool.settle();
    let mut hello = host(HOST, SLOTS);
    hello.host.as_mut().unwrap().no_trials = true;
    pool.join(HOST, hello);
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 1);
    let why = pool.why(CLIENT);
    assert!(why.contains("gives no free trials, and no account with enough funds pays for your node"), "{why}");
    assert_eq!(pool.explain(CLIENT).unwrap().excluded.no_trials, 1);
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool.credit(HOUR_MS.into());
    pool.ask(CLIENT, 1);
    assert!(pool.take_admit(HOST).is_some(), "one that pays gets it");
}

#[test]
fn so_many_clients_of_an_address_block_have_a_trial_in_an_hour() {
    for (limits, refused) in [
        (Limits { trials_an_hour: 2, ..limits() }, true),
        (Limits { trials_an_hour: 2, members_only: true, ..limits() }, false),
        (Limits { trials_an_hour: 0, ..limits() }, true),
        (Limits { trial_blocks: 1, ..limits() }, true),
    ] {
        let mut pool = new_client(limits.clone());
        let others: Vec<u32> = other_clients(3).collect();
        // With room for one block only, the named client takes it.
        if limits.trial_blocks == 1 {
            assert_eq!(pool.refuses(CLIENT), None);
        }
        for (&agent, last) in others.iter().zip(1..) {
            pool.connect_from(agent, client(agent), [20, 9, 9, last].into()).unwrap();
            pool.full(agent, &[]);
        }
        let allowed = if limits.trial_blocks == 1 { 0 } else { limits.trials_an_hour as usize };
        for &agent in others.iter().take(allowed) {
            assert_eq!(pool.refuses(agent), None);
            assert_eq!(pool.refuses(agent), None, "a client that was counted goes on");
        }
        let last = *others.last().unwrap();
        let refusal = pool.refuses(last).map(|error| error.message);
        assert_eq!(refusal.is_some_and(|why| why.contains("in its address block")), refused, "{limits:?}");
    }
}

#[test]
fn a_client_is_notified_once_before_its_trial_ends() {
    let mut pool = new_client(Limits { trial_notice_ms: 2 * MINUTE_MS, ..limits() });
    pool.served(1);
    pool.passes(TRIAL_MS - 2 * MINUTE_MS - 5_000);
    assert_eq!(pool.take_trial_notice(CLIENT), None);
    pool.passes(10_000);
    let ends = pool.take_trial_notice(CLIENT).unwrap();
    assert!((MINUTE_MS..=2 * MINUTE_MS).contains(&ends.left_ms), "{ends:?}");
    let minimum_balance = Some(Amount::new((10 * MINUTE_MS).into()));
    assert_eq!((ends.price, ends.minimum_balance, ends.pays), (wei(60_000), minimum_balance, false));
    pool.passes(2 * MINUTE_MS);
    assert_eq!(pool.take_trial_notice(CLIENT), None);

    let mut short = new_client(Limits { trial_ms: MINUTE_MS, ..limits() });
    short.served(1);
    short.passes(3_000);
    assert!(short.take_trial_notice(CLIENT).is_some(), "a short trial: at once");
    let mut quiet = new_client(Limits { trial_notice_ms: 0, ..limits() });
    quiet.served(1);
    quiet.passes(TRIAL_MS + 2_000);
    assert_eq!(quiet.take_trial_notice(CLIENT), None);
}

#[test]
fn a_client_that_paid_has_no_trial_when_its_funds_are_used_up() {
    let mut pool = linked(limits());
    pool.credit((11 * MINUTE_MS).into());
    pool.served(1);
    assert!(!pool.lease_row().unwrap().trial);
    pool.passes(12 * MINUTE_MS);
    assert_eq!(pool.core.gauges().leases, 0);
    assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired);
}

/// As after a restart of the pool, whose hosts have yet to connect again.
#[test]
fn a_client_that_would_get_a_trial_does_not_wait_for_payers_where_no_slot_is_free() {
    let mut pool = Pool::with(limits());
    pool.settle();
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 1);
    assert_eq!(pool.why(CLIENT), "no host is connected to the pool");
}

/// A statement lists it.
#[test]
fn a_trial_of_a_node_with_an_account_is_posted_without_a_cost() {
    let mut pool = linked(limits());
    let lease = pool.served(1)[0];
    pool.passes(TRIAL_MS + 2_000);
    assert!(!pool.has(lease));
    let posted = pool.rows.iter().filter_map(|row| match row {
        Row::Entry(entry) => match entry.transaction {
            Transaction::Lease { lease, payer, cost, fee, .. } => Some((lease, payer, cost, fee)),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(posted.collect::<Vec<_>>(), [(lease, payer(), Amount::ZERO, Amount::ZERO)]);
    assert!(!pool.rows.iter().any(|row| matches!(row, Row::Account(_))), "no sum changes");
}

/// A trial and a paid period of the same pair stay apart in the journal.
#[test]
fn a_trial_is_not_merged_with_a_paid_period() {
    let mut pool = linked(Limits { periods_an_hour: 1, ..limits() });
    let trial = pool.served(1)[0];
    pool.passes(MINUTE_MS);
    pool.credit(DAY_MS.into());
    for _ in 0..2 {
        // Each change of the payer ends the row.
        pool.link(node(CLIENT), Some(payer()), pool.now.get() - super::pool::START.get() + 2).unwrap();
        pool.passes(MINUTE_MS);
    }
    pool.passes(TRIAL_MS - 3 * MINUTE_MS - 4_000);
    for call in pool.asked_to_pay(trial) {
        pool.done(call, CallOutcome::Done);
    }
    pool.passes(MINUTE_MS);
    pool.leave(CLIENT, trial, LeaveReason::Surplus);
    pool.pass_with(2 * HOUR_MS, &[HOST, SECOND_HOST, CLIENT]);
    let rows = pool.metered();
    assert!(rows.iter().all(|row| row.lease.trial == (row.total_cost() == Amount::ZERO)), "{rows:?}");
    assert!(rows.iter().any(|row| row.lease.trial) && rows.iter().any(|row| !row.lease.trial));
}

#[test]
fn a_doctor_of_a_client_that_nobody_pays_for_learns_what_is_left_of_its_trial() {
    let mut pool = new_client(limits());
    let left = |pool: &mut Pool| check(pool, CLIENT, ISSUED, client(CLIENT)).unwrap().trial_left_ms;
    assert_eq!(left(&mut pool), Some(TRIAL_MS), "it has not begun");
    pool.served(1);
    pool.passes(60_000);
    assert!(left(&mut pool).is_some_and(|left_ms| (TRIAL_MS - 70_000..TRIAL_MS).contains(&left_ms)));
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool.credit((DAY_MS * 30).into());
    assert_eq!(left(&mut pool), None, "an account pays");
}
