//! Backups of the pool's database, and what a restored one lacks.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_pool_core::{LeaseRow, NodeRow, RestoreRow, Row};
use vipnode_store::{MemoryStore, Store};
use vipnode_types::{LeaseId, Ms, NodeId};

use super::Simulation;
use crate::{
    EPOCH_MS,
    checks::{Promise, ledger::AcknowledgedOrders},
};

/// A backup of the pool's database.
#[derive(Debug)]
pub(crate) struct Backup {
    store: MemoryStore,
    /// When it was made, in virtual ms.
    made: u64,
    /// What the operator was acknowledged until then.
    acknowledged: AcknowledgedOrders,
}

impl Simulation {
    /// The operator backs up the database, now and then.
    pub(super) fn back_up(&mut self) {
        if self.scenario.credit.restores && self.rng.chance(300) {
            let (store, acknowledged) = (self.pool.store().clone(), self.operator.acknowledged.clone());
            self.pool.backup = Some(Backup { store, made: self.now, acknowledged });
            self.log(|| "the operator backs up the database".to_owned());
        }
    }

    /// Kills the pool, and starts it in `down_ms` with the last backup, if there is one. Its leases have numbers beyond those that
    /// were used, and nodes of protocol 2 drop the peers of leases that it does not have.
    pub(super) fn restore_backup(&mut self, down_ms: u64) {
        if self.pool.core.is_none() || self.pool.backup.is_none() {
            return;
        }
        self.pool_crashes(down_ms, true);
        let Some(Backup { mut store, made, acknowledged }) = self.pool.backup.take() else { return };
        self.log(|| "the operator restores the backup".to_owned());
        let beyond = (EPOCH_MS + self.now).saturating_mul(1_000);
        let restore = RestoreRow { at: Ms::new(EPOCH_MS + self.now), is_settled: false };
        let (mut former, mut backup) = (Vec::new(), Vec::new());
        let read = self.pool.store().load(&mut |row| former.push(row));
        let read = read.and_then(|()| store.load(&mut |row| backup.push(row)));
        let mut rows = lost_peers(&former, &backup);
        rows.extend([Row::NextLease(beyond), Row::Restore(restore)]);
        let applied = read.and_then(|()| store.apply(&rows));
        self.require(applied.map(drop).map_err(|error| Promise::Durability.violation(error)));
        *self.pool.store() = store;
        self.checker.prices().restored(made);
        self.operator.restored(acknowledged);
    }
}

/// The nodes of a backup that use protocol 2 and have peers from leases which only the database before it has: their agents do not
/// name leases, so they are to drop these peers.
fn lost_peers(former: &[Row], backup: &[Row]) -> Vec<Row> {
    let nodes = |rows: &[Row]| -> Vec<NodeRow> {
        let node = |row: &Row| if let Row::Node(node) = row { Some((**node).clone()) } else { None };
        rows.iter().filter_map(node).filter(|node| node.credentials.is_node_key()).collect()
    };
    let leases = |rows: &[Row]| -> Vec<LeaseRow> {
        rows.iter().filter_map(|row| if let Row::Lease(lease) = row { Some((**lease).clone()) } else { None }).collect()
    };
    let kept: BTreeSet<LeaseId> = leases(backup).iter().map(|lease| lease.id).collect();
    let mut lost: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for lease in leases(former).iter().filter(|lease| !kept.contains(&lease.id)) {
        lost.entry(lease.client).or_default().push(lease.host);
        lost.entry(lease.host).or_default().push(lease.client);
    }
    let before: BTreeMap<NodeId, NodeRow> = nodes(former).into_iter().map(|node| (node.id, node)).collect();
    let drops = |mut node: NodeRow| {
        let before = before.get(&node.id)?;
        let peers = lost.get(&node.id).into_iter().flatten().chain(before.credentials.to_drop());
        let list = &mut node.credentials.protocol2.get_or_insert_default().drop;
        let had = list.len();
        for peer in peers {
            if !list.contains(peer) {
                list.push(*peer);
            }
        }
        (list.len() > had).then(|| Row::Node(Box::new(node)))
    };
    nodes(backup).into_iter().filter_map(drops).collect()
}
