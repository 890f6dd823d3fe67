use std::io;

use serde::{Serialize, de::DeserializeOwned};

use vipnode_files::OpenDir;

use crate::StoreError;

#[cfg(test)]
mod tests;

/// A file larger than this is refused, in bytes.
const MOST_BYTES: u64 = 256 << 20;
/// The version that this program writes and reads.
const VERSION: u32 = 1;

/// One kind of records in one file, which is written whole or not at all, in a directory whose links are not followed.
///
/// The first line names the kind and the version, each further line is one record as JSON, and the last line has a
/// checksum of all before it, so that a cut or edited file is not taken for a whole one.
#[derive(Debug, Clone, Copy)]
pub struct RecordFile {
    /// The file's name, and the kind of its records.
    pub name: &'static str,
    /// Records that it holds at most; the caller sorts them so that the least important are last.
    pub records: usize,
}

#[derive(Debug, Serialize, serde::Deserialize)]
struct Header {
    vipnode: String,
    version: u32,
}

#[derive(Debug, Serialize, serde::Deserialize)]
struct Footer {
    records: usize,
    sha256: String,
}

impl RecordFile {
    /// Every record; empty if the file does not exist.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unavailable`].
    pub fn read<T: DeserializeOwned>(self, dir: &OpenDir) -> Result<Vec<T>, StoreError> {
        let path = dir.file(self.name);
        let unavailable =
            |error: io::Error| StoreError::Unavailable { why: format!("reading {}: {error}", path.display()) };
        let damaged = |line: usize, what: String| StoreError::Damaged { file: path.clone(), line, what };
        let text = match dir.read_text(self.name, MOST_BYTES) {
            Ok(text) => text,
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::NotFound => Ok(Vec::new()),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::FileTooLarge => {
                        Err(damaged(1, error.to_string()))
                    }
                    _ => Err(unavailable(error)),
                };
            }
        };
        self.parse(&text).map_err(|(line, what)| damaged(line, what))
    }

    /// The records in a text; else the line that is wrong (the first is 1), and how.
    fn parse<T: DeserializeOwned>(self, text: &str) -> Result<Vec<T>, (usize, String)> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let ([first, records @ ..], Some(last)) = (&lines[..], lines.last()) else {
            return Err((1, "it is empty".to_owned()));
        };
        let header: Header = serde_json::from_str(first).map_err(|error| (1, error.to_string()))?;
        if header.vipnode != self.name || header.version != VERSION {
            let Header { vipnode, version } = header;
            let wanted = self.name;
            return Err((1, format!("it holds {vipnode} of version {version}, not {wanted} of version {VERSION}")));
        }
        let at_end = lines.len();
        let cut = |what: &str| (at_end, format!("{what}; the file was cut short or changed"));
        if !last.ends_with('\n') {
            return Err(cut("the last line has no end"));
        }
        let footer: Footer = serde_json::from_str(last).map_err(|_| cut("the last line has no checksum"))?;
        let records = records.split_last().map_or(&[][..], |(_, records)| records);
        let body = text.len().saturating_sub(last.len());
        if footer.records != records.len() || Some(footer.sha256) != text.get(..body).map(checksum) {
            return Err(cut("the checksum does not fit"));
        }
        let parse = |(at, line): (usize, &&str)| {
            serde_json::from_str(line).map_err(|error| (at.saturating_add(2), error.to_string()))
        };
        records.iter().enumerate().map(parse).collect()
    }

    /// The text of a file with these records, as many as it may hold.
    fn text<T: Serialize>(self, records: impl Iterator<Item = T>) -> Result<String, serde_json::Error> {
        let header = Header { vipnode: self.name.to_owned(), version: VERSION };
        let mut text = serde_json::to_string(&header)?;
        text.push('\n');
        let mut count = 0_usize;
        for record in records.take(self.records) {
            text.push_str(&serde_json::to_string(&record)?);
            text.push('\n');
            count = count.saturating_add(1);
        }
        let footer = Footer { records: count, sha256: checksum(&text) };
        text.push_str(&serde_json::to_string(&footer)?);
        text.push('\n');
        Ok(text)
    }

    /// Writes the file whole, durable when this returns: a crash leaves the old one or the new one.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::ReadOnly`], [`StoreError::Unavailable`]; the old file is still there.
    pub fn write<T: Serialize>(self, dir: &OpenDir, records: impl Iterator<Item = T>) -> Result<(), StoreError> {
        let path = dir.file(self.name);
        let text = self.text(records).map_err(io::Error::other);
        text.and_then(|text| dir.replace_file(self.name, text.as_bytes()).map(drop)).map_err(|error| {
            match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { file: path },
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                    StoreError::ReadOnly { file: path }
                }
                _ => StoreError::Unavailable { why: format!("writing {}: {error}", path.display()) },
            }
        })
    }
}

fn checksum(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    const_hex::encode(Sha256::digest(text))
}
