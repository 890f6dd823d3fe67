//! The happy path of both sides.

use crate::common::*;
use vipnode_agent_core::{Action, ChangeKind, Event, JournalEntry, Notice, PoolAnswer, ToPool};
use vipnode_types::{
    LeaseSetHash, PeerCommand,
    wire::{Side, UpLease},
};

#[test]
fn a_client_connects_asks_dials_and_reports() {
    let mut bench = Bench::new(client_config(1));
    bench.node_up();
    assert!(bench.out.is_empty());
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![]));
    let (report_tag, first) = bench.report().unwrap();
    assert_eq!((first.seq, first.full), (1, Some(vec![])));
    let (_, ask) = bench.ask().unwrap();
    assert_eq!((ask.want, ask.avoid.len()), (1, 0));
    bench.give(vec![place(LEASE, HOST)]);
    let at = |fits: fn(&Action) -> bool| bench.out.iter().position(fits).unwrap();
    let journal = at(|a| matches!(a, Action::Journal(JournalEntry::Done(change)) if change.kind == ChangeKind::Dialed));
    let command = at(|a| matches!(a, Action::Node { call: PeerCommand::Dial(_), .. }));
    let watch = at(|a| matches!(a, Action::Watch { .. }));
    assert!(journal < command && command < watch);
    bench.done();
    bench.answer(report_tag, PoolAnswer::Report(Default::default()));
    bench.now = bench.now.plus(12);
    bench.peers(&[HOST, OWN_PEER]);
    assert!(bench.notices().contains(&Notice::HostConnected { lease: LEASE, host: node(HOST), after_ms: Some(12) }));
    let (_, up) = bench.report().unwrap();
    assert_eq!((up.seq, up.up, up.down, up.full), (2, vec![LEASE], vec![], None));
    assert_eq!(up.hash, Some(LeaseSetHash::of([LEASE])));
}

#[test]
fn a_host_admits_answers_and_reports() {
    let mut bench = Bench::live(host_config(2));
    assert_eq!(bench.take_report().full, Some(vec![]));
    bench.call(5, admit(LEASE, CLIENT));
    assert!(matches!(&bench.out[0], Action::Journal(JournalEntry::Done(change)) if change.lease == LEASE));
    assert!(matches!(&bench.out[1], Action::Node { call: PeerCommand::Admit(enode), .. } if *enode == by_id(CLIENT)));
    assert_eq!(bench.reply(5), None, "the answer follows the command to the node");
    bench.done();
    assert_eq!(bench.reply(5), Some(Ok(())));
    bench.peers(&[CLIENT]);
    assert_eq!(bench.take_report().up, vec![LEASE]);
    bench.call(6, evict(LEASE, CLIENT));
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
    assert_eq!(bench.left().len(), 1, "not undone before the node said so");
    assert_eq!(bench.take_report().down, vec![LEASE]);
}

#[test]
fn the_offer_is_sent_when_connecting() {
    let mut bench = Bench::new(host_config(2));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let (_, said) = bench.said().remove(0);
    let ToPool::Connect(hello) = said else { panic!("{said:?}") };
    assert_eq!(hello.host.unwrap().slots, 2);
    assert_eq!(hello.client, None);
}

#[test]
fn a_kept_connection_is_reported_as_kept_on_a_new_socket() {
    let mut bench = Bench::with_host();
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.go_live_again();
    let (_, report) = bench.report().unwrap();
    assert_eq!(report.full, Some(vec![UpLease { lease: LEASE, continuous: true }]));
    assert_eq!(report.seq, 1);
}

impl Bench {
    fn go_live_again(&mut self) {
        self.on(Event::PoolOpen);
        let tag = self.connect_tag();
        self.answer(tag, welcome(vec![view(LEASE, Side::Client, HOST)]));
    }
}
