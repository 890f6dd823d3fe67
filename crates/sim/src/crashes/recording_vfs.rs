#![expect(unsafe_code, reason = "a VFS is called by SQLite through C pointers, and no crate that hides them fits")]

use std::{
    collections::BTreeMap,
    ffi::{CStr, c_char, c_int, c_void},
    io, ptr, slice,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use rusqlite::ffi::{
    SQLITE_ERROR, SQLITE_IOERR, SQLITE_OK, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use super::disk_change::{DiskChange, FileChange};

/// The functions of SQLite's own VFS that [`register`] replaces. The new default VFS calls them, and records what succeeded of the
/// files in the directories that are being recorded: each write, each cut to a length, each deletion, and each sync.
#[derive(Clone, Copy)]
struct RecordingVfs {
    open: unsafe extern "C" fn(*mut sqlite3_vfs, sqlite3_filename, *mut sqlite3_file, c_int, *mut c_int) -> c_int,
    delete: unsafe extern "C" fn(*mut sqlite3_vfs, *const c_char, c_int) -> c_int,
}

static VFS: OnceLock<Option<RecordingVfs>> = OnceLock::new();
static STATE: Mutex<RecordedFiles> =
    Mutex::new(RecordedFiles { recordings: BTreeMap::new(), open: BTreeMap::new(), methods: BTreeMap::new() });

struct RecordedFiles {
    /// What changed in each directory that is being recorded.
    recordings: BTreeMap<String, Vec<FileChange>>,
    /// The files in such directories that are open, by address.
    open: BTreeMap<usize, OpenFile>,
    /// The methods that record, by the address of those that they call. SQLite has a few, which live for ever.
    methods: BTreeMap<usize, &'static sqlite3_io_methods>,
}

#[derive(Clone)]
struct OpenFile {
    path: String,
    /// What the file does without a recording.
    methods: sqlite3_io_methods,
}

/// Begins to record a directory. It is a real path, and no file in it is open.
///
/// # Errors
/// SQLite does not accept the VFS.
pub(super) fn record(dir: &str) -> io::Result<()> {
    if VFS.get_or_init(register).is_none() {
        return Err(io::Error::other("SQLite has no VFS that could be recorded"));
    }
    state().recordings.insert(dir.to_owned(), Vec::new());
    Ok(())
}

/// How much was recorded so far.
pub(super) fn recorded(dir: &str) -> usize {
    state().recordings.get(dir).map_or(0, Vec::len)
}

/// Ends the recording of a directory, and returns what changed in it.
pub(super) fn finish(dir: &str) -> Vec<FileChange> {
    state().recordings.remove(dir).unwrap_or_default()
}

/// Registers a copy of the default VFS as the new one, with two functions replaced.
fn register() -> Option<RecordingVfs> {
    // SAFETY: SQLite returns a VFS that lives for ever, or null.
    let base = *unsafe { sqlite3_vfs_find(ptr::null()).as_ref() }?;
    let functions = RecordingVfs { open: base.xOpen?, delete: base.xDelete? };
    let vfs = sqlite3_vfs {
        zName: c"recording".as_ptr(),
        pNext: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        ..base
    };
    // SAFETY: SQLite keeps the VFS, which is never freed. Its other functions only use what was copied with them.
    let code = unsafe { sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 1) };
    (code == SQLITE_OK).then_some(functions)
}

/// Opens a file, which is one of the base VFS. If its directory is being recorded, its methods are replaced.
unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    opened: *mut c_int,
) -> c_int {
    let Some(Some(base)) = VFS.get() else { return SQLITE_ERROR };
    // SAFETY: the arguments are those of SQLite, for a copy of the VFS whose function this is.
    let code = unsafe { (base.open)(vfs, name, file, flags, opened) };
    // SAFETY: a name that SQLite passed.
    let Some(path) = unsafe { path(name) }.filter(|_| code == SQLITE_OK) else { return code };
    // SAFETY: an open file has methods, until it is closed.
    let Some(methods) = (unsafe { file.as_ref().and_then(|file| file.pMethods.as_ref()) }) else { return code };
    let mut state = state();
    if state.is_recorded(&path) {
        state.open.insert(file.addr(), OpenFile { path, methods: *methods });
        let methods = *state.methods.entry(ptr::from_ref(methods).addr()).or_insert_with(|| {
            let recorded = sqlite3_io_methods {
                xClose: Some(close),
                xWrite: Some(write),
                xTruncate: Some(truncate),
                xSync: Some(sync),
                ..*methods
            };
            Box::leak(Box::new(recorded))
        });
        // SAFETY: SQLite passes a file that nobody else uses yet.
        unsafe { (*file).pMethods = methods };
    }
    code
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, syncs_dir: c_int) -> c_int {
    let Some(Some(base)) = VFS.get() else { return SQLITE_ERROR };
    // SAFETY: as for `open`.
    let code = unsafe { (base.delete)(vfs, name, syncs_dir) };
    // SAFETY: a name that SQLite passed.
    if let Some(path) = unsafe { path(name) }.filter(|_| code == SQLITE_OK) {
        let mut state = state();
        state.add(&path, DiskChange::Delete);
        if syncs_dir != 0 {
            state.add(&path, DiskChange::Sync);
        }
    }
    code
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let Some(open) = state().open.remove(&file.addr()) else { return SQLITE_IOERR };
    // SAFETY: the method of the file, called once.
    open.methods.xClose.map_or(SQLITE_IOERR, |close| unsafe { close(file) })
}

unsafe extern "C" fn write(file: *mut sqlite3_file, data: *const c_void, bytes: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: the method of the file with the arguments of SQLite.
    let written = |methods: &sqlite3_io_methods| methods.xWrite.map(|write| unsafe { write(file, data, bytes, at) });
    changed(file, written, || {
        let bytes = usize::try_from(bytes).unwrap_or(0);
        // SAFETY: SQLite passes that many bytes, and this is still its call.
        let bytes = unsafe { slice::from_raw_parts(data.cast::<u8>(), bytes) }.to_vec();
        DiskChange::Write { at: usize::try_from(at).unwrap_or(0), bytes }
    })
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: the method of the file with the arguments of SQLite.
    let cut = |methods: &sqlite3_io_methods| methods.xTruncate.map(|truncate| unsafe { truncate(file, length) });
    changed(file, cut, || DiskChange::Truncate(usize::try_from(length).unwrap_or(0)))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the method of the file with the arguments of SQLite.
    let synced = |methods: &sqlite3_io_methods| methods.xSync.map(|sync| unsafe { sync(file, flags) });
    changed(file, synced, || DiskChange::Sync)
}

/// Calls a method of a file, and records what it changed if it succeeded.
fn changed(
    file: *mut sqlite3_file,
    call: impl FnOnce(&sqlite3_io_methods) -> Option<c_int>,
    change: impl FnOnce() -> DiskChange,
) -> c_int {
    let Some(OpenFile { path, methods }) = state().open.get(&file.addr()).cloned() else { return SQLITE_IOERR };
    let code = call(&methods).unwrap_or(SQLITE_IOERR);
    if code == SQLITE_OK {
        state().add(&path, change());
    }
    code
}

/// A path that SQLite passed; `None` for a temporary file without a name.
///
/// # Safety
/// It is null, or points to a string.
unsafe fn path(name: *const c_char) -> Option<String> {
    // SAFETY: SQLite passes a string with a zero at its end, or null.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
}

impl RecordedFiles {
    fn is_recorded(&self, path: &str) -> bool {
        path.rsplit_once('/').is_some_and(|(dir, _)| self.recordings.contains_key(dir))
    }

    fn add(&mut self, path: &str, change: DiskChange) {
        let Some((dir, file)) = path.rsplit_once('/') else { return };
        if let Some(changes) = self.recordings.get_mut(dir) {
            changes.push(FileChange { file: file.to_owned(), change });
        }
    }
}

/// No code panics while it holds the lock.
fn state() -> MutexGuard<'static, RecordedFiles> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
