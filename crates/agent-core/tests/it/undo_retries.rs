//! Undoing that fails, or has to wait.

use crate::common::*;
use vipnode_agent_core::Event;
use vipnode_types::PeerCommand;

#[test]
fn an_undo_that_fails_is_tried_until_the_node_has_done_it() {
    let mut bench = Bench::with_client();
    bench.call(2, evict(LEASE, CLIENT));
    bench.fail();
    assert!(bench.reply(2).unwrap().is_err());
    assert_eq!(bench.calls(), vec![]);
    for wait_ms in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000] {
        bench.after(wait_ms - 1);
        assert_eq!(bench.calls(), vec![], "each wait is twice the last");
        bench.after(1);
        assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
        bench.fail();
    }
    bench.after(60_000);
    bench.done();
    assert_eq!(bench.left(), vec![]);
}

#[test]
fn a_stop_undoes_at_once_what_waits_for_its_next_try() {
    let mut bench = Bench::with_client();
    bench.call(2, evict(LEASE, CLIENT));
    for wait_ms in [5_000, 10_000, 20_000] {
        bench.fail();
        bench.after(wait_ms);
    }
    bench.fail();
    bench.stop();
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
}

#[test]
fn a_dialed_peer_is_not_dropped_while_the_node_keeps_it_by_its_settings() {
    let mut bench = Bench::with_host();
    bench.oblige();
    bench.call(2, evict(LEASE, HOST));
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
    bench.fail();
    // Meanwhile the user has the node keep the peer, and the pool assigns it again.
    let mut config = client_config(1);
    config.keep.insert(node(HOST));
    bench.on(Event::Configured(Box::new(config)));
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(Vec::new()));
    if bench.ask().is_none() {
        bench.after(1_000);
    }
    bench.give(vec![place(SECOND_LEASE, HOST)]);
    assert_eq!(bench.calls(), vec![], "the node keeps it, so it is not dialed");
    bench.after(5_000);
    assert_eq!(bench.calls(), vec![], "nor dropped");
    bench.call(3, evict(SECOND_LEASE, HOST));
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))], "no lease holds it any more");
    bench.done();
    assert_eq!(bench.left(), vec![]);
}
