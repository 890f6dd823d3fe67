use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    sync::{Mutex, PoisonError},
};

use serde_json::json;
use vipnode_files::OpenDir;
use vipnode_pool_core::AcceptedClock;

use super::{AdminAudit, AuditRecord, AuditRequest};

/// The admin commands of the operator, with user and time, one per line in a file that only grows. Without a data
/// directory, nothing is recorded.
#[derive(Debug)]
pub(crate) struct AuditLog {
    dir: Option<OpenDir>,
    /// Held while a record is written, so that none is torn.
    writing: Mutex<()>,
}

/// The file in the data directory.
const FILE: &str = "audit.log";
/// The command that is a flag of the pool.
const ACCEPT_CLOCK: &str = "--accept-clock";
/// Bytes that are read for one page.
const PAGE_BYTES: u64 = 1 << 20;
/// Records on one page, at most.
const MOST: u32 = 1_000;

impl AuditLog {
    pub(crate) const fn new(dir: Option<OpenDir>) -> Self {
        Self { dir, writing: Mutex::new(()) }
    }

    /// Appends a record, durable when this returns.
    pub(super) fn append(&self, record: &AuditRecord) -> io::Result<()> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut file = dir.open_lock(FILE)?;
        let end = file.seek(SeekFrom::End(0))?;
        if end > 0 && last_byte(dir.open_file(FILE)?, end)? != b'\n' {
            // A record that a crash cut short stays as it is, on a line of its own.
            line.insert(0, b'\n');
        }
        file.write_all(&line)?;
        file.sync_all()
    }

    /// Records that the operator accepted a clock far from the stored time, while so many leases run.
    pub(crate) fn record_clock(&self, accepted: &AcceptedClock, running_leases: u64) -> io::Result<()> {
        let AcceptedClock { stored, clock, by } = *accepted;
        let params = json!([{
            "clock": clock.rfc3339_seconds(), "stored": stored.rfc3339_seconds(), "running_leases": running_leases,
        }]);
        let (process, method) = (Some(std::process::id()), ACCEPT_CLOCK.to_owned());
        self.append(&AuditRecord { at_ms: clock, user: by, process, method, params, refused: None })
    }

    /// The newest records before a position, the oldest first; `None` without a data directory.
    pub(super) fn page(&self, request: &AuditRequest) -> io::Result<Option<AdminAudit>> {
        let Some(dir) = &self.dir else { return Ok(None) };
        let mut file = match dir.open_file(FILE) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(AdminAudit::default())),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let end = request.before.unwrap_or(length).min(length);
        let start = end.saturating_sub(PAGE_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(end.saturating_sub(start)).read_to_end(&mut bytes)?;
        let mut position = start;
        let mut lines: Vec<(u64, &[u8])> = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            lines.push((position, line));
            position = position.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        }
        if start > 0 && !lines.is_empty() {
            // It begins before what was read.
            lines.remove(0);
        }
        let most = usize::try_from(request.most.clamp(1, MOST)).unwrap_or(usize::MAX);
        let shown = lines.split_off(lines.len().saturating_sub(most));
        let first = shown.first().map_or(start, |(position, _)| *position);
        // A line that a crash cut short is not a record.
        let records = shown.iter().filter_map(|(_, line)| serde_json::from_slice(line).ok()).collect();
        Ok(Some(AdminAudit { records, earlier: Some(first).filter(|first| *first > 0) }))
    }
}

fn last_byte(mut file: File, end: u64) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(end.saturating_sub(1)))?;
    file.read_exact(&mut byte)?;
    Ok(u8::from_be_bytes(byte))
}

#[cfg(test)]
mod tests {
    use vipnode_types::Ms;

    use super::*;

    fn record(number: u64) -> AuditRecord {
        let (method, params) = ("vipnode_poolBan".to_owned(), json!([{"target": number}]));
        AuditRecord { at_ms: Ms::new(number), user: Some(7), process: Some(9), method, params, refused: None }
    }

    #[test]
    fn the_newest_records_come_first_and_a_torn_one_costs_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::new(Some(OpenDir::open(dir.path()).unwrap()));
        let page = |before, most| log.page(&AuditRequest { before, most }).unwrap().unwrap();
        assert_eq!(page(None, 10), AdminAudit::default());
        (1..=2).for_each(|number| log.append(&record(number)).unwrap());
        let path = dir.path().join(FILE);
        let mut whole = std::fs::read(&path).unwrap();
        whole.extend(b"{\"at_ms\":3,\"us");
        std::fs::write(&path, &whole).unwrap();
        log.append(&record(4)).unwrap();
        assert_eq!(page(None, 10), AdminAudit { records: vec![record(1), record(2), record(4)], earlier: None });
        let newest = page(None, 1);
        assert_eq!(newest.records, [record(4)]);
        let earlier = page(newest.earlier, 2);
        assert_eq!(earlier.records, [record(2)], "and the torn one");
        assert_eq!(page(earlier.earlier, 2), AdminAudit { records: vec![record(1)], earlier: None });
        assert!(std::fs::read(&path).unwrap().starts_with(&whole), "the file only grows");
        assert_eq!(AuditLog::new(None).page(&AuditRequest { before: None, most: 1 }).unwrap(), None);
        assert!(AuditLog::new(None).append(&record(1)).is_ok());
    }
}
