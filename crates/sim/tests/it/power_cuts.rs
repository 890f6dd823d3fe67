//! Power cuts of a real database. `vipnode-sim power-cuts --count N` makes more.

use vipnode_sim::power_cuts;

const CUTS: u64 = 480;

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let done = power_cuts(1, CUTS, &[]).unwrap();
    assert_eq!(done.cuts, CUTS);
    assert!(
        done.lost > 40 && done.while_copying > 20 && done.while_pruning_or_closing > 20,
        "{done:?}: it tests little"
    );
    assert!(done.charging > 150 && done.entries > 1_000, "{done:?}: it tests little of a ledger");
}

#[test]
fn a_power_cut_shows_each_sync_that_is_missing() {
    for unsynced in [&["pool.db-wal"][..], &["pool.db"], &["pool.db-wal", "pool.db"]] {
        let found = power_cuts(1, CUTS, unsynced);
        assert!(found.is_err(), "without syncs of {unsynced:?}: {found:?}");
    }
}
