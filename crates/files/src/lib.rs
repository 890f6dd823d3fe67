//! Files of this program and of its users, for every role.
//!
//! - [`read_file`] reads a regular file up to a limit. It never waits: a named pipe in place of a file would make a start
//!   hang until somebody writes to it.
//! - [`replace_file`] writes a file whole, durable, and for its owner only. A crash leaves the old file or the new one.
//! - [`OpenDir`] is a directory in which no other user can replace files, whatever happens to its path; [`make_own_dir`] makes
//!   one that is its owner's alone.
//!
//! What the files contain never enters. The crate does not use tokio: a file of this program is small.

mod open_dir;
mod regular_file;
mod replace_file;
mod safe_dir;

pub use open_dir::OpenDir;
pub use regular_file::{Links, open_regular_file, read_file, read_text, without_bom};
pub use replace_file::replace_file;
pub use safe_dir::{make_dir, make_own_dir};
