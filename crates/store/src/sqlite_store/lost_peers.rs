use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// Peers of nodes that use protocol 2, which only the database before a restore knows. Their agents do not report leases, so
/// the restored pool would never learn of these.
#[derive(Debug, Default)]
pub(super) struct LostPeers {
    peers: Vec<LostPeer>,
}

/// A peer that a node has from a lease.
#[derive(Debug)]
struct LostPeer {
    /// The number of the lease; `None` if it has ended, and the node has yet to drop the peer.
    lease: Option<i64>,
    node: [u8; 64],
    peer: [u8; 64],
}

/// The leases of each node that uses protocol 2, which has no agent key.
const LEASED: &str = "
    SELECT leases.id, leases.host, leases.client FROM leases JOIN nodes ON nodes.id = leases.host WHERE agent_key IS NULL
    UNION ALL
    SELECT leases.id, leases.client, leases.host FROM leases JOIN nodes ON nodes.id = leases.client WHERE agent_key IS NULL";
const DROPPING: &str = "SELECT id, to_drop FROM nodes WHERE agent_key IS NULL AND to_drop IS NOT NULL";
const IS_KEPT: &str = "SELECT 1 FROM leases WHERE id = ?1";
const LIST: &str = "SELECT coalesce(to_drop, x'') FROM nodes WHERE id = ?1 AND agent_key IS NULL";
const SET_LIST: &str = "UPDATE nodes SET to_drop = ?2, stored_nonce = coalesce(stored_nonce, 0) WHERE id = ?1";

impl LostPeers {
    /// Reads the peers in the database before the restore.
    pub(super) fn read(former: &Connection) -> Result<Self> {
        let mut leased = former.prepare(LEASED)?;
        let leased =
            leased.query_map([], |row| Ok(LostPeer { lease: row.get(0)?, node: row.get(1)?, peer: row.get(2)? }))?;
        let mut peers = leased.collect::<Result<Vec<_>>>()?;
        let mut dropping = former.prepare(DROPPING)?;
        let mut rows = dropping.query([])?;
        while let Some(row) = rows.next()? {
            let (node, list): (_, Vec<u8>) = (row.get(0)?, row.get(1)?);
            peers.extend(list.as_chunks().0.iter().map(|peer| LostPeer { lease: None, node, peer: *peer }));
        }
        Ok(Self { peers })
    }

    /// Has the nodes drop the peers from leases that the restored database does not have. Returns how many. It skips nodes that it
    /// does not have, or that use protocol 3 there.
    pub(super) fn drop_in(&self, restored: &Connection) -> Result<u64> {
        let (mut is_kept, mut list) = (restored.prepare(IS_KEPT)?, restored.prepare(LIST)?);
        let mut set_list = restored.prepare(SET_LIST)?;
        let mut dropped = 0_u64;
        for LostPeer { lease, node, peer } in &self.peers {
            if lease.map_or(Ok(false), |lease| is_kept.exists([lease]))? {
                continue;
            }
            let Some(mut ids) = list.query_row([node], |row| row.get::<_, Vec<u8>>(0)).optional()? else { continue };
            if ids.as_chunks().0.contains(peer) {
                continue;
            }
            ids.extend(peer);
            set_list.execute(params![node, ids])?;
            dropped = dropped.saturating_add(1);
        }
        Ok(dropped)
    }
}
