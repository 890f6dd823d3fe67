//! A pool that starts with a backup: nobody is billed for the time of which it lost the reports.

use vipnode_types::wire::LeaveReason;

use super::{
    pool::{Pool, client, host},
    scenario::{CLIENT, HOST, HOUR_MS, KEPT, MINUTE_MS, SLOTS, priced},
};
use crate::{RestoreRow, Row};

impl Pool {
    /// Both sides of a lease return, and were connected to each other since the pool last confirmed their reports.
    fn both_return(&mut self, lease: vipnode_types::LeaseId) {
        self.connect(HOST, host(HOST, SLOTS)).unwrap();
        self.connect(CLIENT, client(CLIENT)).unwrap();
        self.full(HOST, &[(lease, KEPT)]);
        self.full(CLIENT, &[(lease, KEPT)]);
    }
}

#[test]
fn the_time_from_the_backup_until_the_start_is_not_billed() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(4 * MINUTE_MS, &[HOST, CLIENT]);
    pool.stop();
    let backup = pool.rows.clone();
    pool.pass_with(MINUTE_MS, &[HOST, CLIENT]);
    // An interruption that the pool confirms: neither agent reports it again.
    pool.delta(CLIENT, &[lease], &[lease]);
    pool.delta(HOST, &[lease], &[lease]);
    pool.pass(HOUR_MS);
    pool.restore(backup, priced());
    assert_eq!(pool.billed_ms(), [4 * MINUTE_MS], "the period of the backup ends");
    assert!(pool.core.rows().contains(&Row::Restore(RestoreRow { at: pool.now, is_settled: true })));
    pool.both_return(lease);
    pool.pass_with(MINUTE_MS, &[HOST, CLIENT]);
    pool.stop();
    // A later start ends no period.
    pool.restart(priced());
    assert_eq!(pool.billed_ms(), [4 * MINUTE_MS]);
    pool.both_return(lease);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    assert_eq!(pool.billed_ms(), [4 * MINUTE_MS, MINUTE_MS]);
}

/// For the pool, a node that does not return was connected until the backup at most.
#[test]
fn a_lease_of_the_backup_whose_sides_do_not_return_bills_nothing_more() {
    let (mut pool, _) = Pool::priced().leased();
    pool.pass_with(4 * MINUTE_MS, &[HOST, CLIENT]);
    pool.stop();
    let backup = pool.rows.clone();
    pool.pass(HOUR_MS);
    pool.restore(backup, priced());
    pool.pass(HOUR_MS);
    assert_eq!((pool.billed_ms(), pool.core.gauges().leases), (vec![4 * MINUTE_MS], 0));
}

/// Seed 449 in which clients pay: a host had reported the client as gone, and the client returned before the host.
#[test]
fn after_it_reported_the_client_as_gone_a_host_saw_it_no_longer() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(MINUTE_MS, &[HOST, CLIENT]);
    pool.reports_down(HOST, lease);
    pool.pass(10_000);
    pool.delta(CLIENT, &[lease], &[lease]);
    let backup = pool.rows.clone();
    pool.restore(backup, priced());
    assert_eq!((pool.billed_ms(), pool.core.counters().unpaired_ms), (vec![MINUTE_MS], 0));
}
