//! The end of an agent (fault D51, docs/faults.md): no peer stays trusted or dialed.

use crate::common::*;
use vipnode_agent_core::{Action, Event, PoolAnswer, ToPool};
use vipnode_types::PeerCommand;

fn stopped(bench: &Bench) -> Option<Option<String>> {
    bench.out.iter().find_map(|action| match action {
        Action::Stopped { error } => Some(error.as_ref().map(|error| error.data.as_ref().unwrap().hint.clone())),
        _ => None,
    })
}

#[test]
fn d51_a_stop_sends_bye_and_undoes_everything() {
    let mut bench = Bench::with_client();
    bench.stop();
    let bye = bench.said()[0].0;
    assert_eq!(bench.said()[0].1, ToPool::Bye);
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
    bench.done();
    assert_eq!((bench.left(), stopped(&bench)), (vec![], None));
    bench.answer(bye, PoolAnswer::Done);
    assert_eq!(stopped(&bench), Some(None));
    bench.stop();
    assert_eq!((bench.out.len(), bench.core.next_wake()), (0, None));
}

#[test]
fn d51_a_stop_undoes_everything_without_a_pool() {
    let mut bench = Bench::with_host();
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.stop();
    assert_eq!((bench.said(), bench.calls()), (vec![], vec![PeerCommand::Drop(enode(HOST))]));
    bench.done();
    assert_eq!(stopped(&bench), Some(None));
    assert_eq!(bench.left(), vec![]);
}

#[test]
fn d41_a_stop_never_waits_for_more_than_five_seconds() {
    let mut bench = Bench::with_client();
    bench.stop();
    bench.after(4_999);
    assert_eq!(stopped(&bench), None);
    bench.after(1);
    assert_eq!(stopped(&bench), Some(Some("Run `vipnode release` once the node responds.".to_owned())));
    assert_eq!(bench.left().len(), 1, "the journal keeps it");
}

#[test]
fn d41_a_pool_that_does_not_answer_holds_nobody_back() {
    let mut bench = Bench::with_client();
    bench.stop();
    bench.done();
    assert_eq!(stopped(&bench), None);
    bench.after(5_000);
    assert_eq!(stopped(&bench), Some(None));
}

#[test]
fn a_second_stop_ends_at_once() {
    let mut bench = Bench::with_client();
    bench.stop();
    bench.stop();
    assert!(stopped(&bench).unwrap().unwrap().contains("vipnode release"));
    assert_eq!(bench.left().len(), 1);
}

#[test]
fn a_node_that_fails_to_undo_is_asked_again_while_there_is_time() {
    let mut bench = Bench::with_client();
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.stop();
    bench.fail();
    bench.after(500);
    assert_eq!(bench.calls().len(), 1);
    bench.done();
    assert_eq!(stopped(&bench), Some(None));
}

#[test]
fn a_node_that_comes_back_in_time_is_cleaned_up() {
    let mut bench = Bench::with_client();
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.on(Event::NodeDown { why: "killed".into() });
    bench.stop();
    assert_eq!(bench.calls(), vec![]);
    bench.now = bench.now.plus(2_000);
    bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
    assert_eq!(bench.calls().len(), 1);
    bench.done();
    assert_eq!(stopped(&bench), Some(None));
}

#[test]
fn what_an_earlier_run_left_is_undone_too() {
    let mut bench = Bench::with_client();
    let journal = std::mem::take(&mut bench.journal);
    let mut bench = Bench::restarted(host_config(2), journal);
    bench.node_up();
    bench.stop();
    bench.done();
    assert_eq!((stopped(&bench), bench.left()), (Some(None), vec![]));
}
