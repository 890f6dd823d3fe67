use vipnode_types::{Ms, wire::LeaveReason};

use super::{
    pool::{Pool, START, client, node},
    scenario::{CLIENT, FURTHER, HOST, MINUTE_MS, OTHER_SUBNET, SLOTS},
};
use crate::{Core, Limits, Row};

impl Pool {
    /// Pairs a client with the host for some minutes, then ends that.
    fn pair_for(&mut self, agent: u32, minutes: u32) {
        self.join(agent, client(agent));
        let lease = self.lease_between(HOST, agent);
        for _ in 0..minutes {
            self.pass_with(MINUTE_MS, &[HOST, agent]);
        }
        self.leave(agent, lease, LeaveReason::Surplus);
        self.evicted(HOST);
        self.disconnect(agent);
    }

    fn proven(&self, agent: u32) -> bool {
        self.core.agents.is_proven(self.core.agents.find(&node(agent)).unwrap())
    }
}

#[test]
fn a_node_is_proven_by_time_with_two_other_wide_blocks_and_stays_so_over_a_restart() {
    let mut pool =
        Pool::with(Limits { proven_ms: 10 * MINUTE_MS, ..Limits::default() }).with_host(HOST, SLOTS).reported(HOST);
    pool.pair_for(CLIENT, 20);
    assert!(!pool.proven(HOST), "a neighbor proves nothing");
    pool.pair_for(OTHER_SUBNET, 20);
    pool.pair_for(OTHER_SUBNET + 1, 20);
    assert!(!pool.proven(HOST), "one other wide block is not enough");
    pool.pair_for(FURTHER, 9);
    assert!(!pool.proven(HOST));
    pool.pair_for(FURTHER, 1);
    assert!(pool.proven(HOST) && !pool.proven(FURTHER));
    let written = |id| {
        let rows = pool.rows.iter().rev();
        rows.into_iter()
            .find_map(|row| if let Row::Node(row) = row { (row.id == id).then(|| row.proven.clone()) } else { None })
    };
    assert!(written(node(HOST)).unwrap().is_proven(), "it was stored");
    let core = Core::restore(Limits::default(), [5; 32], Ms::new(START.get() + 1), pool.rows.clone());
    assert!(core.agents.is_proven(core.agents.find(&node(HOST)).unwrap()));
}

#[test]
fn a_running_lease_proves_before_its_row_ends() {
    let mut pool =
        Pool::with(Limits { proven_ms: 10 * MINUTE_MS, ..Limits::default() }).with_host(HOST, SLOTS).reported(HOST);
    let mut agents = vec![HOST];
    for (agent, proves) in [(CLIENT, false), (OTHER_SUBNET, false), (FURTHER, true)] {
        pool.join(agent, client(agent));
        pool.lease_between(HOST, agent);
        agents.push(agent);
        pool.pass_with(9 * MINUTE_MS, &agents);
        assert!(!pool.proven(HOST));
        pool.pass_with(2 * MINUTE_MS, &agents);
        assert_eq!(pool.proven(HOST), proves);
    }
    assert!(pool.metered().is_empty(), "no row has ended");
    assert!(!pool.proven(OTHER_SUBNET), "it was with one host only");
    let core = Core::restore(Limits::default(), [5; 32], Ms::new(START.get() + 1), pool.rows.clone());
    assert!(core.agents.is_proven(core.agents.find(&node(HOST)).unwrap()));
}

#[test]
fn time_that_runs_is_counted_once() {
    let mut pool =
        Pool::with(Limits { proven_ms: 10 * MINUTE_MS, ..Limits::default() }).with_host(HOST, SLOTS).reported(HOST);
    pool.pair_for(OTHER_SUBNET, 20);
    pool.pair_for(FURTHER, 6);
    assert!(!pool.proven(HOST));
    pool.pair_for(FURTHER, 3);
    assert!(!pool.proven(HOST));
    pool.pair_for(FURTHER, 1);
    assert!(pool.proven(HOST));
}

#[test]
fn in_a_closed_pool_any_paired_time_proves() {
    let mut pool = Pool::with(Limits { members_only: true, ..Limits::default() }).with_host(HOST, SLOTS).reported(HOST);
    pool.pair_for(CLIENT, 1);
    assert!(pool.proven(HOST) && pool.proven(CLIENT));
}
