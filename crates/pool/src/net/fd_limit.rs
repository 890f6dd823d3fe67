//! The limit of open files of this process: each connection needs one open file.

use std::io;

/// Open files other than connections: the store, logs, the runtime, port tests.
const OTHERS: u64 = 256;

/// Raises the limit of open files for `connections`, and grows the system's table of them now: the system copies the table
/// each time it grows, which stops all threads of the process for about 15 ms during a storm of connects.
///
/// Returns the number of connections that the system allows if that is lower.
///
/// # Errors
/// An error of the system.
#[cfg(unix)]
pub(crate) fn make_room(any: &impl std::os::fd::AsFd, connections: usize) -> io::Result<Option<u64>> {
    use rustix::{
        io::fcntl_dupfd_cloexec,
        process::{Resource, Rlimit, getrlimit, setrlimit},
    };

    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let mut current = limit.current.unwrap_or(u64::MAX);
    if current < wanted {
        current = wanted.min(most);
        setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum })?;
    }
    let room = wanted.min(current);
    let last = i32::try_from(room.saturating_sub(1)).unwrap_or(i32::MAX);
    drop(fcntl_dupfd_cloexec(any, last)?);
    Ok((room < wanted).then(|| room.saturating_sub(OTHERS)))
}

/// Does nothing: on other systems, the tables need no preparation.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub(crate) fn make_room<T>(_any: &T, _connections: usize) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_table_grows_before_the_connections_come() {
        let file = std::fs::File::open("/proc/self/status").unwrap();
        assert_eq!(make_room(&file, 900).unwrap(), None);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("FDSize:")).unwrap();
        let size: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(size >= 900, "{size}");
    }

    #[test]
    fn fewer_connections_than_wanted_are_reported() {
        let file = std::fs::File::open("/proc/self/status").unwrap();
        // Even without a limit of the system, there is a largest file number.
        let few = make_room(&file, usize::MAX);
        assert!(few.is_err() || few.unwrap().is_some_and(|few| few > 0));
    }
}
