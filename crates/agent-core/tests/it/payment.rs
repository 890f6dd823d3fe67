//! What a client's user learns about who pays for it.

use crate::common::*;
use vipnode_agent_core::{Action, FromPool, Notice};
use vipnode_types::{
    Account, Amount, Asset, PeerCommand,
    wire::{EvictCall, EvictReason, FundsLow, NoticeCall},
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
