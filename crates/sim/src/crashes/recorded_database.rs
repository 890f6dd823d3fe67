use std::{error::Error, fs, path::Path};

use vipnode_pool_core::Row;
use vipnode_store::{PruneOrder, SqliteStore, Store as _};
use vipnode_types::Ms;

use super::{batches::Batches, database_content::DatabaseContent, disk_change::FileChange, recording_vfs};
use crate::{SimRng, run::pool_batches};

/// The log is copied into the database after so many pages, so that cuts hit both.
pub(super) const LOG_PAGES: u32 = 40;
/// The file with the number of the newest batch that was acknowledged.
pub(super) const NOTE: &str = "acknowledged";
/// Batches of one database.
const BATCHES: usize = 60;
/// A step removes at most so many entries or periods from the journals.
const PRUNED_AT_ONCE: u64 = 40;

/// A database that was written step by step, with each change of its files.
#[derive(Debug)]
pub(super) struct RecordedDatabase {
    /// Whether it has the batches of a pool that charges.
    pub(super) is_charging: bool,
    pub(super) changes: Vec<FileChange>,
    /// How many changes there were when it had been opened for the first time.
    pub(super) opened: usize,
    /// What it held then.
    first: DatabaseContent,
    pub(super) steps: Vec<RecordedStep>,
    /// What the note of the newest acknowledged batch was at the beginning, and after each step.
    pub(super) notes: Vec<Vec<u8>>,
}

/// A step, with the number of changes when it returned, and when what may follow an acknowledgment was done.
#[derive(Debug)]
pub(super) struct RecordedStep {
    pub(super) what: Step,
    pub(super) returned: usize,
    pub(super) tidied: usize,
    /// What the database holds afterward.
    pub(super) content: DatabaseContent,
}

/// What is done to a database.
#[derive(Debug)]
pub(super) enum Step {
    /// A batch is written.
    Batch(Vec<Row>),
    /// A part of the journals is removed.
    Prune {
        /// What must be removed in total.
        order: PruneOrder,
        /// How far it was.
        position: u64,
        /// How much at most.
        most: usize,
    },
    /// It is closed and opened.
    Reopen,
}

impl Step {
    pub(super) const fn is_batch(&self) -> bool {
        matches!(self, Self::Batch(_))
    }
}

impl RecordedDatabase {
    /// Writes a database: in turn one with rows drawn at random, and one with what a simulated pool wrote while clients paid.
    pub(super) fn write(dir: &Path, number: u64, rng: &mut SimRng) -> Result<Self, Box<dyn Error>> {
        let is_charging = number.is_multiple_of(2);
        let batches = if is_charging { charged(rng)? } else { drawn(rng) };
        fs::create_dir_all(dir)?;
        // The path that SQLite opens has no links.
        let real = dir.canonicalize()?;
        let real = real.to_str().ok_or("the path is not UTF-8")?;
        recording_vfs::record(real)?;
        let written = Self::steps((dir, real), batches, rng);
        let changes = recording_vfs::finish(real);
        written.map(|written| Self { is_charging, changes, ..written })
    }

    /// What the database held before a step.
    pub(super) fn content_before(&self, step: usize) -> &DatabaseContent {
        step.checked_sub(1).map_or(&self.first, |before| &self.steps[before].content)
    }

    /// Writes batches, and does something else now and then.
    fn steps((dir, real): (&Path, &str), batches: Vec<Vec<Row>>, rng: &mut SimRng) -> Result<Self, Box<dyn Error>> {
        let note = || fs::read(dir.join(NOTE));
        let open = || SqliteStore::open_with_log(dir, LOG_PAGES);
        let mut store = open()?;
        store.apply(&[Row::NextLease(1)])?;
        let (opened, first) = (recording_vfs::recorded(real), DatabaseContent::of(&mut store)?);
        let (mut steps, mut notes, mut pruning) = (Vec::new(), vec![note()?], None);
        let mut batches = batches.into_iter();
        loop {
            let content = steps.last().map_or(&first, |step: &RecordedStep| &step.content);
            let what = match rng.below(20) {
                0 => Step::Reopen,
                1 | 2 if content.entries.len() > 1 => {
                    let (order, position) = *pruning.get_or_insert_with(|| (order(content, rng), 0));
                    Step::Prune { order, position, most: rng.index_to(PRUNED_AT_ONCE) + 1 }
                }
                _ => match batches.next() {
                    Some(batch) => Step::Batch(batch),
                    None => return Ok(Self { is_charging: false, changes: Vec::new(), opened, first, steps, notes }),
                },
            };
            match &what {
                Step::Batch(rows) => {
                    store.apply(rows)?;
                }
                Step::Prune { order, position, most } => {
                    let step = store.prune(*order, *position, *most)?;
                    pruning = (!step.is_done).then_some((*order, step.position));
                }
                Step::Reopen => {
                    drop(store);
                    store = open()?;
                }
            }
            let returned = recording_vfs::recorded(real);
            notes.push(note()?);
            store.tidy();
            let (tidied, content) = (recording_vfs::recorded(real), DatabaseContent::of(&mut store)?);
            steps.push(RecordedStep { what, returned, tidied, content });
        }
    }
}

/// Rows drawn at random.
fn drawn(rng: &SimRng) -> Vec<Vec<Row>> {
    let mut batches = Batches::new(rng.apart());
    (0..BATCHES).map(|_| batches.next_batch()).collect()
}

/// What a simulated pool wrote, in as many batches.
fn charged(rng: &mut SimRng) -> Result<Vec<Vec<Row>>, Box<dyn Error>> {
    let batches = pool_batches(rng.below(1 << 32))?;
    let together = batches.len().div_ceil(BATCHES).max(1);
    Ok(batches.chunks(together).map(<[_]>::concat).collect())
}

/// Up to a random entry, and whatever nobody pays for up to a random position.
fn order(content: &DatabaseContent, rng: &mut SimRng) -> PruneOrder {
    let entry = content.entries[rng.index(content.entries.len() - 1)].number;
    PruneOrder { before: Ms::new(i64::MAX.cast_unsigned()), last_entry: entry, last_position: rng.below(100) }
}
