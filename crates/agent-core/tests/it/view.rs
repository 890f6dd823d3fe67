//! What the agent shows about itself.

use crate::common::*;
use vipnode_agent_core::{
    AgentConfig, EndedSide, Event, FromPool, FromPool::Admit, HostSlots, Notice, PoolAnswer, PoolLoss, PoolState,
    RequestTag,
};
use vipnode_types::{
    Account, Amount, Ms, PaymentMode, Price,
    wire::{
        AdmitCall, AskReply, ConnectReply, LeasePrice, NextPayout, NextPrice, NoticeCall, PaymentTerms, PayoutView,
        PriceCall, ReportReply, Side, TrialEnds, WireError,
    },
};

#[test]
fn a_host_shows_slots_leases_and_what_they_saw() {
    let mut bench = Bench::live(host_config(3));
    bench.oblige();
    let Admit(call) = admit(LEASE, CLIENT) else { panic!() };
    let price = Price::per_minute(60_000);
    bench.call(1, Admit(AdmitCall { price, ..call }));
    bench.done();
    bench.peers(&[CLIENT, OWN_PEER]);
    bench.after(10_000);
    bench.peers(&[CLIENT, OWN_PEER]);
    let view = bench.core.view();
    assert_eq!((view.host, view.slots, view.own_peers), (Some(HostSlots { slots: 3, reserve: 16 }), 3, 1));
    assert_eq!((view.pool, view.joined.is_some()), (PoolState::Joined, true));
    let [held] = &view.leases[..] else { panic!("{view:?}") };
    assert_eq!((held.side, held.peer, held.seen_ms), (Side::Host, node(CLIENT), 10_000));
    // What was seen before the peer went is not forgotten.
    bench.peers(&[OWN_PEER]);
    bench.after(5_000);
    bench.peers(&[CLIENT]);
    bench.after(1_000);
    let view = bench.core.view();
    let [held] = &view.leases[..] else { panic!() };
    assert_eq!(held.seen_ms, 11_000);
    assert_eq!(bench.core.view().ended.host, EndedSide::default());
    bench.call(2, evict(LEASE, CLIENT));
    bench.done();
    let view = bench.core.view();
    assert_eq!(view.leases, []);
    assert_eq!(view.ended.host, EndedSide { leases: 1, ms: 11_000, cost: Amount::new(11_000) });
    assert_eq!(view.ended.client, EndedSide::default());
}

#[test]
fn a_client_shows_what_is_missing_and_the_pools_reason() {
    let mut bench = Bench::live(client_config(2));
    let (tag, _) = bench.ask().unwrap();
    let why = Some("no host on this chain has a free place".to_owned());
    let reply = AskReply { hosts: Vec::new(), missing: 2, reason: why.clone() };
    bench.answer(tag, PoolAnswer::Ask(reply));
    let view = bench.core.view();
    assert_eq!((view.min_peers, view.missing, view.why_missing, view.host), (2, 2, why, None));
}

#[test]
fn the_age_of_the_head_grows_with_the_clock() {
    let mut bench = Bench::live(host_config(1));
    bench.head(100, 3);
    bench.after(4_000);
    assert_eq!((bench.core.view().head, bench.core.view().head_age_ms), (Some(100), Some(7_000)));
}

#[test]
fn a_price_that_the_pool_changes_is_shown() {
    let mut bench = Bench::live(host_config(1));
    let price = Price::per_minute(7_000_000_000);
    assert_ne!(bench.core.view().price, Some(price));
    let (tag, _) = bench.report().unwrap();
    let reply = ReportReply { price: Some(price), fee_bps: Some(500), ..ReportReply::default() };
    bench.answer(tag, PoolAnswer::Report(reply));
    assert_eq!((bench.core.view().price, bench.core.view().fee_bps), (Some(price), 500));
}

#[test]
fn the_reason_of_a_pool_that_is_gone_is_not_shown() {
    let mut bench = Bench::live(client_config(2));
    let (tag, _) = bench.ask().unwrap();
    let reply = AskReply { hosts: Vec::new(), missing: 2, reason: Some("no host has a free slot".to_owned()) };
    bench.answer(tag, PoolAnswer::Ask(reply));
    assert!(bench.core.view().why_missing.is_some());
    bench.on(vipnode_agent_core::Event::PoolLost { why: "gone".into() });
    assert_eq!((bench.core.view().missing, bench.core.view().why_missing), (2, None));
}

#[test]
fn a_new_price_is_announced_whether_it_comes_with_a_report_or_a_connect() {
    let price = Price::per_minute;
    let mut config = client_config(1);
    config.max_price = Some("50 wei/minute".parse().unwrap());
    let most = config.max_price.clone().unwrap();
    let mut bench = Bench::live(config);
    let (tag, _) = bench.report().unwrap();
    bench.answer(tag, PoolAnswer::Report(ReportReply { price: Some(price(50)), ..ReportReply::default() }));
    assert_eq!(bench.notices(), [Notice::PriceChanged { old: Price::FREE, new: price(50) }]);
    // As after a restart of the pool with another price.
    bench.on(Event::PoolLost { why: "closed".into() });
    bench.on(Event::PoolOpen);
    let PoolAnswer::Connect(reply) = welcome(Vec::new()) else { panic!() };
    let tag = bench.connect_tag();
    bench.answer(tag, PoolAnswer::Connect(Box::new(ConnectReply { price: price(51), ..*reply })));
    let changed = Notice::PriceChanged { old: price(50), new: price(51) };
    let above = Notice::PriceAboveMaximum { price: price(51), most };
    assert_eq!(bench.notices()[1..], [changed, above]);
}

/// Asks the agent to agree to a price of its lease.
fn asks(bench: &mut Bench, tag: u64, price: Price) -> Result<(), WireError> {
    let call = PriceCall { lease: LEASE, row: 1, price, fee_bps: 1_000, from_ms: Ms::ZERO };
    bench.call(tag, FromPool::Price(call));
    bench.reply(tag).unwrap()
}

#[test]
fn a_lease_meters_each_part_at_its_own_price_once_its_side_agreed_to_another() {
    let mut bench = Bench::with_host();
    bench.after(15_000);
    let first = bench.core.view().leases[0].clone();
    let price = Price::per_minute(60_000);
    assert_eq!(asks(&mut bench, 7, price), Ok(()));
    bench.after(10_000);
    let lease = bench.core.view().leases[0].clone();
    assert_eq!((lease.seen_ms, lease.price), (first.seen_ms + 10_000, Some(price)));
    assert_eq!((first.cost, lease.cost), (Some(Amount::ZERO), Some(Amount::new(10_000))), "not the time before");
    bench.call(8, evict(LEASE, HOST));
    bench.done();
    assert_eq!(bench.core.view().ended.client.cost, Amount::new(10_000));
    assert!(asks(&mut bench, 9, price).is_err(), "the lease is over");
}

#[test]
fn a_free_trial_is_announced_and_shown_until_the_lease_costs_something() {
    let mut bench = Bench::live(client_config(1));
    let (price, trial_ms) = (Price::per_minute(60_000), 1_800_000);
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.on(Event::PoolOpen);
    let PoolAnswer::Connect(mut reply) = welcome(Vec::new()) else { panic!() };
    let terms = PaymentTerms { payment: PaymentMode::Credit, trial_ms: Some(trial_ms), ..PaymentTerms::default() };
    (reply.price, reply.terms) = (price, terms);
    let tag = bench.connect_tag();
    bench.answer(tag, PoolAnswer::Connect(reply));
    assert_eq!(bench.core.view().trial_left_ms, None, "no host serves it");
    let (tag, _) = bench.report().expect("the first report");
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.answer(tag, PoolAnswer::Report(ReportReply::default()));
    bench.peers(&[HOST]);
    let begins = Notice::TrialBegins { left_ms: trial_ms, price };
    assert!(bench.notices().contains(&begins), "{:?}", bench.notices());
    bench.after(10_000);
    let view = bench.core.view();
    assert!(view.leases[0].seen_ms > 0);
    assert_eq!(view.trial_left_ms, Some(trial_ms - view.leases[0].seen_ms));
    let ends = TrialEnds { left_ms: 300_000, price, minimum_balance: None, pays: false };
    bench.call(7, FromPool::Notice(NoticeCall::TrialEnds(ends)));
    assert_eq!(bench.core.view().trial_left_ms, Some(300_000), "the pool knows it better");
    assert_eq!(asks(&mut bench, 8, price), Ok(()));
    assert_eq!(bench.core.view().trial_left_ms, None, "it pays");
}

#[test]
fn a_client_agrees_up_to_its_maximum_and_a_host_down_to_its_minimum_after_the_fee() {
    let mut client = Bench::with_host();
    let most = AgentConfig { max_price: Some("50 wei/minute".parse().unwrap()), ..client_config(1) };
    client.on(Event::Configured(Box::new(most)));
    assert!(asks(&mut client, 7, Price::per_minute(51)).is_err());
    assert_eq!(asks(&mut client, 8, Price::per_minute(50)), Ok(()));
    let mut host = Bench::with_client();
    let mut least = host_config(2);
    least.host.as_mut().unwrap().min_price = Some("90 wei/minute".parse().unwrap());
    host.on(Event::Configured(Box::new(least)));
    assert!(asks(&mut host, 7, Price::per_minute(99)).is_err());
    assert_eq!(asks(&mut host, 8, Price::per_minute(100)), Ok(()), "the pool keeps 10 %");
}

/// Lets time pass until the next report.
fn next_report(bench: &mut Bench, peers: &[u8]) -> RequestTag {
    while bench.report().is_none() {
        bench.now = bench.core.next_wake().unwrap().min(bench.now.plus(20_000));
        bench.peers(peers);
    }
    bench.report().unwrap().0
}

#[test]
fn an_announced_price_is_shown_once() {
    let mut bench = Bench::with_host();
    let next = NextPrice { price: Price::per_minute(7), fee_bps: 0, from_ms: Ms::new(9) };
    for news in [true, false] {
        let tag = next_report(&mut bench, &[HOST]);
        bench.answer(tag, PoolAnswer::Report(ReportReply { next_price: Some(next), ..ReportReply::default() }));
        let notice = Notice::PriceAnnounced { next, old_fee_bps: None, refused_by: None };
        assert_eq!(bench.notices().contains(&notice), news);
    }
}

#[test]
fn a_change_of_the_fee_alone_is_no_change_of_the_price() {
    let mut bench = Bench::with_host();
    let price = Price::per_minute(7);
    let tag = next_report(&mut bench, &[HOST]);
    let now = ReportReply { price: Some(price), fee_bps: Some(250), ..ReportReply::default() };
    bench.answer(tag, PoolAnswer::Report(now.clone()));
    let next = NextPrice { price, fee_bps: 500, from_ms: bench.now.plus(86_400_000) };
    let announced = Notice::PriceAnnounced { next, old_fee_bps: Some(250), refused_by: None };
    let withdrawn = Notice::PriceWithdrawn { announced: price, price, fees_bps: Some((500, 250)) };
    for (reply, notice) in [(ReportReply { next_price: Some(next), ..now.clone() }, announced), (now, withdrawn)] {
        let tag = next_report(&mut bench, &[HOST]);
        bench.answer(tag, PoolAnswer::Report(reply));
        assert_eq!(bench.notices(), [notice]);
    }
}

#[test]
fn an_agent_that_does_not_accept_an_announced_price_learns_it() {
    let most = AgentConfig { max_price: Some("6 wei/minute".parse().unwrap()), ..client_config(1) };
    let mut least = host_config(1);
    least.host.as_mut().unwrap().min_price = Some("7 wei/minute".parse().unwrap());
    let next = NextPrice { price: Price::per_minute(7), fee_bps: 500, from_ms: Ms::new(9) };
    for (config, refused_by) in [(most, Some(Side::Client)), (least, Some(Side::Host)), (host_config(1), None)] {
        let mut bench = Bench::live(config);
        let (tag, _) = bench.report().unwrap();
        bench.answer(tag, PoolAnswer::Report(ReportReply { next_price: Some(next), ..ReportReply::default() }));
        assert!(
            bench.notices().contains(&Notice::PriceAnnounced { next, old_fee_bps: None, refused_by }),
            "{refused_by:?}"
        );
    }
}

#[test]
fn an_announced_price_is_in_the_status_until_it_counts_or_is_withdrawn() {
    let mut config = host_config(1);
    config.host.as_mut().unwrap().min_price = Some("7 wei/minute".parse().unwrap());
    let mut bench = Bench::live(config);
    let next = NextPrice { price: Price::per_minute(6), fee_bps: 0, from_ms: bench.now.plus(86_400_000) };
    let announced = ReportReply { next_price: Some(next), ..ReportReply::default() };
    let withdrawn = ReportReply { price: Some(Price::FREE), ..ReportReply::default() };
    let counts = ReportReply { price: Some(next.price), ..ReportReply::default() };
    let nothing = ReportReply::default();
    for (reply, shown) in
        [(announced.clone(), true), (nothing, true), (withdrawn.clone(), false), (announced, true), (counts, false)]
    {
        let tag = next_report(&mut bench, &[]);
        bench.answer(tag, PoolAnswer::Report(reply.clone()));
        let view = bench.core.view();
        let refused_by = shown.then_some(Side::Host);
        assert_eq!((view.next_price, view.next_price_refused_by), (shown.then_some(next), refused_by), "{reply:?}");
        let notice = Notice::PriceWithdrawn { announced: next.price, price: Price::FREE, fees_bps: None };
        assert_eq!(bench.notices().contains(&notice), reply == withdrawn, "{reply:?}");
    }
}

#[test]
fn a_host_has_no_maximum_price() {
    let mut config = host_config(1);
    config.max_price = Some("1 wei/minute".parse().unwrap());
    let mut bench = Bench::live(config);
    let (tag, _) = bench.report().unwrap();
    let price = Price::per_minute(2);
    bench.answer(tag, PoolAnswer::Report(ReportReply { price: Some(price), ..ReportReply::default() }));
    assert_eq!(bench.notices(), [Notice::PriceChanged { old: Price::FREE, new: price }]);
}

#[test]
fn why_the_pool_is_not_connected_is_shown_with_the_next_attempt() {
    let mut bench = Bench::new(client_config(1));
    bench.node_up();
    assert_eq!(bench.core.view().loss, None);
    bench.on(Event::PoolLost { why: "connection refused".into() });
    let first = bench.reconnect().unwrap();
    let lost = bench.now;
    let loss = |bench: &Bench| bench.core.view().loss.unwrap();
    assert_eq!(loss(&bench), PoolLoss { why: "connection refused".into(), since: lost, retry: Some(lost.plus(first)) });
    bench.after(first);
    bench.on(Event::PoolLost { why: "no route".into() });
    let again = bench.now.plus(bench.reconnect().unwrap());
    assert_eq!(loss(&bench), PoolLoss { why: "no route".into(), since: lost, retry: Some(again) });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(Vec::new()));
    assert_eq!((bench.core.view().pool, bench.core.view().loss), (PoolState::Joined, None));
}

#[test]
fn missing_hosts_are_no_more_than_were_asked_for_and_a_warning_on_time() {
    let mut bench = Bench::live(client_config(2));
    bench.oblige();
    let (begun, mut said) = (bench.now, Vec::new());
    while bench.now.since(begun) < 60_000 {
        if let Some((tag, _)) = bench.ask() {
            bench.answer(tag, PoolAnswer::Ask(AskReply { hosts: Vec::new(), missing: u32::MAX, reason: None }));
        } else {
            bench.after(100);
        }
        let at = bench.now.since(begun);
        said.extend(bench.notices().into_iter().map(|notice| (at, notice)));
    }
    let missing = |late| Notice::HostsMissing { missing: 2, why: None, late, retry_ms: None };
    // The asks are many seconds apart by then.
    assert_eq!(said, [(0, missing(false)), (30_000, missing(true))]);
}

#[test]
fn a_host_on_another_chain_than_all_others_warns_its_user() {
    let mut bench = Bench::new(host_config(1));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let PoolAnswer::Connect(reply) = welcome(Vec::new()) else { panic!() };
    let tag = bench.connect_tag();
    let why = "no host here is on chain 7; hosts are on mainnet".to_owned();
    bench.answer(tag, PoolAnswer::Connect(Box::new(ConnectReply { no_hosts: Some(why.clone()), ..*reply })));
    assert!(bench.notices().contains(&Notice::OtherChains { why }));
}

#[test]
fn a_host_whose_earnings_go_to_another_account_warns_its_user() {
    let [wanted, other] = [1, 2].map(|byte| Account::new([byte; 20]));
    let change = NextPayout { account: wanted, from_ms: Ms::new(9) };
    let waits = PayoutView { account: other, next: Some(change) };
    let changes = |paid, next| Notice::PayoutChanges { paid, next, from: Ms::new(9) };
    for (payout, expected) in [
        (None, vec![Notice::OtherPayout { wanted, paid: None }]),
        (Some(PayoutView { account: other, next: None }), vec![Notice::OtherPayout { wanted, paid: Some(other) }]),
        (Some(waits), vec![changes(other, wanted)]),
        (
            Some(PayoutView { account: wanted, next: Some(NextPayout { account: other, ..change }) }),
            vec![changes(wanted, other)],
        ),
        (Some(PayoutView { account: wanted, next: None }), vec![]),
    ] {
        let mut config = host_config(1);
        config.host.as_mut().unwrap().payout = Some(wanted);
        let mut bench = Bench::new(config);
        bench.node_up();
        bench.on(Event::PoolOpen);
        let PoolAnswer::Connect(reply) = welcome(Vec::new()) else { panic!() };
        let tag = bench.connect_tag();
        bench.answer(tag, PoolAnswer::Connect(Box::new(ConnectReply { payout, ..*reply })));
        let about_payouts =
            |notice: &Notice| matches!(notice, Notice::OtherPayout { .. } | Notice::PayoutChanges { .. });
        let seen: Vec<Notice> = bench.notices().into_iter().filter(about_payouts).collect();
        assert_eq!(seen, expected);
        assert_eq!(bench.core.view().payout, payout);
    }
}

/// A change that is canceled, or takes effect, is shown as its order was.
#[test]
fn a_host_shows_what_becomes_of_a_change_of_its_payout_account() {
    let [own, other] = [1, 2].map(|byte| Account::new([byte; 20]));
    let change = NextPayout { account: other, from_ms: Ms::new(9) };
    let paid = |account| PayoutView { account, next: None };
    let ordered = PayoutView { account: own, next: Some(change) };
    let mut bench = Bench::live(host_config(1));
    let said = |bench: &Bench| {
        let about_payouts = |notice: &Notice| {
            matches!(
                notice,
                Notice::OtherPayout { .. }
                    | Notice::PayoutChanges { .. }
                    | Notice::PayoutKept { .. }
                    | Notice::PayoutChanged { .. }
            )
        };
        bench.notices().into_iter().filter(about_payouts).collect::<Vec<_>>()
    };
    let ordered_notice = Notice::PayoutChanges { paid: own, next: other, from: Ms::new(9) };
    let steps = [
        (paid(own), vec![]),
        (ordered, vec![ordered_notice.clone()]),
        (paid(own), vec![Notice::PayoutKept { paid: own, canceled: other }]),
        (paid(own), vec![]),
        (ordered, vec![ordered_notice]),
        (paid(other), vec![Notice::PayoutChanged { paid: other }]),
    ];
    for (tag, (payout, expected)) in (100..).zip(steps) {
        bench.call(tag, FromPool::Notice(NoticeCall::Payout(payout)));
        assert_eq!(said(&bench), expected);
    }
}

/// Over HTTP, the pool cannot call the agent about the price of a lease.
#[test]
fn a_lease_is_metered_at_the_price_that_an_answer_to_a_report_names() {
    let mut bench = Bench::with_host();
    let price = Price::per_minute(60_000 * 7);
    assert_ne!(bench.core.view().leases[0].price, Some(price));
    while bench.report().is_none() {
        bench.now = bench.now.plus(10_000);
        bench.peers(&[HOST]);
    }
    let (tag, _) = bench.report().unwrap();
    let lease_prices = vec![LeasePrice { lease: LEASE, price }, LeasePrice { lease: SECOND_LEASE, price }];
    bench.answer(tag, PoolAnswer::Report(ReportReply { lease_prices, ..ReportReply::default() }));
    let cost = bench.core.view().leases[0].cost.unwrap().get();
    bench.after(10_000);
    let held = &bench.core.view().leases[0];
    assert_eq!((held.price, held.cost.unwrap().get() - cost), (Some(price), 70_000));
}
