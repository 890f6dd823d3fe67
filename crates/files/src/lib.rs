//! Reads and writes vipnode's own files and the files that users pass, for every role.
//!
//! - [`read_file`] reads a regular file up to a limit. It never waits: a named pipe in place of a file would make a start
//!   hang until another process writes to it.
//! - [`replace_file`] replaces a file atomically and durably; only the owner can read it. A crash leaves either the old
//!   or the new file.
//! - [`OpenDir`] is a directory in which no other user can replace files, whatever happens to its path;
//!   [`make_own_dir`] creates one that only its owner can access.
//! - [`quoted_path`] returns a path for a command that a person pastes.
//!
//! The crate does not interpret the content of the files. It does not use tokio, because vipnode's files are small.

mod open_dir;
mod quoted_path;
mod regular_file;
mod replace_file;
mod safe_dir;

pub use open_dir::{OpenDir, process_user};
pub use quoted_path::quoted_path;
pub use regular_file::{Links, open_regular_file, read_file, read_text, without_bom};
pub use replace_file::replace_file;
pub use safe_dir::{make_dir, make_own_dir};
