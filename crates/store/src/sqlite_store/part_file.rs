use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// A new file that is not complete. Half a file looks like a whole one, so it has another name, of this process alone:
/// `NAME.PID.part`. Unless it is finished, it is deleted when this is dropped.
#[derive(Debug)]
pub(super) struct PartFile {
    path: PathBuf,
    to: PathBuf,
    file: File,
}

impl PartFile {
    /// Creates the part of the file `to`, and removes those that killed processes left.
    pub(super) fn create(to: &Path) -> io::Result<Self> {
        // They are in the way only of a process with the same number, and that fails below.
        let _left = Self::remove_abandoned(to);
        let path = with_suffix(to, &format!(".{}.part", std::process::id()));
        let mut new = OpenOptions::new();
        new.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
        let file = new.open(&path)?;
        Ok(Self { path, to: to.to_owned(), file })
    }

    /// Removes the parts of the file `to` whose processes do not live.
    pub(super) fn remove_abandoned(to: &Path) -> io::Result<()> {
        let Some(name) = to.file_name() else { return Ok(()) };
        for entry in fs::read_dir(dir_of(to))? {
            let entry = entry?;
            if entry.file_type()?.is_file() && process_of(&entry.file_name(), name).is_some_and(has_ended) {
                let part = entry.path();
                // The part is the last, because its journal is found by it.
                let _none = fs::remove_file(with_suffix(&part, "-journal"));
                fs::remove_file(&part)?;
            }
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file durable under its own name.
    pub(super) fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        if !self.is_there()? {
            return Err(io::ErrorKind::NotFound.into());
        }
        fs::rename(&self.path, &self.to)?;
        File::open(dir_of(&self.to))?.sync_all()
    }

    /// Whether the file has its name. A process with the same number, in another container, may have replaced it.
    #[cfg(unix)]
    fn is_there(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;

        let (own, there) = (self.file.metadata()?, fs::symlink_metadata(&self.path)?);
        Ok((own.dev(), own.ino()) == (there.dev(), there.ino()))
    }

    /// A file that is open is not replaced there.
    #[cfg(not(unix))]
    fn is_there(&self) -> io::Result<bool> {
        self.path.try_exists()
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // It does not exist under this name once it is finished.
        if self.is_there().unwrap_or_default() {
            let _left = fs::remove_file(&self.path);
        }
    }
}

/// The number of the process that wrote `part`, if that is the name of a part of the file `name`.
fn process_of(part: &OsStr, name: &OsStr) -> Option<u32> {
    let number = part.to_str()?.strip_prefix(name.to_str()?)?.strip_prefix('.')?.strip_suffix(".part")?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()
}

/// Whether no other process has a number. A part of this number was left by an earlier process.
#[cfg(target_os = "linux")]
fn has_ended(process: u32) -> bool {
    let proc = Path::new("/proc");
    process == std::process::id() || (proc.join("self").exists() && !proc.join(process.to_string()).exists())
}

/// Nothing is known of other processes there.
#[cfg(not(target_os = "linux"))]
fn has_ended(process: u32) -> bool {
    process == std::process::id()
}

fn dir_of(file: &Path) -> &Path {
    file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.to_owned().into_os_string();
    path.push(suffix);
    path.into()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// More than the kernel gives.
    const ENDED: u32 = u32::MAX;

    #[test]
    fn parts_of_ended_processes_are_removed_and_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("b.db");
        let write = |name: &str| fs::write(dir.path().join(name), "half").unwrap();
        // In a container, each process may have the same number.
        write(&format!("b.db.{}.part", std::process::id()));
        write(&format!("b.db.{ENDED}.part"));
        write(&format!("b.db.{ENDED}.part-journal"));
        let others = ["b.db..part", "b.db.1", "b.db.1.part", "b.db.x.part"];
        for name in others {
            write(name);
        }
        write(&format!("c.db.{ENDED}.part"));

        let names = || {
            let entries = fs::read_dir(dir.path()).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        drop(PartFile::create(&to).unwrap());
        assert_eq!(names().len(), others.len() + 1, "{:?}", names());
        assert_eq!(names()[..others.len()], others, "process 1 lives");
        PartFile::create(&to).unwrap().finish().unwrap();
        assert_eq!(names()[0], "b.db");
        assert_eq!(names().len(), others.len() + 2);
    }

    #[test]
    fn a_part_that_was_replaced_does_not_become_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("b.db");
        let replaced = PartFile::create(&to).unwrap();
        let other = PartFile::create(&to).unwrap();
        assert_eq!(replaced.finish().unwrap_err().kind(), io::ErrorKind::NotFound);
        other.finish().unwrap();
        assert!(to.exists());
    }
}
