//! Time that a restart of the pool loses is not counted against any node.

use vipnode_types::wire::LeaveReason;

use super::{
    pool::{Pool, client, host},
    scenario::{CLIENT, HOST, SLOTS, priced},
};
use crate::Command;

/// A pair that was connected for two minutes, of which the store has nothing, and a pool that starts again after an hour.
/// Only the host has reported since.
fn restarted() -> (Pool, vipnode_types::LeaseId) {
    let mut pool = Pool::with(priced());
    let lease = pool.lease_up();
    pool.pass_with(120_000, &[HOST, CLIENT]);
    pool.now = pool.now.plus(3_600_000);
    pool.restart(priced());
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.full(HOST, &[(lease, true)]);
    (pool, lease)
}

#[test]
fn a_client_that_cannot_know_whether_it_was_connected_pays_for_no_restart() {
    let (mut pool, lease) = restarted();
    pool.pass(2_000);
    pool.beat(HOST);
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, false)]);
    assert_eq!(pool.core.counters().unpaired_ms, 2_000, "from the start on, as ever");
    assert!(pool.core.leases.find(lease).is_some(), "the pair is not kept apart");
}

#[test]
fn a_client_that_does_not_return_after_a_restart_pays_for_that_time() {
    let (mut pool, lease) = restarted();
    pool.pass_with(15 * 60_000, &[HOST]);
    assert!(pool.core.leases.find(lease).is_none());
    let counted = pool.core.counters().unpaired_ms;
    let window = pool.core.limits.reconnect_window_ms;
    assert!((window..window + 240_000).contains(&counted), "{counted} ms");
}

/// Seed 202 with attackers: the store has the host's last report of long ago, and the client returns before its host.
#[test]
fn a_client_that_returns_before_its_host_pays_for_no_restart() {
    let mut pool = Pool::with(priced());
    let lease = pool.lease_up();
    pool.pass_with(120_000, &[HOST, CLIENT]);
    pool.now = pool.now.plus(3_600_000);
    pool.restart(priced());
    returns_first(&mut pool, lease);
    assert_eq!(pool.core.counters().unpaired_ms, 0);
}

/// The same for a pause of the pool.
#[test]
fn a_client_that_returns_before_its_host_pays_for_no_pause() {
    let mut pool = Pool::with(priced());
    let lease = pool.lease_up();
    pool.pass_with(120_000, &[HOST, CLIENT]);
    pool.now = pool.now.plus(100_000);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.counters().pauses, 1);
    returns_first(&mut pool, lease);
    assert_eq!(pool.core.counters().unpaired_ms, 0);
}

/// Seed 449 in which clients pay: soon after its start the pool pauses, as it also does while it cannot write its database.
#[test]
fn a_client_that_returns_before_its_host_pays_for_no_pause_after_a_restart() {
    let mut pool = Pool::with(priced());
    let lease = pool.lease_up();
    pool.pass_with(120_000, &[HOST, CLIENT]);
    pool.now = pool.now.plus(3_600_000);
    pool.restart(priced());
    pool.pass(1_000);
    pool.now = pool.now.plus(25_000);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.counters().pauses, 1);
    returns_first(&mut pool, lease);
    assert_eq!(pool.core.counters().unpaired_ms, 1_000, "the time between the two");
    assert!(pool.core.leases.find(lease).is_none(), "it has left");
}

/// Seed 376 in which clients pay: the pool stops before the client has reported its host, and starts after an hour.
#[test]
fn a_client_that_had_not_reported_its_host_pays_for_no_restart() {
    let mut pool = Pool::with(priced()).with_host(HOST, SLOTS).reported(HOST);
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 1);
    let lease = pool.admit(HOST);
    pool.reports_up(HOST, lease);
    pool.now = pool.now.plus(3_600_000);
    pool.restart(priced());
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.full(HOST, &[(lease, true)]);
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[]);
    pool.pass_with(2_000, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::NotConnected);
    assert_eq!(pool.core.counters().unpaired_ms, 2_000, "from the start on");
}

/// The client connects again, then its host, and both report for a minute until the client leaves. Only the host knows that the two
/// were connected all the time.
fn returns_first(pool: &mut Pool, lease: vipnode_types::LeaseId) {
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, false)]);
    pool.pass(2_000);
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.full(HOST, &[(lease, true)]);
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
}

/// Last reports are stored every few minutes only. Neither side returns, so nothing else shows how long they were connected.
#[test]
fn an_orderly_stop_loses_no_metered_time() {
    for (stopped, billed) in [(true, Some(47_000)), (false, None)] {
        let mut pool = Pool::with(priced());
        pool.lease_up();
        pool.pass_with(47_000, &[HOST, CLIENT]);
        if stopped {
            pool.stop();
        }
        pool.restart(priced());
        pool.pass(pool.core.limits.reconnect_window_ms + 10 * 60_000);
        assert_eq!(pool.billed_ms().first().copied(), billed, "stopped in order: {stopped}");
    }
}

/// The attack: a client that reports nothing is served, and whenever the pool was paused, all of that time is forgiven.
#[test]
fn a_pause_of_the_pool_forgives_no_silence_before_it() {
    let mut pool = Pool::with(priced());
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.pass_with(120_000, &[HOST]);
    pool.now = pool.now.plus(11_000);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.counters().pauses, 1);
    pool.beat(HOST);
    pool.leave(HOST, lease, LeaveReason::Surplus);
    let counted = pool.core.counters().unpaired_ms;
    assert!((119_000..=121_000).contains(&counted), "{counted} ms: all but the pause");
}
