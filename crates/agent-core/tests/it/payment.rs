//! What a client's user learns about who pays for it.

use crate::common::*;
use vipnode_agent_core::{Action, AgentConfig, Event, FromPool, Notice, PoolAnswer, ToPool};
use vipnode_types::{
    Account, Amount, Asset, PaymentMode, PeerCommand, Price,
    wire::{ErrorCode, EvictCall, EvictReason, FundsLow, NoticeCall, PaymentTerms, ReportReply, TrialEnds, WireError},
};

#[test]
fn d18_the_notices_of_a_pool_are_answered_and_shown() {
    let mut bench = Bench::live(client_config(1));
    let low =
        FundsLow { account: Account::new([7; 20]), asset: Asset::ETHER, available: Amount::new(5), left_ms: 3_600_000 };
    bench.call(9, FromPool::Notice(NoticeCall::FundsLow(low)));
    let answer = Action::Answer { tag: 9, reply: Ok(()) };
    assert_eq!(bench.out, [Action::Notice(Notice::FundsLow { payment: PaymentMode::None, low }), answer.clone()]);
    let ends = TrialEnds { left_ms: 300_000, price: Price::per_minute(7), minimum_balance: None, pays: true };
    bench.call(9, FromPool::Notice(NoticeCall::TrialEnds(ends)));
    assert_eq!(bench.out, [Action::Notice(Notice::TrialEnds { payment: PaymentMode::None, ends }), answer.clone()]);
    bench.call(9, FromPool::Notice(NoticeCall::Unknown));
    assert_eq!(bench.out, [answer], "a kind of a later version shows nothing");
    connects(&mut bench, Price::per_minute(7), PaymentMode::X402);
    bench.call(9, FromPool::Notice(NoticeCall::FundsLow(low)));
    assert_eq!(bench.notices(), [Notice::FundsLow { payment: PaymentMode::X402, low }], "what helps depends on it");
}

#[test]
fn d18_a_client_shows_why_its_lease_ended_and_lets_the_host_go() {
    let payer = Some(Account::new([7; 20]));
    for (reason, account, trial) in [
        (EvictReason::NoFunds, payer, false),
        (EvictReason::NoPayer, None, false),
        (EvictReason::TrialOver, payer, true),
        (EvictReason::TrialOver, None, true),
    ] {
        let mut bench = Bench::with_host();
        let FromPool::Evict(call) = evict(LEASE, HOST) else { panic!() };
        bench.call(9, FromPool::Evict(EvictCall { reason, account, ..call }));
        let unpaid = Notice::LeaseUnpaid { payment: PaymentMode::None, lease: LEASE, host: node(HOST), account, trial };
        assert_eq!(bench.notices().first(), Some(&unpaid));
        assert!(!bench.notices().iter().any(|notice| matches!(notice, Notice::HostLost { .. })));
        assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST))]);
    }
}

#[test]
fn a_client_shows_why_the_pool_ended_its_lease_with_a_host() {
    let lost = |reason| Notice::HostLost { lease: LEASE, host: node(HOST), reason: Some(reason) };
    for reason in [EvictReason::PayersFirst, EvictReason::Drained] {
        let mut bench = Bench::with_host();
        let FromPool::Evict(call) = evict(LEASE, HOST) else { panic!() };
        bench.call(9, FromPool::Evict(EvictCall { reason, ..call }));
        assert_eq!(bench.notices().first(), Some(&lost(reason)));
    }
    // A payer may take the slot of a trial before the nodes are connected.
    let mut bench = Bench::live(client_config(1));
    bench.give(vec![place(LEASE, HOST)]);
    let FromPool::Evict(call) = evict(LEASE, HOST) else { panic!() };
    bench.call(9, FromPool::Evict(EvictCall { reason: EvictReason::PayersFirst, ..call }));
    assert!(bench.notices().contains(&lost(EvictReason::PayersFirst)));
}

/// The maximum price of the hello that the agent sent last.
fn presented(bench: &Bench) -> Option<String> {
    let hello = bench.out.iter().find_map(|action| match action {
        Action::Pool { request: ToPool::Connect(hello), .. } => Some(hello),
        _ => None,
    });
    hello.unwrap().client.as_ref().unwrap().max_price.as_ref().map(ToString::to_string)
}

/// Connects to a pool with these terms.
fn connects(bench: &mut Bench, price: Price, payment: PaymentMode) {
    bench.on(Event::PoolLost { why: "closed".into() });
    bench.on(Event::PoolOpen);
    let PoolAnswer::Connect(mut reply) = welcome(Vec::new()) else { panic!() };
    (reply.price, reply.terms) = (price, PaymentTerms { payment, ..PaymentTerms::default() });
    let tag = bench.connect_tag();
    bench.answer(tag, PoolAnswer::Connect(reply));
}

/// The warnings after that.
fn joins(bench: &mut Bench, price: Price, payment: PaymentMode) -> Vec<Notice> {
    connects(bench, price, payment);
    bench.notices().into_iter().filter(|notice| matches!(notice, Notice::NoPayout { .. })).collect()
}

#[test]
fn a_host_without_a_payout_account_is_warned_once_at_a_pool_that_charges() {
    let price = Price::per_minute(7);
    let mut bench = Bench::live(host_config(3));
    assert_eq!(joins(&mut bench, price, PaymentMode::None), []);
    assert_eq!(joins(&mut bench, Price::FREE, PaymentMode::Credit), []);
    assert_eq!(joins(&mut bench, price, PaymentMode::Credit), [Notice::NoPayout { price }]);
    assert_eq!(joins(&mut bench, price, PaymentMode::Credit), [], "once");
    let paid = |mut config: AgentConfig| {
        config.host.as_mut().unwrap().payout = Some(Account::new([7; 20]));
        config
    };
    for config in [paid(host_config(3)), client_config(1), host_config(0)] {
        assert_eq!(joins(&mut Bench::live(config), price, PaymentMode::Credit), []);
    }
}

#[test]
fn a_client_without_a_maximum_keeps_the_price_at_its_first_start() {
    let (price, higher) = (Price::per_minute(7), Price::per_minute(8));
    let maximum = |bench: &Bench| bench.core.view().max_price.map(|most| most.to_string());
    let kept = |bench: &Bench| bench.out.iter().any(|action| matches!(action, Action::KeepPrice(_)));
    let mut bench = Bench::live(client_config(1));
    connects(&mut bench, higher, PaymentMode::None);
    assert_eq!((kept(&bench), maximum(&bench)), (false, None), "nobody pays");
    connects(&mut bench, price, PaymentMode::Credit);
    assert!(bench.out.contains(&Action::KeepPrice(price)));
    assert!(bench.notices().contains(&Notice::PriceKept { price }));
    let most = "7 wei/minute".parse().unwrap();

    let (tag, _) = bench.report().unwrap();
    bench.answer(tag, PoolAnswer::Report(ReportReply { price: Some(higher), ..ReportReply::default() }));
    assert!(bench.notices().contains(&Notice::PriceAboveMaximum { price: higher, most }));
    assert!(bench.out.contains(&Action::Reconnect { after_ms: 0 }), "the pool learns the maximum");
    bench.on(Event::PoolOpen);
    assert_eq!(presented(&bench).as_deref(), Some("7 wei/minute"));
    connects(&mut bench, higher, PaymentMode::Credit);
    assert_eq!((kept(&bench), maximum(&bench).as_deref()), (false, Some("7 wei/minute")));

    bench.on(Event::Configured(Box::new(client_config(1))));
    assert_eq!(maximum(&bench).as_deref(), Some("7 wei/minute"), "also after a reload");
    let asked = AgentConfig { max_price: "9 wei/minute".parse().ok(), ..client_config(1) };
    bench.on(Event::Configured(Box::new(asked.clone())));
    assert_eq!(maximum(&bench).as_deref(), Some("9 wei/minute"), "what the user sets counts");
    let mut bench = Bench::live(asked);
    connects(&mut bench, price, PaymentMode::Credit);
    assert!(!kept(&bench));
}

#[test]
fn a_later_run_has_the_price_of_the_first_one_as_its_maximum() {
    let mut bench = Bench::new(client_config(1));
    bench.core.restore_kept_price(Price::per_minute(7));
    bench.node_up();
    bench.on(Event::PoolOpen);
    assert_eq!(presented(&bench).as_deref(), Some("7 wei/minute"));
    connects(&mut bench, Price::per_minute(6), PaymentMode::Credit);
    assert!(!bench.out.contains(&Action::KeepPrice(Price::per_minute(6))), "a lower price does not lower it");
    assert_eq!(bench.core.view().max_price, "7 wei/minute".parse().ok());
}

/// The pool may answer otherwise now, and the agent would show the old reason for a minute.
#[test]
fn a_client_that_lacks_hosts_asks_again_when_its_funds_change() {
    let mut bench = Bench::live(client_config(1));
    let (tag, _) = bench.ask().unwrap();
    let refusal = WireError::new(ErrorCode::PaymentRequired, "no account pays for this node", "Link one.");
    bench.on(Event::PoolAnswers { tag, answer: Err(refusal) });
    let why = bench.core.view().why_missing;
    assert_eq!(why.as_deref(), Some("no account pays for this node"), "the status shows it");
    bench.after(1_000);
    assert!(bench.ask().is_none());
    bench.call(9, FromPool::Notice(NoticeCall::FundsChanged));
    assert_eq!(bench.notices(), []);
    assert!(bench.ask().is_some());
}
