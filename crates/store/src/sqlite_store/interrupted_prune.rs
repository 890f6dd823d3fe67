use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Write},
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use vipnode_files::{Links, OpenDir, open_regular_file};

use super::{
    PruneOrder, PrunePlan,
    part_file::PartFile,
    prune_marker::PruneMarker,
    prune_plan::{unusable_dir, write_rows},
};
use crate::StoreError;

/// What a prune that was killed left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterruptedPrune {
    /// Its file has all that it has not removed yet.
    Unfinished(PrunePlan),
    /// Its file is missing, or lacks something that it has not removed yet. All of that is still in the database.
    FileLost {
        /// Where the file was.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Bytes of a line in the file of a prune, at most. The longest are those of entries into which many were folded.
const LINE_BYTES: u64 = 16 << 20;

impl InterruptedPrune {
    /// Looks for a prune of this database that was killed. One that had nothing left to remove, or that had not written its file,
    /// needs nothing.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Unverified`] if the check of the database finds a problem.
    pub fn find(dir: &Path) -> Result<Option<Self>, StoreError> {
        // What is wrong with a directory is for the prune itself to say.
        let Ok(opened) = OpenDir::open(dir) else { return Ok(None) };
        let Some(marker) = PruneMarker::read(&opened).map_err(unusable_dir(dir))? else { return Ok(None) };
        PrunePlan::check(dir)?.snapshot(0)?.query(|connection| Ok(Self::of(marker, connection, &opened)))?
    }

    fn of(marker: PruneMarker, connection: &Connection, dir: &OpenDir) -> Result<Option<Self>, StoreError> {
        let (order, file) = (marker.order(), marker.file);
        let has_rows = write_rows(connection, order, io::sink());
        let checked = has_rows.and_then(|has_rows| Ok((has_rows, contains_rest(connection, order, &file)?)));
        match checked {
            Ok((true, None)) => Ok(Some(Self::Unfinished(PrunePlan { order, file: Some(file) }))),
            Ok((true, Some(why))) if marker.removes => Ok(Some(Self::FileLost { file, why })),
            Ok((true, Some(_)) | (false, _)) => {
                // Half a file has another name, and is of no use.
                let _left = PartFile::remove_abandoned(&file);
                PruneMarker::remove(dir).map_err(unusable_dir(dir.path()))?;
                Ok(None)
            }
            Err(error) => Err(StoreError::PruneFile { file, why: error.to_string() }),
        }
    }
}

/// Returns what is wrong with a file that does not have all that is left of an order; `None` if it has.
fn contains_rest(connection: &Connection, order: PruneOrder, file: &Path) -> io::Result<Option<String>> {
    let file = match open_regular_file(file, Links::Follow) {
        Ok(file) => file,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let mut lines = LinesIn { file: BufReader::new(file), wanted: Vec::new(), line: Vec::new() };
    match write_rows(connection, order, &mut lines) {
        Ok(_has_rows) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Takes lines, each of which has to be in a file, after the one before.
struct LinesIn {
    file: BufReader<File>,
    /// What was taken of a line that is not whole.
    wanted: Vec<u8>,
    line: Vec<u8>,
}

impl Write for LinesIn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.wanted.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.find_line()?;
                self.wanted.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LinesIn {
    fn find_line(&mut self) -> io::Result<()> {
        loop {
            self.line.clear();
            if (&mut self.file).take(LINE_BYTES).read_until(b'\n', &mut self.line)? == 0 {
                let missing = "it does not have all entries that were not removed yet";
                return Err(io::Error::new(io::ErrorKind::InvalidData, missing));
            }
            if self.line == self.wanted {
                return Ok(());
            }
        }
    }
}
