//! Power cuts of a real database. `vipnode-sim power-cuts --count N` makes more.

use vipnode_sim::power_cuts;

const CUTS: u64 = 200;

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let done = power_cuts(1, CUTS).unwrap();
    assert_eq!(done.cuts, CUTS);
    assert!(done.lost > 10 && done.while_copying > 5, "{done:?}: otherwise it tests little");
}
