//! A pool that is unreachable, silent or busy, or that refuses.

use crate::common::*;
use vipnode_agent_core::{Action, AgentConfig, Event, Notice, PoolAnswer, PoolState, ToPool};
use vipnode_types::{
    Failure,
    wire::{ErrorCode, Side, WireError},
};

#[test]
fn d40_a_half_open_socket_is_left_after_15_seconds() {
    let mut bench = Bench::with_host();
    let mut said = None;
    for _ in 0..200 {
        bench.now = bench.core.next_wake().unwrap().min(bench.now.plus(5_000));
        bench.peers(&[HOST]);
        said = said.or_else(|| bench.report().map(|_| bench.now));
        if bench.reconnect().is_some() {
            break;
        }
    }
    assert_eq!(bench.now.since(said.expect("a report")), 15_000);
    assert!(bench.notices().iter().any(|notice| matches!(notice, Notice::PoolDisconnected { .. })));
    assert_eq!((bench.core.view().pool, bench.core.view().leases.len()), (PoolState::Disconnected, 1));
}

/// As one that a restarted pool assigns again.
#[test]
fn a_host_that_was_connected_before_its_lease_is_still_connected() {
    for (before_ms, after_ms) in [(5_000, None), (0, Some(0))] {
        let mut bench = Bench::live(client_config(1));
        bench.peers(&[OWN_PEER]);
        bench.peers(&[HOST]);
        bench.after(before_ms);
        bench.call(9, dial(LEASE, Side::Client, HOST));
        let mut notices = bench.notices();
        bench.peers(&[HOST]);
        notices.extend(bench.notices());
        let connected = Notice::HostConnected { lease: LEASE, host: node(HOST), after_ms };
        assert!(notices.contains(&connected), "{notices:?}");
    }
}

#[test]
fn d40_a_connect_without_an_answer_is_given_up() {
    let mut bench = Bench::new(client_config(1));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let late = bench.connect_tag();
    bench.after(15_000);
    assert!(bench.reconnect().is_some());
    bench.answer(late, welcome(vec![]));
    assert_eq!(bench.out, vec![], "an answer on a socket that is gone");
}

/// `--limit pool_call=40s`; no reload changes it.
#[test]
fn an_answer_may_take_as_long_as_the_settings_say() {
    let mut bench = Bench::new(AgentConfig { request_ms: 40_000, ..client_config(1) });
    bench.on(Event::Configured(Box::new(client_config(1))));
    bench.node_up();
    bench.on(Event::PoolOpen);
    bench.after(39_000);
    assert!(bench.reconnect().is_none());
    bench.after(1_000);
    assert!(bench.reconnect().is_some());
}

#[test]
fn an_unreachable_pool_is_retried_with_backoff_and_reported_once() {
    let mut bench = Bench::new(client_config(1));
    bench.node_up();
    let mut waits = Vec::new();
    let mut notices = 0;
    for _ in 0..100 {
        bench.on(Event::PoolLost { why: "refused".into() });
        notices += bench.notices().len();
        let wait = bench.reconnect().unwrap();
        let announced = |notice: Notice| matches!(notice, Notice::PoolUnreachable { retry_ms, .. } if retry_ms == wait);
        assert!(bench.notices().into_iter().all(announced), "it was never connected: {:?}", bench.notices());
        waits.push(wait);
    }
    assert_eq!(notices, 1);
    assert!(waits[0] <= 1_000 && waits.iter().all(|wait| *wait <= 60_000));
    assert!(waits[50..].iter().sum::<u64>() > 1_000_000);
}

#[test]
fn a_good_connection_makes_the_next_wait_short() {
    for (held_ms, short) in [(59_000, false), (60_000, true)] {
        let mut bench = Bench::new(client_config(0));
        for _ in 0..20 {
            bench.on(Event::PoolLost { why: "refused".into() });
        }
        bench.go_live(vec![]);
        bench.oblige();
        let end = bench.now.plus(held_ms);
        while bench.now < end {
            bench.now = bench.now.plus(1_000);
            bench.peers(&[]);
        }
        let mut longest = 0;
        for _ in 0..3 {
            bench.on(Event::PoolLost { why: "gone".into() });
            longest = longest.max(bench.reconnect().unwrap());
        }
        assert_eq!(longest <= 4_000, short, "held {held_ms} ms, waited {longest} ms");
    }
}

#[test]
fn an_agent_that_was_never_taken_ends_with_the_reason() {
    for code in [ErrorCode::Unauthorized, ErrorCode::NotMember, ErrorCode::Unsuitable] {
        let mut bench = Bench::new(client_config(1));
        bench.node_up();
        bench.on(Event::PoolOpen);
        let tag = bench.connect_tag();
        let error = WireError::new(code, "no", "ask the operator");
        bench.on(Event::PoolAnswers { tag, answer: Err(error.clone()) });
        assert_eq!(bench.out.last(), Some(&Action::Stopped { error: Some(error) }));
        assert_eq!(bench.notices(), [], "the error is shown once, at the end");
        assert_eq!(bench.core.next_wake(), None);
    }
}

#[test]
fn an_agent_that_was_taken_before_tries_again_slowly_and_keeps_its_leases() {
    let mut bench = Bench::with_host();
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    let answer = Err(WireError::new(ErrorCode::NotMember, "no", "ask the operator"));
    bench.on(Event::PoolAnswers { tag, answer });
    assert_eq!(bench.reconnect(), Some(300_000));
    assert!(bench.notices().iter().any(|notice| matches!(notice, Notice::PoolRefused(_))));
    assert_eq!(bench.core.view().pool, PoolState::Refused);
    assert_eq!((bench.calls(), bench.core.view().leases.len()), (vec![], 1));
}

#[test]
fn a_busy_pool_is_asked_again_after_its_retry_time() {
    let mut bench = Bench::new(client_config(1));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.on(Event::PoolAnswers { tag, answer: Err(WireError::busy("starting", 7_000)) });
    assert!((7_000..=8_000).contains(&bench.reconnect().unwrap()));
}

#[test]
fn a_wait_that_the_pool_requests_has_a_floor_and_rejections_back_off() {
    let mut bench = Bench::live(client_config(1));
    let (mut reports, mut asks) = (0, 0);
    for _ in 0..6_000 {
        let (report, ask) = (bench.report(), bench.ask());
        if let Some((tag, _)) = report {
            reports += 1;
            bench.on(Event::PoolAnswers { tag, answer: Err(WireError::busy("no", 0)) });
        }
        if let Some((tag, _)) = ask {
            asks += 1;
            bench.on(Event::PoolAnswers { tag, answer: Err(WireError::busy("no", 0)) });
        }
        bench.after(100);
    }
    assert!(reports < 60 && asks < 60, "{reports} reports and {asks} asks in ten minutes");
}

#[test]
fn a_pool_that_is_always_busy_is_reached_ever_less_often() {
    let mut bench = Bench::new(client_config(1));
    bench.node_up();
    let waits = (0..40).map(|_| {
        bench.on(Event::PoolOpen);
        let tag = bench.connect_tag();
        bench.on(Event::PoolAnswers { tag, answer: Err(WireError::busy("starting", 0)) });
        bench.reconnect().unwrap()
    });
    let waits: Vec<u64> = waits.collect();
    assert!(waits.iter().all(|wait| *wait >= 1_000), "{waits:?}");
    assert!(waits.iter().sum::<u64>() > 400_000, "{waits:?}");
}

#[test]
fn the_pool_is_not_greeted_before_the_node_is_known() {
    let mut bench = Bench::new(client_config(1));
    bench.on(Event::PoolOpen);
    assert_eq!(bench.out, vec![]);
    bench.node_up();
    bench.on(Event::Tick);
    assert_eq!(bench.core.view().pool, PoolState::Connecting);
}

#[test]
fn an_answer_of_another_kind_is_a_refusal() {
    let mut bench = Bench::live(client_config(1));
    let (ask, report) = (bench.ask().unwrap().0, bench.report().unwrap().0);
    bench.answer(ask, PoolAnswer::Done);
    assert!(matches!(bench.notices()[..], [Notice::PoolRefused(_)]));
    bench.answer(report, PoolAnswer::Done);
    bench.after(1_000);
    assert!(bench.report().unwrap().1.full.is_some());
}

#[test]
fn answers_to_calls_of_a_lost_socket_are_not_given() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    let task = bench.node_calls()[0].0;
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.on(Event::NodeDone { task, result: Ok(()) });
    assert_eq!(bench.reply(1), None);
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![]));
    assert_eq!(bench.calls().len(), 1, "the pool does not know it, so it is taken back");
}

#[test]
fn a_pool_that_is_not_the_remembered_one_ends_an_agent_without_leases() {
    let mut bench = Bench::new(client_config(1));
    bench.node_up();
    bench.on(Event::PoolUntrusted { why: "another ID".into() });
    assert!(bench.said().is_empty(), "nothing is signed");
    let stopped = bench.out.iter().find_map(|action| match action {
        Action::Stopped { error } => error.clone(),
        _ => None,
    });
    assert_eq!(stopped.unwrap().message, "another ID");
}

#[test]
fn a_pool_that_is_not_the_remembered_one_ends_no_lease() {
    let mut bench = Bench::with_host();
    for _ in 0..3 {
        bench.on(Event::PoolUntrusted { why: "another ID".into() });
        assert_eq!(bench.notices(), vec![Notice::PoolUntrusted { why: "another ID".into() }]);
        assert!(bench.reconnect().is_some() && bench.calls().is_empty() && bench.said().is_empty());
        assert_eq!(bench.core.view().pool, PoolState::Untrusted);
    }
    assert_eq!(bench.core.view().leases.len(), 1);
    // Nor one of an earlier run.
    let mut bench = Bench::restarted(client_config(1), bench.journal.clone());
    bench.node_up();
    bench.on(Event::PoolUntrusted { why: "another ID".into() });
    assert!(bench.reconnect().is_some() && bench.calls().is_empty());
    bench.on(Event::PoolOpen);
    assert!(bench.said().iter().any(|(_, said)| matches!(said, ToPool::Connect(_))), "the pool is back");
}

/// Each change of the cause is announced, in whatever order the causes come; a repetition is not.
#[test]
fn another_cause_of_an_outage_is_announced() {
    let mut bench = Bench::with_host();
    let lost = |code| Event::PoolLost { why: Failure::of(&WireError::new(code, "no", "no")) };
    let refused_as = |bench: &mut Bench, code| {
        bench.on(Event::PoolOpen);
        let tag = bench.connect_tag();
        bench.on(Event::PoolAnswers { tag, answer: Err(WireError::new(code, "no", "ask the operator")) });
    };
    let announced = |bench: &Bench| {
        let losses = bench.notices().into_iter().filter(|notice| {
            use Notice::{PoolDisconnected, PoolRefused, PoolUntrusted};
            matches!(notice, PoolDisconnected { .. } | PoolUntrusted { .. } | PoolRefused(_))
        });
        losses.count()
    };
    let (silent, other) = (ErrorCode::Busy, ErrorCode::Server);
    for (code, count) in [(silent, 1), (silent, 0), (other, 1), (other, 0), (silent, 1)] {
        bench.on(lost(code));
        assert_eq!(announced(&bench), count, "{code:?}");
    }
    bench.on(Event::PoolUntrusted { why: "another ID".into() });
    for count in [1, 0] {
        bench.on(lost(silent));
        assert_eq!(announced(&bench), count, "after another pool answered");
    }
    refused_as(&mut bench, ErrorCode::NotMember);
    for count in [1, 0] {
        bench.on(lost(silent));
        assert_eq!(announced(&bench), count, "after the pool refused the agent");
    }
}
