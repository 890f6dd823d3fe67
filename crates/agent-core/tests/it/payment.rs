//! What a client's user learns about who pays for it.

use crate::common::*;
use vipnode_agent_core::{Action, AgentConfig, Event, FromPool, Notice, PoolAnswer};
use vipnode_types::{
    Account, Amount, Asset, PaymentMode, PeerCommand, Price,
    wire::{EvictCall, EvictReason, FundsLow, NoticeCall, PaymentTerms},
};

#[test]
fn d18_the_notices_of_a_pool_are_answered_and_shown() {
    let mut bench = Bench::live(client_config(1));
    let low =
        FundsLow { account: Account::new([7; 20]), asset: Asset::ETHER, left: Amount::new(5), left_ms: 3_600_000 };
    bench.call(9, FromPool::Notice(NoticeCall::FundsLow(low)));
    let answer = Action::Answer { tag: 9, reply: Ok(()) };
    assert_eq!(bench.out, [Action::Notice(Notice::FundsLow(low)), answer.clone()]);
    bench.call(9, FromPool::Notice(NoticeCall::Unknown));
    assert_eq!(bench.out, [answer], "a kind of a later version shows nothing");
}

#[test]
fn d18_a_client_shows_why_its_lease_ended_and_lets_the_host_go() {
    for (reason, account) in [(EvictReason::NoFunds, Some(Account::new([7; 20]))), (EvictReason::NoPayer, None)] {
        let mut bench = Bench::with_host();
        let FromPool::Evict(call) = evict(LEASE, HOST) else { panic!() };
        bench.call(9, FromPool::Evict(EvictCall { reason, account, ..call }));
        assert_eq!(bench.notices().first(), Some(&Notice::LeaseUnpaid { lease: LEASE, host: node(HOST), account }));
        assert!(!bench.notices().contains(&Notice::HostLost { lease: LEASE, host: node(HOST) }));
        assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST))]);
    }
}

/// The notices after a connect to a pool with these terms.
fn joins(bench: &mut Bench, price: Price, payment: PaymentMode) -> Vec<Notice> {
    bench.on(Event::PoolLost { why: "closed".into() });
    bench.on(Event::PoolOpen);
    let PoolAnswer::Connect(mut reply) = welcome(Vec::new()) else { panic!() };
    (reply.price, reply.terms) = (price, PaymentTerms { payment, ..PaymentTerms::default() });
    let tag = bench.connect_tag();
    bench.answer(tag, PoolAnswer::Connect(reply));
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
