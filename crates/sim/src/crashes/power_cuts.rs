use std::{collections::BTreeMap, error::Error, fs, path::Path};

use vipnode_store::{ReadLimits, SqliteReader, SqliteStore};

use super::{
    database_content::DatabaseContent,
    disk_change::{DiskState, FileChange},
    recorded_database::{LOG_PAGES, NOTE, RecordedDatabase, RecordedStep},
};
use crate::SimRng;

/// Cuts while one step is written.
const CUTS_A_STEP: u64 = 4;
/// The file of the database.
const DATABASE: &str = "pool.db";

/// What power cuts did to databases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PowerCuts {
    /// How often the power was cut.
    pub cuts: u64,
    /// How often what was being written was lost, as it may be.
    pub lost: u64,
    /// How often the database itself was being written.
    pub while_copying: u64,
    /// How often a part of the journals was being removed, or the database was being closed and opened.
    pub while_pruning_or_closing: u64,
    /// How often the database was that of a pool that charges.
    pub charging: u64,
    /// Entries of the ledger in the databases that were left, in all.
    pub entries: u64,
}

/// Cuts the power while databases are written, and compares what is left with what was acknowledged: each step before is there,
/// and the one that was being written is there or not, as a whole. All sums of a ledger add up in what is left.
///
/// What SQLite writes, cuts, deletes, and syncs is recorded between it and the system. A cut keeps what a sync covered. Of what was
/// written to a file since its last sync, each sector of 512 bytes is there, or is not, or is cut. The pool notes the newest
/// acknowledged batch in a file that is never synced: it holds any earlier number, or none.
///
/// `unsynced` names files whose syncs are ignored, as if the pool had not asked for them: it must then find what is lost.
///
/// # Errors
/// What is missing, or the error of the system.
pub fn power_cuts(seed: u64, cuts: u64, unsynced: &[&str]) -> Result<PowerCuts, Box<dyn Error>> {
    let mut rng = SimRng::new(seed);
    let mut done = PowerCuts::default();
    let mut number = 0;
    while done.cuts < cuts {
        number += 1;
        let dir = tempfile::Builder::new().prefix("vipnode-power-cuts-").tempdir()?;
        let [written, left] = ["written", "cut"].map(|name| dir.path().join(name));
        let recorded = RecordedDatabase::write(&written, number, &mut rng);
        let cut = recorded.and_then(|database| cut_one(&database, &left, &mut rng, (cuts, unsynced, &mut done)));
        let removed = dir.close();
        cut.map_err(|what| format!("seed {seed}, database {number}, cut {}: {what}", done.cuts))?;
        removed?;
    }
    Ok(done)
}

/// Goes through what was written to a database once, and cuts the power at random moments.
fn cut_one(
    database: &RecordedDatabase,
    dir: &Path,
    rng: &mut SimRng,
    (cuts, unsynced, done): (u64, &[&str], &mut PowerCuts),
) -> Result<(), Box<dyn Error>> {
    let mut disk = DiskState::default();
    let mut applied = 0;
    let mut go_on_to = |disk: &mut DiskState, end: usize| {
        let counts = |change: &&FileChange| !(change.is_sync() && unsynced.contains(&change.file.as_str()));
        database.changes[applied..end].iter().filter(counts).for_each(|change| disk.apply(change));
        applied = end;
    };
    go_on_to(&mut disk, database.opened);
    let mut start = database.opened;
    for (at, step) in database.steps.iter().enumerate() {
        let changes = u64::try_from(step.tidied - start).unwrap_or(0);
        let mut moments: Vec<usize> = (0..CUTS_A_STEP).map(|_| start + rng.index_to(changes)).collect();
        moments.sort_unstable();
        for moment in moments {
            if done.cuts >= cuts {
                return Ok(());
            }
            go_on_to(&mut disk, moment);
            let mut files = disk.cut(rng);
            let is_over = moment >= step.returned;
            // The note of this step is written before the step returns, and after all of its changes.
            let known = if is_over { at + 1 } else { at };
            let note = note(&database.notes[..=known], rng);
            files.extend(note.clone().map(|note| (NOTE.to_owned(), note)));
            let left = left(&files, dir, database.is_charging)?;
            count(done, (&disk, step, database.is_charging), &left);
            let before = database.content_before(at);
            if !is_over && left.is(before, note.as_deref()) && before != &step.content {
                done.lost += 1;
            } else if !left.is(&step.content, note.as_deref()) {
                return Err(format!("what is left is neither with nor without step {at}: {:?}", step.what).into());
            }
        }
        go_on_to(&mut disk, step.tidied);
        start = step.tidied;
    }
    Ok(())
}

fn count(done: &mut PowerCuts, (disk, step, is_charging): (&DiskState, &RecordedStep, bool), left: &DatabaseContent) {
    done.cuts += 1;
    done.while_copying += u64::from(disk.is_pending(DATABASE));
    done.while_pruning_or_closing += u64::from(!step.what.is_batch());
    done.charging += u64::from(is_charging);
    done.entries += left.entries.len() as u64;
}

/// What the note of the newest acknowledged batch may hold after a power cut: any that was written, nothing, or zeros.
fn note(written: &[Vec<u8>], rng: &mut SimRng) -> Option<Vec<u8>> {
    let newest = written.last().cloned().unwrap_or_default();
    match rng.below(10) {
        0 => None,
        1 => Some(Vec::new()),
        2 => Some(vec![0; newest.len()]),
        3 | 4 => written.get(rng.index(written.len())).cloned(),
        _ => Some(newest),
    }
}

/// Starts with the files that a power cut left, and reads everything. The ledger of a pool must add up.
fn left(files: &BTreeMap<String, Vec<u8>>, dir: &Path, is_charging: bool) -> Result<DatabaseContent, Box<dyn Error>> {
    fs::create_dir_all(dir)?;
    for (name, content) in files {
        fs::write(dir.join(name), content)?;
    }
    let left = read(dir, is_charging);
    fs::remove_dir_all(dir)?;
    left
}

fn read(dir: &Path, is_charging: bool) -> Result<DatabaseContent, Box<dyn Error>> {
    let mut store = SqliteStore::open_with_log(dir, LOG_PAGES).map_err(|error| format!("it does not open: {error}"))?;
    let content = DatabaseContent::of(&mut store)?;
    if is_charging {
        let check = SqliteReader::open(dir, ReadLimits::WHOLE_DATABASE)?.check()?;
        if let Some(problem) = check.problems.first() {
            return Err(format!("the check finds: {problem}").into());
        }
    }
    Ok(content)
}
