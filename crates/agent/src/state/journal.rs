use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
};

use vipnode_agent_core::{JournalEntry, NodeChange, OpenChanges};
use vipnode_files::OpenDir;

use super::files::fault;
use crate::{
    AgentError,
    limits::{JOURNAL_BYTES, JOURNAL_SPARE_LINES},
};

pub(super) const JOURNAL: &str = "journal";

/// What the node was made to do and not yet undone, as JSON lines that only grow.
///
/// An entry is durable when [`Journal::append`] returns. A last line torn by a crash is forgotten: it was
/// not durable, so the node was not called. At the start, and when undone entries pile up, the file is
/// rewritten with the live changes.
#[derive(Debug)]
pub struct Journal {
    dir: OpenDir,
    file: File,
    lines: usize,
    /// The last line may be half a line: a write failed, as on a full disk.
    torn: bool,
    alive: OpenChanges,
}

impl Journal {
    /// Reads the journal and rewrites it.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`] where a line other than the last is not an entry.
    pub(super) fn open(dir: OpenDir) -> Result<Self, AgentError> {
        let alive = replay(&dir)?;
        let file = rewrite(&dir, alive.iter()).map_err(fault("writing", &dir.file(JOURNAL)))?;
        let lines = alive.iter().len();
        Ok(Self { dir, file, lines, torn: false, alive })
    }

    /// What has to be undone when the lease ends.
    pub fn alive(&self) -> impl ExactSizeIterator<Item = &NodeChange> {
        self.alive.iter()
    }

    /// Writes an entry; durable when this returns.
    ///
    /// # Errors
    /// [`AgentError::File`]; the node must not be called then.
    pub fn append(&mut self, entry: &JournalEntry) -> Result<(), AgentError> {
        if self.torn {
            self.rewrite_file()?;
        }
        let appended = append(&mut self.file, entry);
        self.torn = appended.is_err();
        appended.map_err(fault("writing", &self.dir.file(JOURNAL)))?;
        self.lines += 1;
        self.alive.apply(entry.clone());
        if self.lines > self.alive.iter().len().saturating_mul(4).saturating_add(JOURNAL_SPARE_LINES) {
            self.rewrite_file()?;
        }
        Ok(())
    }

    fn rewrite_file(&mut self) -> Result<(), AgentError> {
        let rewritten = rewrite(&self.dir, self.alive.iter());
        self.file = rewritten.map_err(fault("writing", &self.dir.file(JOURNAL)))?;
        self.lines = self.alive.iter().len();
        self.torn = false;
        Ok(())
    }
}

#[cfg(test)]
impl Journal {
    /// Has it write to another file; returns the one before.
    pub(super) fn on(&mut self, file: File) -> File {
        std::mem::replace(&mut self.file, file)
    }
}

/// A journal in which some lines are not entries: what its other lines show.
///
/// A line that is lost may have undone a change that then is undone again, which a node accepts. A change whose line is lost
/// stays on the node until it restarts.
#[derive(Debug)]
pub(crate) struct DamagedJournal {
    alive: OpenChanges,
}

impl DamagedJournal {
    pub(super) fn read(dir: &OpenDir) -> Result<Self, AgentError> {
        let mut alive = OpenChanges::default();
        let file = dir.open_file(JOURNAL).map_err(fault("reading", &dir.file(JOURNAL)))?;
        for line in BufReader::new(file.take(JOURNAL_BYTES)).split(b'\n') {
            let line = line.map_err(fault("reading", &dir.file(JOURNAL)))?;
            if let Ok(entry) = serde_json::from_slice(&line) {
                alive.apply(entry);
            }
        }
        Ok(Self { alive })
    }

    /// What has to be undone.
    pub(crate) fn alive(&self) -> impl ExactSizeIterator<Item = &NodeChange> {
        self.alive.iter()
    }
}

fn append(file: &mut File, entry: &JournalEntry) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

fn replay(dir: &OpenDir) -> Result<OpenChanges, AgentError> {
    let mut alive = OpenChanges::default();
    let path = &dir.file(JOURNAL);
    let file = match dir.open_file(JOURNAL) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(alive),
        Err(error) => return Err(fault("reading", path)(error)),
    };
    let damaged = |why: String| AgentError::Damaged { path: path.to_owned(), why };
    let bytes = file.metadata().map_err(fault("reading", path))?.len();
    if bytes > JOURNAL_BYTES {
        return Err(damaged(format!("it has more than {JOURNAL_BYTES} bytes")));
    }
    let mut reader = BufReader::new(file.take(JOURNAL_BYTES));
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(fault("reading", path))? == 0 {
            break;
        }
        if line.last() != Some(&b'\n') {
            tracing::info!(path = %path.display(), "ignored the last line of the journal, which was truncated by a \
                                                    crash");
            break;
        }
        match serde_json::from_slice(&line) {
            Ok(entry) => alive.apply(entry),
            Err(error) => return Err(damaged(format!("line {number} is not a valid journal entry: {error}"))),
        }
    }
    Ok(alive)
}

/// Writes a journal with these changes next to the old one and replaces that.
fn rewrite<'a>(dir: &OpenDir, alive: impl Iterator<Item = &'a NodeChange>) -> io::Result<File> {
    let mut text = Vec::new();
    for change in alive {
        serde_json::to_writer(&mut text, &JournalEntry::Done(change.clone()))?;
        text.push(b'\n');
    }
    dir.replace_file(JOURNAL, &text)
}
