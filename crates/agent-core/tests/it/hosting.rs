//! What a host offers, and when.

use crate::common::*;
use vipnode_agent_core::{Action, Event, EvictionCause, FromPool, HostConfig, Notice, PoolAnswer, unreleased_changes};
use vipnode_types::{
    Enode, HeadFact, PaymentMode, PeerCommand, Price,
    wire::{AdmitCall, ConnectReply, EvictCall, EvictReason, PaymentTerms},
};

fn offered(bench: &Bench) -> Vec<(u32, bool)> {
    let offers = bench.notices().into_iter().filter_map(|notice| match notice {
        Notice::Offering { slots, why } => Some((slots, why.is_some())),
        _ => None,
    });
    offers.collect()
}

fn host(slots: u32, reserve: u32, node_max_peers: u32) -> HostConfig {
    HostConfig { slots, reserve, node_max_peers, payout: None, min_price: None, no_trials: false, max_head_age_s: None }
}

#[test]
fn slots_must_fit_next_to_the_nodes_own_peers() {
    assert_eq!(host(34, 16, 50).check(0), Ok(()));
    let error = host(35, 16, 50).check(0).unwrap_err().to_string();
    for part in ["--slots 35", "--reserve 16", "--node-max-peers 50", "at most 34"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert!(host(1, 16, 10).check(0).is_err());
    assert!(host(1_001, 0, 5_000).check(0).is_err());
    let mut config = host_config(0);
    config.host = Some(host(100, 16, 50));
    let mut bench = Bench::live(config);
    bench.on(Event::Head { head: HeadFact { number: 1, timestamp_s: 0, syncing: false }, wall_s: 9 });
    assert_eq!(bench.core.view().slots, 34, "never more, checked or not");
}

#[test]
fn a_node_that_is_not_in_sync_offers_nothing_and_keeps_its_clients() {
    let mut bench = Bench::with_client();
    assert_eq!(bench.core.view().slots, 2);
    let head = |syncing, number| Event::Head { head: HeadFact { number, timestamp_s: 1_000, syncing }, wall_s: 1_001 };
    bench.on(head(true, 101));
    assert_eq!(offered(&bench), [(0, true)]);
    assert_eq!(bench.take_report().slots, Some(0));
    assert_eq!((bench.calls(), bench.core.view().leases.len()), (vec![], 1));
    bench.on(head(true, 102));
    assert_eq!(offered(&bench), [], "said once");
    bench.on(head(false, 103));
    assert_eq!(offered(&bench), [(2, false)]);
    assert_eq!(bench.take_report().slots, Some(2));
    // No new block for ten minutes: the age grows by itself.
    for _ in 0..100 {
        if !offered(&bench).is_empty() && bench.core.view().slots == 0 {
            break;
        }
        bench.oblige();
        bench.now = bench.core.next_wake().unwrap();
        bench.on(Event::Tick);
    }
    assert_eq!(offered(&bench), [(0, true)]);
}

#[test]
fn the_flag_for_a_chain_that_stands_still_is_named_while_the_head_is_genesis() {
    let mut bench = Bench::live(host_config(2));
    for (number, named) in [(0, true), (7, false)] {
        bench.on(Event::Head { head: HeadFact { number, timestamp_s: 1_000, syncing: true }, wall_s: 1_001 });
        let why = bench.core.view().why_none.unwrap();
        assert!(why.contains("not in sync") && why.contains("--max-head-age off") == named, "{why}");
    }
}

#[test]
fn a_chain_that_stands_still_is_served_where_the_user_says_so() {
    let mut config = host_config(2);
    config.host.as_mut().unwrap().max_head_age_s = None;
    let mut bench = Bench::live(config);
    let head = |number, syncing| Event::Head { head: HeadFact { number, timestamp_s: 0, syncing }, wall_s: 1 << 40 };
    bench.on(head(0, true));
    assert_eq!(bench.core.view().slots, 2, "geth calls itself syncing while its head is genesis");
    bench.on(head(7, true));
    assert_eq!(bench.core.view().slots, 0);
    bench.on(head(7, false));
    assert_eq!(bench.core.view().slots, 2);
}

#[test]
fn a_host_sells_nothing_for_less_than_it_wants_after_the_fee() {
    for (fee_bps, asked, sells) in
        [(1_000, "90 gwei/minute", true), (1_001, "90 gwei/minute", false), (0, "1 USDC/month", false)]
    {
        let mut config = host_config(2);
        config.host.as_mut().unwrap().min_price = Some(asked.parse().unwrap());
        let mut bench = Bench::new(config);
        bench.node_up();
        bench.on(Event::PoolOpen);
        let tag = bench.connect_tag();
        let PoolAnswer::Connect(mut reply) = welcome(Vec::new()) else { panic!("a connect reply") };
        (reply.price, reply.fee_bps) = (Price::per_minute(100_000_000_000), fee_bps);
        bench.answer(tag, PoolAnswer::Connect(reply));
        let view = bench.core.view();
        assert_eq!(view.slots, if sells { 2 } else { 0 }, "{asked}, {fee_bps}");
        assert_eq!(view.why_none.is_some_and(|why| why.contains("--min-price")), !sells);
    }
}

/// The price decides whether the host offers slots, so it announces nothing before it knows the price.
#[test]
fn a_host_with_a_minimum_announces_its_offer_once_it_knows_the_price() {
    for (asked, said) in [
        ("90 gwei/minute", vec![Notice::Offering { slots: 2, why: None }]),
        (
            "6060 gwei/hour",
            vec![Notice::Offering {
                slots: 0,
                why: Some(
                    "the host gets 6000 gwei/hour for a slot at this pool, which is less than --min-price 6060 gwei/hour"
                        .to_owned(),
                ),
            }],
        ),
    ] {
        let mut config = host_config(2);
        config.host.as_mut().unwrap().min_price = Some(asked.parse().unwrap());
        let mut bench = Bench::new(config);
        bench.node_up();
        bench.on(Event::PoolOpen);
        let offers = |bench: &Bench| {
            let notices = bench.notices().into_iter();
            notices.filter(|notice| matches!(notice, Notice::Offering { .. })).collect::<Vec<_>>()
        };
        assert_eq!(offers(&bench), []);
        let tag = bench.connect_tag();
        let PoolAnswer::Connect(mut reply) = welcome(Vec::new()) else { panic!("a connect reply") };
        reply.price = Price::per_minute(100_000_000_000);
        bench.answer(tag, PoolAnswer::Connect(reply));
        assert_eq!(offers(&bench), said);
    }
}

#[test]
fn d15_a_light_node_offers_nothing() {
    let mut bench = Bench::new(host_config(2));
    let mut light = facts(OWN_NODE);
    light.full = false;
    bench.on(Event::NodeUp(Box::new(light)));
    bench.head(1, 1);
    assert_eq!(bench.core.view().slots, 0);
    assert!(bench.core.view().why_none.unwrap().contains("full node"));
}

#[test]
fn a_falling_number_of_own_peers_is_reported_once() {
    let mut bench = Bench::with_client();
    let warned = |bench: &Bench| bench.notices().iter().any(|n| matches!(n, Notice::OwnPeersFalling { .. }));
    let mut warned_with = |own_peers: u8| {
        let peers: Vec<u8> = [CLIENT].into_iter().chain(OWN_PEER..OWN_PEER + own_peers).collect();
        bench.peers(&peers);
        warned(&bench)
    };
    assert!(!warned_with(1), "they were never more");
    assert!(!warned_with(8));
    assert!(warned_with(7));
    assert!(!warned_with(1), "once");
    warned_with(8);
    assert!(warned_with(0), "and again after they recovered");
}

#[test]
fn a_changed_configuration_is_sent_to_the_pool_and_clients_stay() {
    let mut bench = Bench::with_client();
    let mut config = host_config(0);
    config.host = Some(host(5, 16, 50));
    bench.on(Event::Configured(Box::new(config.clone())));
    assert!(bench.out.iter().any(|action| matches!(action, Action::Reconnect { after_ms: 0 })), "{:?}", bench.out);
    assert_eq!((bench.core.view().slots, bench.core.view().leases.len()), (5, 1));
    // A host stays one.
    config.host = None;
    bench.on(Event::Configured(Box::new(config)));
    assert_eq!(bench.core.view().slots, 5);
}

/// Some clients let nobody in whose address they do not know, and forget a peer by the very same enode only.
#[test]
fn an_admit_keeps_the_enode_from_the_pool() {
    let client_version = String::new;
    let admit = |peer: Enode| AdmitCall {
        lease: LEASE,
        client: node(CLIENT),
        price: Price::FREE,
        client_enode: Some(peer),
        client_version: client_version(),
        light: false,
    };
    let mut bench = Bench::live(host_config(2));
    bench.on(Event::PoolCalls { tag: 1, call: FromPool::Admit(admit(enode(CLIENT))) });
    assert_eq!(bench.calls(), [PeerCommand::Admit(enode(CLIENT))]);
    assert_eq!(unreleased_changes(bench.journal.clone())[0].peer, enode(CLIENT));

    let mut bench = Bench::live(host_config(2));
    bench.on(Event::PoolCalls { tag: 1, call: FromPool::Admit(admit(enode(SECOND_CLIENT))) });
    assert_eq!(bench.calls(), [PeerCommand::Admit(by_id(CLIENT))], "of another node: not believed");
}

/// What the host's user reads about the end of each client.
fn evicted(bench: &Bench) -> Vec<EvictionCause> {
    let cause = |notice| if let Notice::ClientEvicted { cause, .. } = notice { Some(cause) } else { None };
    bench.notices().into_iter().filter_map(cause).collect()
}

#[test]
fn a_client_does_not_leave_because_its_host_stops() {
    let mut bench = Bench::with_client();
    bench.stop();
    bench.done();
    assert_eq!(evicted(&bench), [EvictionCause::Stopping]);
}

/// Its agent was killed, and the host's node dialed its node.
#[test]
fn a_client_that_connected_and_was_not_reported_did_connect() {
    for (connects, cause) in
        [(true, EvictionCause::Unreported), (false, EvictionCause::Ended(EvictReason::NotConnected))]
    {
        let mut bench = Bench::live(host_config(2));
        bench.oblige();
        bench.call(1, admit(LEASE, CLIENT));
        bench.done();
        if connects {
            bench.peers(&[CLIENT]);
        }
        bench.after(20_000);
        let FromPool::Evict(call) = evict(LEASE, CLIENT) else { unreachable!() };
        bench.call(2, FromPool::Evict(EvictCall { reason: EvictReason::NotConnected, ..call }));
        bench.done();
        assert_eq!(evicted(&bench), [cause]);
    }
}

/// The pool was restarted and lists no lease: under the other payment mode, or from a backup.
#[test]
fn a_lease_that_the_pool_no_longer_has_ended_with_the_change_of_payment() {
    for (payment, reason) in
        [(PaymentMode::Credit, EvictReason::PaymentChanged), (PaymentMode::None, EvictReason::Unknown)]
    {
        let again = |bench: &mut Bench| {
            bench.on(Event::PoolLost { why: "restart".into() });
            bench.on(Event::PoolOpen);
            let PoolAnswer::Connect(reply) = welcome(Vec::new()) else { unreachable!() };
            let terms = PaymentTerms { payment, ..reply.terms };
            let tag = bench.connect_tag();
            bench.answer(tag, PoolAnswer::Connect(Box::new(ConnectReply { terms, ..*reply })));
        };
        let mut host = Bench::with_client();
        again(&mut host);
        host.done();
        assert_eq!(evicted(&host), [EvictionCause::Ended(reason)]);
        let mut client = Bench::with_host();
        again(&mut client);
        let lost = Notice::HostLost { lease: LEASE, host: node(HOST), reason: Some(reason) };
        assert!(client.notices().contains(&lost), "{:?}", client.notices());
    }
}
