use std::{
    collections::BTreeSet,
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vipnode_files::OpenDir;
use vipnode_types::{UtcDay, keccak256, wire::SignedDailyStatement};

use super::{StateDir, files};
use crate::{
    AgentError,
    limits::{LOCAL_AGENTS, STATEMENT_FILE_BYTES, STATEMENT_FILES},
};

/// The directory of the daily statements of a node.
const STATEMENTS: &str = "statements";
/// What the host metered itself, next to them: not a day.
const METER: &str = "meter";

/// The daily statements that pools signed to a host, one file for each day and pool. A further one beyond the limit removes that
/// of the earliest day: a pool can sign only one a day, so it cannot push out an earlier one.
#[derive(Debug)]
pub(crate) struct KeptStatements {
    dir: OpenDir,
    /// The pool of this run.
    url: String,
    /// How many are kept, of all pools.
    most: usize,
}

/// The statement of a day, as a host keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStatement {
    /// The URL of the pool.
    pub url: String,
    /// Its pages, the first one first. The last ones are missing if the statement was too large.
    pub pages: Vec<SignedDailyStatement>,
}

/// A file with a [`KeptStatement`].
#[derive(Debug, Clone)]
pub struct StatementFile {
    dir: OpenDir,
    name: String,
    day: UtcDay,
    node: String,
}

impl StateDir {
    /// The statements that are kept, for a run with the pool at `url`; at most `most`.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub(crate) fn kept_statements(&self, url: &str, most: usize) -> Result<KeptStatements, AgentError> {
        let unusable = files::unsafe_dir(&self.dir.file(STATEMENTS));
        let dir = self.dir.create_own_dir(STATEMENTS).map_err(unusable)?;
        Ok(KeptStatements { dir, url: url.to_owned(), most })
    }
}

impl KeptStatements {
    /// The days of which there is a statement of this pool.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub(crate) fn days(&self) -> Result<BTreeSet<UtcDay>, AgentError> {
        let files = list(&self.dir)?.into_iter();
        Ok(files.filter(|(day, name)| *name == self.name(day)).map(|(day, _)| day).collect())
    }

    /// Keeps the statement of a day. Durable when this returns.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub(crate) fn keep(&self, day: UtcDay, pages: Vec<SignedDailyStatement>) -> Result<(), AgentError> {
        let kept = KeptStatement { url: self.url.clone(), pages };
        let json = serde_json::to_vec(&kept).map_err(AgentError::internal)?;
        files::write(&self.dir, &self.name(day), &json)?;
        let kept = list(&self.dir)?;
        for (_, name) in kept.iter().take(kept.len().saturating_sub(self.most)) {
            let path = self.dir.file(name);
            fs::remove_file(&path).map_err(files::fault("removing", &path))?;
        }
        Ok(())
    }

    /// Reads what the host metered itself at this pool, as [`Self::keep_meter`] wrote it; `None` if there is nothing.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub(crate) fn meter<T: DeserializeOwned>(&self) -> Result<Option<T>, AgentError> {
        let name = self.name(METER);
        let damaged = |why: String| AgentError::Damaged { path: self.dir.file(&name), why };
        match self.dir.read_file(&name, STATEMENT_FILE_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(damaged(error.to_string())),
            Err(error) => Err(files::fault("reading", &self.dir.file(&name))(error)),
        }
    }

    /// Keeps what the host metered itself. Durable when this returns.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub(crate) fn keep_meter(&self, meter: &impl Serialize) -> Result<(), AgentError> {
        let json = serde_json::to_vec(meter).map_err(AgentError::internal)?;
        files::write(&self.dir, &self.name(METER), &json)
    }

    /// The name of the file of a day, or of the meter. A URL has characters that a name of a file cannot have.
    fn name(&self, what: impl Display) -> String {
        let hash = keccak256(&self.url).to_string();
        format!("{what}-{}.json", hash.get(2..10).unwrap_or_default())
    }
}

impl StatementFile {
    /// All files below `root`, by node and day. Nothing is locked or changed.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub fn all(root: &Path) -> Result<Vec<Self>, AgentError> {
        let entries = match fs::read_dir(root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(files::fault("reading", root)(error)),
        };
        let opened = OpenDir::open(root).map_err(files::unsafe_dir(root))?;
        let names = entries.take(LOCAL_AGENTS).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut nodes: Vec<String> = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_hexdigit())).collect();
        nodes.sort();
        let mut files = Vec::new();
        for node in nodes {
            let path = root.join(&node).join(STATEMENTS);
            let dir = match opened.open_dir(&node).and_then(|dir| dir.open_dir(STATEMENTS)) {
                Ok(dir) => dir,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(files::unsafe_dir(&path)(error)),
            };
            for (day, name) in list(&dir)? {
                files.push(Self { dir: dir.clone(), name, day, node: node.clone() });
            }
        }
        Ok(files)
    }

    /// The day in its name.
    #[must_use]
    pub const fn day(&self) -> UtcDay {
        self.day
    }

    /// The beginning of the ID of the node whose state directory it is in.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.file(&self.name)
    }

    /// Reads it. No signature is checked.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub fn read(&self) -> Result<KeptStatement, AgentError> {
        let damaged = |why: String| AgentError::Damaged { path: self.path(), why };
        match self.dir.read_file(&self.name, STATEMENT_FILE_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(damaged(error.to_string())),
            Err(error) => Err(files::fault("reading", &self.path())(error)),
        }
    }
}

/// The files with statements in a directory, by day.
fn list(dir: &OpenDir) -> Result<Vec<(UtcDay, String)>, AgentError> {
    let entries = fs::read_dir(dir.path()).map_err(files::fault("reading", dir.path()))?;
    let names = entries.take(STATEMENT_FILES).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut files: Vec<_> = names.filter_map(|name| Some((day_of(&name)?, name))).collect();
    files.sort();
    Ok(files)
}

/// The day of a file such as `2026-11-30-0a1b2c3d.json`.
fn day_of(name: &str) -> Option<UtcDay> {
    let (rest, pool) = name.strip_suffix(".json")?.rsplit_once('-')?;
    (pool.len() == 8).then(|| rest.parse().ok())?
}

#[cfg(test)]
mod tests {
    use vipnode_types::{
        Asset, NodeKey, PoolKey,
        wire::{CollectedSums, DailyStatement, DailySums},
    };

    use super::*;

    fn signed(day: UtcDay) -> SignedDailyStatement {
        let (key, node) = (PoolKey::from_random([1; 32]).unwrap(), NodeKey::read(&[1; 32]).unwrap());
        let (lines, day_sums) = (Vec::new(), DailySums::default());
        let (pool, host) = (key.id(), node.id());
        let asset = Asset::ETHER;
        let (day_collected, collected) = (CollectedSums::default(), Vec::new());
        let (incarnation, page, pages) = (0, 1, 1);
        DailyStatement { pool, incarnation, host, day, asset, page, pages, day_sums, day_collected, lines, collected }
            .sign(&key)
    }

    #[test]
    fn beyond_the_limit_the_earliest_day_is_removed_and_each_pool_has_its_own() {
        let root = tempfile::tempdir().unwrap();
        let id = NodeKey::read(&[1; 32]).unwrap().id();
        assert!(StatementFile::all(&root.path().join("none")).unwrap().is_empty());
        let state = StateDir::open(root.path(), &id).unwrap();
        let day = |text: &str| text.parse::<UtcDay>().unwrap();
        let [first, second, third] = ["2026-11-28", "2026-11-29", "2026-11-30"].map(day);
        let (one, other) =
            (state.kept_statements("wss://a/", 3).unwrap(), state.kept_statements("wss://b/", 3).unwrap());
        for day in [second, first] {
            one.keep(day, vec![signed(day)]).unwrap();
        }
        other.keep(second, vec![signed(second)]).unwrap();
        assert_eq!(one.days().unwrap(), BTreeSet::from([first, second]));
        assert_eq!(other.days().unwrap(), BTreeSet::from([second]));
        one.keep(third, vec![signed(third)]).unwrap();
        assert_eq!(one.days().unwrap(), BTreeSet::from([second, third]), "three are kept");

        // What else is there is not a statement.
        let dir = root.path().join(id.short()).join(STATEMENTS);
        for name in ["2026-11-28-0a1b2c3d.json.part", "2026-11-31-0a1b2c3d.json", "notes.txt", "2026-11-28-x.json"] {
            fs::write(dir.join(name), "{}").unwrap();
        }
        let files = StatementFile::all(root.path()).unwrap();
        let shown: Vec<_> = files.iter().map(|file| (file.day(), file.read().unwrap().url)).collect();
        let urls: BTreeSet<_> = shown.iter().map(|(day, url)| (*day, &**url)).collect();
        assert_eq!(shown.iter().map(|(day, _)| *day).collect::<Vec<_>>(), [second, second, third]);
        assert_eq!(urls, BTreeSet::from([(second, "wss://a/"), (second, "wss://b/"), (third, "wss://a/")]));
        assert!(files.iter().all(|file| file.node() == id.short()));
        assert_eq!(files[2].read().unwrap().pages, [signed(third)]);
        fs::write(files[0].path(), "{").unwrap();
        assert!(matches!(files[0].read(), Err(AgentError::Damaged { .. })));
    }
}
