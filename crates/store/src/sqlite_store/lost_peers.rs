use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use rusqlite::{Connection, OptionalExtension as _, Result, Row as SqlRow, Statement, params};

use super::sqlite_error::store_error;
use crate::StoreError;

/// Peers of nodes that use protocol 2, which only the database before a restore knows. Their agents do not report leases, so
/// the restored pool would never learn of these.
#[derive(Debug, Default)]
pub(super) struct LostPeers {
    /// The peers of each node.
    peers: BTreeMap<Id, Vec<LostPeer>>,
    /// Rows that cannot be read.
    pub(super) unreadable: u64,
    /// Why the first of them cannot be read.
    pub(super) problem: Option<StoreError>,
}

/// The bytes of a node ID.
type Id = [u8; 64];

/// A peer that a node has from a lease.
#[derive(Debug)]
struct LostPeer {
    /// The number of the lease; `None` if it has ended, and the node has yet to drop the peer.
    lease: Option<i64>,
    peer: Id,
}

/// The leases of each node that uses protocol 2, which has no agent key.
const LEASED: &str = "
    WITH named (lease, client, host) AS (
        SELECT id, client, host FROM leases
        UNION ALL
        SELECT numbered_leases.id, coalesce(clients.id, client), coalesce(hosts.id, host) FROM numbered_leases
        LEFT JOIN node_ids AS clients ON clients.number = client LEFT JOIN node_ids AS hosts ON hosts.number = host
    )
    SELECT lease, named.host, named.client FROM named JOIN nodes ON nodes.id = named.host WHERE agent_key IS NULL
    UNION ALL
    SELECT lease, named.client, named.host FROM named JOIN nodes ON nodes.id = named.client WHERE agent_key IS NULL";
const DROPPING: &str = "SELECT id, to_drop FROM nodes WHERE agent_key IS NULL AND to_drop IS NOT NULL";
const IS_KEPT: &str = "SELECT 1 FROM leases WHERE id = ?1 UNION ALL SELECT 1 FROM numbered_leases WHERE id = ?1";
const LIST: &str = "SELECT coalesce(to_drop, x'') FROM nodes WHERE id = ?1 AND agent_key IS NULL";
const SET_LIST: &str = "UPDATE nodes SET to_drop = ?2, stored_nonce = coalesce(stored_nonce, 0) WHERE id = ?1";

impl LostPeers {
    /// Reads the peers in the database before the restore, with this path. A row that cannot be read costs no other.
    ///
    /// # Errors
    /// See [`StoreError`]: no row can be read.
    pub(super) fn read(former: &Connection, file: &Path) -> Result<Self, StoreError> {
        let failed = |error: rusqlite::Error| store_error(&error, file);
        let mut lost = Self::default();
        lost.read_rows(&mut former.prepare(LEASED).map_err(failed)?, leased_peer, file)?;
        lost.read_rows(&mut former.prepare(DROPPING).map_err(failed)?, peers_to_drop, file)?;
        Ok(lost)
    }

    fn read_rows(
        &mut self,
        statement: &mut Statement<'_>,
        peers_of: impl Fn(&SqlRow<'_>) -> Result<(Id, Vec<LostPeer>)>,
        file: &Path,
    ) -> Result<(), StoreError> {
        let mut rows = statement.query([]).map_err(|error| store_error(&error, file))?;
        loop {
            // After a page that cannot be read, there are no more rows.
            let row = match rows.next() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => peers_of(row).map_err(|error| (error, true)),
                Err(error) => Err((error, false)),
            };
            match row {
                Ok((node, mut peers)) => self.peers.entry(node).or_default().append(&mut peers),
                Err((error, goes_on)) => {
                    self.unreadable = self.unreadable.saturating_add(1);
                    self.problem.get_or_insert_with(|| store_error(&error, file));
                    if !goes_on {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Has the nodes drop the peers from leases that the restored database does not have. Returns how many. It skips nodes that it
    /// does not have, or that use protocol 3 there. The list of a node is written once, however many peers it gets.
    pub(super) fn drop_in(&self, restored: &Connection) -> Result<u64> {
        let (mut is_kept, mut list) = (restored.prepare(IS_KEPT)?, restored.prepare(LIST)?);
        let mut set_list = restored.prepare(SET_LIST)?;
        let mut dropped = 0_u64;
        for (node, peers) in &self.peers {
            let Some(mut ids) = list.query_row([node], |row| row.get::<_, Vec<u8>>(0)).optional()? else { continue };
            let mut listed: BTreeSet<Id> = ids.as_chunks().0.iter().copied().collect();
            let before = dropped;
            for LostPeer { lease, peer } in peers {
                let is_kept = lease.map_or(Ok(false), |lease| is_kept.exists([lease]))?;
                if !is_kept && listed.insert(*peer) {
                    ids.extend(peer);
                    dropped = dropped.saturating_add(1);
                }
            }
            if dropped > before {
                set_list.execute(params![node, ids])?;
            }
        }
        Ok(dropped)
    }
}

/// A row of [`LEASED`].
fn leased_peer(row: &SqlRow<'_>) -> Result<(Id, Vec<LostPeer>)> {
    Ok((row.get(1)?, vec![LostPeer { lease: Some(row.get(0)?), peer: row.get(2)? }]))
}

/// A row of [`DROPPING`].
fn peers_to_drop(row: &SqlRow<'_>) -> Result<(Id, Vec<LostPeer>)> {
    let (node, list): (Id, Vec<u8>) = (row.get(0)?, row.get(1)?);
    Ok((node, list.as_chunks().0.iter().map(|peer| LostPeer { lease: None, peer: *peer }).collect()))
}
