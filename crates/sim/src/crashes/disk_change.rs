use std::collections::BTreeMap;

use crate::SimRng;

/// What a disk writes at once, in bytes. Of one of these, a part may be written.
const SECTOR: usize = 512;

/// A change of a file, as SQLite asked the system for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DiskChange {
    /// Bytes were written.
    Write {
        /// Where, from the start of the file.
        at: usize,
        /// The content from there on.
        bytes: Vec<u8>,
    },
    /// The file was cut, or extended, to a length.
    Truncate(usize),
    /// The file was deleted.
    Delete,
    /// All changes of the file so far are on the disk.
    Sync,
}

/// A change of a file in a directory that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileChange {
    /// The name of the file.
    pub(super) file: String,
    /// What SQLite asked for.
    pub(super) change: DiskChange,
}

impl FileChange {
    /// Whether it is a sync.
    pub(super) const fn is_sync(&self) -> bool {
        matches!(self.change, DiskChange::Sync)
    }
}

/// What a disk holds of a directory: what was synced, and what may be written or not.
#[derive(Debug, Clone, Default)]
pub(super) struct DiskState(BTreeMap<String, FileState>);

/// What a disk holds of a file.
#[derive(Debug, Clone, Default)]
struct FileState {
    /// Its content at the last sync; `None` if it did not exist.
    synced: Option<Vec<u8>>,
    /// What changed since then.
    pending: Vec<DiskChange>,
}

impl DiskState {
    /// Applies a change. A sync of one file makes earlier changes of the names in its directory durable, too, as on ext4 and XFS.
    pub(super) fn apply(&mut self, FileChange { file, change }: &FileChange) {
        let DiskChange::Sync = change else {
            return self.0.entry(file.clone()).or_default().pending.push(change.clone());
        };
        for (name, state) in &mut self.0 {
            let deleted = state.pending.iter().rposition(|change| matches!(change, DiskChange::Delete));
            let durable = if name == file { state.pending.len() } else { deleted.map_or(0, |at| at + 1) };
            for change in state.pending.drain(..durable) {
                change.apply(&mut state.synced);
            }
        }
    }

    /// Whether a file has changes that were not synced.
    pub(super) fn is_pending(&self, file: &str) -> bool {
        self.0.get(file).is_some_and(|file| !file.pending.is_empty())
    }

    /// The files after a power cut.
    pub(super) fn cut(&self, rng: &mut SimRng) -> BTreeMap<String, Vec<u8>> {
        let files = self.0.iter().map(|(name, file)| (name.clone(), file.cut(rng)));
        files.filter_map(|(name, content)| content.map(|content| (name, content))).collect()
    }
}

impl FileState {
    /// The content after a power cut: of what was not synced, each sector was written, or not, or a part of it.
    fn cut(&self, rng: &mut SimRng) -> Option<Vec<u8>> {
        let (mut left, written) = (self.synced.clone(), rng.range(0, 1_000));
        for change in &self.pending {
            match change {
                DiskChange::Write { at, bytes } => write_part(&mut left, (*at, bytes), written, rng),
                DiskChange::Truncate(_) if rng.chance(written) => change.apply(&mut left),
                // The names in a directory change in order: without the deletion, no later file has that name.
                DiskChange::Delete if !rng.chance(written) => return left,
                DiskChange::Delete => left = None,
                DiskChange::Truncate(_) | DiskChange::Sync => {}
            }
        }
        left
    }
}

impl DiskChange {
    /// Applies a change as a whole.
    fn apply(&self, content: &mut Option<Vec<u8>>) {
        match self {
            Self::Write { at, bytes } => put(content, *at, bytes),
            Self::Truncate(length) => content.get_or_insert_default().resize(*length, 0),
            Self::Delete => *content = None,
            Self::Sync => {}
        }
    }
}

/// Writes the sectors of a write that the disk had written, each with a probability of `written` in a thousand. The file may have its
/// new length without them.
fn write_part(left: &mut Option<Vec<u8>>, (mut at, mut bytes): (usize, &[u8]), written: u64, rng: &mut SimRng) {
    if rng.chance(written / 2) {
        put(left, at + bytes.len(), &[]);
    }
    while !bytes.is_empty() {
        let (sector, rest) = bytes.split_at((SECTOR - at % SECTOR).min(bytes.len()));
        if rng.chance(written) {
            put(left, at, sector);
        } else if rng.chance(20) {
            put(left, at, &sector[..rng.index(sector.len())]);
        }
        (at, bytes) = (at + sector.len(), rest);
    }
}

/// Writes bytes to a file, with zeros before them where nothing was written.
fn put(content: &mut Option<Vec<u8>>, at: usize, bytes: &[u8]) {
    let content = content.get_or_insert_default();
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(changes: &[DiskChange]) -> DiskState {
        let mut state = DiskState::default();
        let changes = changes.iter().map(|change| FileChange { file: "a".to_owned(), change: change.clone() });
        changes.for_each(|change| state.apply(&change));
        state
    }

    fn write(at: usize, byte: u8, count: usize) -> DiskChange {
        DiskChange::Write { at, bytes: vec![byte; count] }
    }

    #[test]
    fn what_was_synced_survives_each_cut() {
        let state = state(&[write(0, 1, 2_000), DiskChange::Sync, write(3_000, 2, 2_000), DiskChange::Truncate(4_000)]);
        assert!(state.is_pending("a") && !state.is_pending("b"));
        let lengths = (0..200).map(|seed| {
            let left = state.cut(&mut SimRng::new(seed)).remove("a").unwrap();
            assert_eq!(left[..2_000], [1; 2_000]);
            assert!(left[2_000..left.len().min(3_000)].iter().all(|byte| *byte == 0));
            left.len()
        });
        let lengths: std::collections::BTreeSet<_> = lengths.collect();
        assert!(lengths.contains(&2_000) && lengths.contains(&4_000) && lengths.contains(&5_000), "{lengths:?}");
    }

    #[test]
    fn a_sync_of_another_file_keeps_a_deletion() {
        let mut state = state(&[write(0, 1, 10), DiskChange::Sync, DiskChange::Delete, write(0, 2, 4)]);
        state.apply(&FileChange { file: "b".to_owned(), change: write(0, 3, 4) });
        state.apply(&FileChange { file: "b".to_owned(), change: DiskChange::Sync });
        let left = (0..300).filter_map(|seed| state.cut(&mut SimRng::new(seed)).remove("a"));
        assert!(left.into_iter().all(|left| left.len() <= 4));
    }

    #[test]
    fn a_deletion_is_lost_with_all_that_follows() {
        let state = state(&[write(0, 1, 10), DiskChange::Sync, DiskChange::Delete, write(0, 2, 4)]);
        let mut left: Vec<_> = (0..300).map(|seed| state.cut(&mut SimRng::new(seed)).remove("a")).collect();
        left.sort_unstable();
        left.dedup();
        assert!(
            left.contains(&None) && left.contains(&Some(vec![1; 10])) && left.contains(&Some(vec![2; 4])),
            "{left:?}"
        );
        assert!(left.iter().flatten().all(|left| left.len() == 10 || left.len() <= 4), "{left:?}");
    }
}
