use std::{error::Error, fs, io, path::Path};

use vipnode_pool_core::{MeteredPeriod, Row};
use vipnode_store::{MemoryStore, SqliteStore, Store, StoreError};

use super::batches::Batches;
use crate::SimRng;

/// The log is copied into the database after so many pages, so that cuts hit both.
const LOG_PAGES: u32 = 40;
/// Batches in one database.
const BATCHES: u64 = 50;
/// Cuts while one batch is written.
const CUTS_A_BATCH: u64 = 4;
/// What a disk writes at once, in bytes. Of one of these, a part may be written.
const SECTOR: usize = 512;

/// The bytes of the head of a log.
const LOG_HEAD: usize = 32;

/// What power cuts did to a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PowerCuts {
    /// How often the power was cut.
    pub cuts: u64,
    /// How often the batch that was being written was lost, as it may be.
    pub lost: u64,
    /// How often the log was being copied into the database.
    pub while_copying: u64,
}

/// Cuts the power while batches are written, and compares what is left with what was acknowledged: each batch before is
/// there, and the one that was being written is there or not, as a whole.
///
/// The model: what was written before the last sync is on the disk. Of what was written since then, each sector of 512 bytes
/// is, or is not, or is cut, but for the head of a log, which SQLite syncs by itself; a longer file has its new length or not, and zeros where nothing was written. SQLite syncs the log
/// before it copies it into the database, and the database before it uses the log again, so only one of the two files is
/// torn at a time.
///
/// # Errors
/// What is missing, or the error of the system.
pub fn power_cuts(seed: u64, cuts: u64) -> Result<PowerCuts, Box<dyn Error>> {
    let dir = std::env::temp_dir().join(format!("vipnode-power-cuts-{}-{seed}", std::process::id()));
    let mut rng = SimRng::new(seed);
    let mut done = PowerCuts::default();
    let mut database = 0;
    while done.cuts < cuts {
        database += 1;
        let written = write_one(&dir.join(database.to_string()), &mut rng, (cuts, &mut done));
        let removed = fs::remove_dir_all(&dir);
        written.map_err(|what| format!("seed {seed}, cut {}: {what}", done.cuts))?;
        removed?;
    }
    Ok(done)
}

/// The files of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Disk {
    database: Vec<u8>,
    log: Vec<u8>,
    acknowledged: Vec<u8>,
}

impl Disk {
    fn read(dir: &Path) -> io::Result<Self> {
        let read = |name| fs::read(dir.join(name));
        Ok(Self { database: read("pool.db")?, log: read("pool.db-wal")?, acknowledged: read("acknowledged")? })
    }

    fn write(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        fs::write(dir.join("pool.db"), &self.database)?;
        fs::write(dir.join("pool.db-wal"), &self.log)?;
        fs::write(dir.join("acknowledged"), &self.acknowledged)
    }
}

fn write_one(dir: &Path, rng: &mut SimRng, (cuts, done): (u64, &mut PowerCuts)) -> Result<(), Box<dyn Error>> {
    let mut store = SqliteStore::open_with_log(dir, LOG_PAGES)?;
    let mut batches = Batches::new(rng.apart());
    let mut memory = MemoryStore::new();
    store.apply(&[Row::NextLease(1)])?;
    memory.apply(&[Row::NextLease(1)])?;
    for _ in 0..BATCHES {
        let batch = batches.next_batch();
        let (disk, before) = (Disk::read(dir)?, content(&mut memory)?);
        store.apply(&batch)?;
        store.tidy();
        memory.apply(&batch)?;
        let (newer, after) = (Disk::read(dir)?, content(&mut memory)?);
        for _ in 0..CUTS_A_BATCH {
            if done.cuts >= cuts {
                return Ok(());
            }
            done.cuts += 1;
            let copying = newer.database != disk.database && rng.chance(500);
            let cut = if copying {
                done.while_copying += 1;
                Disk { database: torn(&disk.database, &newer.database, rng), log: newer.log.clone(), ..disk.clone() }
            } else {
                Disk { log: torn_log(&disk.log, &newer.log, rng), ..disk.clone() }
            };
            let left = left(&cut, &dir.with_extension("cut"))?;
            // The log was durable before it was copied.
            if left == before && before != after && !copying {
                done.lost += 1;
            } else if left != after {
                return Err(format!("what is left is neither with nor without the batch {batch:?}").into());
            }
        }
    }
    Ok(())
}

/// A log of which a part was written. SQLite syncs the head of a log that it uses again before it writes anything else to it.
fn torn_log(old: &[u8], new: &[u8], rng: &mut SimRng) -> Vec<u8> {
    let mut headed = old.to_vec();
    let (Some(head), Some(newer)) = (headed.get_mut(..LOG_HEAD), new.get(..LOG_HEAD)) else {
        return torn(old, new, rng);
    };
    if head != newer && rng.chance(200) {
        let count = rng.index(LOG_HEAD + 1);
        head[..count].copy_from_slice(&newer[..count]);
        return headed;
    }
    head.copy_from_slice(newer);
    torn(&headed, new, rng)
}

/// A file of which a part was written.
fn torn(old: &[u8], new: &[u8], rng: &mut SimRng) -> Vec<u8> {
    let written = rng.range(0, 1_000);
    let len = if rng.chance(800) { new.len() } else { old.len() };
    let mut left: Vec<u8> = old.iter().copied().chain(std::iter::repeat(0)).take(len).collect();
    for (left, new) in left.chunks_mut(SECTOR).zip(new.chunks(SECTOR)) {
        let whole = left.len().min(new.len());
        let count = if rng.chance(written) {
            whole
        } else if rng.chance(20) {
            rng.index(whole.max(1))
        } else {
            0
        };
        left[..count].copy_from_slice(&new[..count]);
    }
    left
}

type Content = (Vec<Row>, Vec<MeteredPeriod>);

fn left(cut: &Disk, dir: &Path) -> Result<Content, Box<dyn Error>> {
    cut.write(dir)?;
    let opened = SqliteStore::open_with_log(dir, LOG_PAGES);
    let left = opened.and_then(|mut store| content(&mut store));
    fs::remove_dir_all(dir)?;
    left.map_err(|error| format!("it cannot be read: {error}").into())
}

/// All rows, the nodes by ascending id.
fn content(store: &mut impl Store) -> Result<Content, StoreError> {
    let (mut rows, mut journal) = (Vec::new(), Vec::new());
    store.load(&mut |row| rows.push(row))?;
    rows.sort_by_key(|row| if let Row::Node(node) = row { Some(node.id) } else { None });
    store.metered(0, usize::MAX, &mut |_, period| journal.push(period))?;
    Ok((rows, journal))
}
