use std::path::{Path, PathBuf};

use rusqlite::{Connection, Result};
use vipnode_pool_core::{LedgerEntry, Transaction};

use super::{
    DroppedPeers, FormerDatabase, database_owner::DatabaseOwner, entry_table, ledger_check, lost_peers::LostPeers,
    sqlite_error::store_error, sqlite_reader::SqliteReader,
};
use crate::{LostEntries, ReadLimits, StoreError};

/// The database that a restore replaces, compared with the backup. What of it can be read does not depend on the rest.
#[derive(Debug)]
pub(super) struct ReplacedDatabase {
    pub(super) owner: DatabaseOwner,
    pub(super) entries: Result<LostEntries, StoreError>,
    pub(super) peers: Result<LostPeers, StoreError>,
}

impl ReplacedDatabase {
    /// Reads the database in a directory. It stays as it is, and so does the backup.
    pub(super) fn read(dir: &Path, backup: &Connection) -> Self {
        let opened =
            SqliteReader::open(dir, ReadLimits::WHOLE_DATABASE).and_then(|reader| Ok((reader.connect()?, reader.file)));
        let (connection, file) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                return Self { owner: DatabaseOwner::default(), entries: Err(error.clone()), peers: Err(error) };
            }
        };
        let owner = DatabaseOwner::read(&connection).unwrap_or_default();
        Self {
            owner,
            entries: lost_entries(&connection, backup, owner).map_err(|error| store_error(&error, &file)),
            peers: LostPeers::read(&connection, &file),
        }
    }

    /// The database under its new name, after the nodes were ordered to drop so many of its peers.
    pub(super) fn kept_as(self, file: PathBuf, dropped: u64) -> FormerDatabase {
        let peers = self.peers.map(|peers| DroppedPeers {
            count: dropped,
            unreadable: peers.unreadable,
            problem: peers.problem,
        });
        FormerDatabase { file, entries: self.entries, peers }
    }

    /// What would be lost, as the end of a sentence about the database.
    pub(super) fn loss(&self) -> String {
        match &self.entries {
            Ok(lost) if lost.count > 0 || lost.pruned > 0 => format!("; the backup lacks {}", lost.describe()),
            _ => String::new(),
        }
    }
}

fn lost_entries(former: &Connection, backup: &Connection, owner: DatabaseOwner) -> Result<LostEntries> {
    let mut lost = LostEntries::of(owner.asset.unwrap_or_default());
    let from = last_common_entry(former, backup)?.saturating_add(1);
    let (pruned, _) = ledger_check::pruned(former)?;
    lost.pruned = pruned.saturating_sub(entry_table::newest(backup)?);
    entry_table::read(former, from, usize::MAX, &mut |entry| lost.add(entry))?;
    Ok(lost)
}

/// Returns the number of the last entry that both journals have. Entries are only appended, so two journals with the same entry
/// have the same entries before it, too.
fn last_common_entry(former: &Connection, backup: &Connection) -> Result<u64> {
    let (pruned, _) = ledger_check::pruned(former)?;
    let (pruned_before_backup, _) = ledger_check::pruned(backup)?;
    let (mut common, mut last) =
        (pruned.max(pruned_before_backup), entry_table::newest(former)?.min(entry_table::newest(backup)?));
    while common < last {
        let middle = last.saturating_sub(last.saturating_sub(common) / 2);
        if is_common(former, backup, middle)? {
            common = middle;
        } else {
            last = middle.saturating_sub(1);
        }
    }
    Ok(common)
}

/// Whether both journals have an entry. Billing periods may have been folded since the backup: one that is gone, or that others
/// were folded into, is the same as the one in the backup.
fn is_common(former: &Connection, backup: &Connection, number: u64) -> Result<bool> {
    let (entry, before) = (entry_table::find(former, number)?, entry_table::find(backup, number)?);
    let lease = |entry: &LedgerEntry| match &entry.transaction {
        Transaction::Lease { lease, .. } => Some(*lease),
        _ => None,
    };
    Ok(match (entry, before) {
        (None, None) => true,
        (None, Some(before)) => lease(&before).is_some(),
        (Some(_), None) => false,
        (Some(entry), Some(before)) => {
            let is_folded = || entry_table::folded(former, number).map(|numbers| numbers.len() > 0);
            entry == before || lease(&entry).is_some() && lease(&entry) == lease(&before) && is_folded()?
        }
    })
}
