//! The limit of open files of this process: each connection needs one.

use std::io;

/// Open files beyond the connections: the store, logs, the runtime, probes of ports.
const OTHERS: u64 = 256;

/// Lets this process have so many connections, and makes the system's table for them now: it is copied each time it
/// grows, and all threads of a process stand still for some 15 ms then, which is a storm of connects away.
///
/// Returns how many connections the system lets it have where those are fewer.
///
/// # Errors
/// The system's.
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

/// The system's tables are as large as they need to be.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub(crate) fn make_room<T>(_any: &T, _connections: usize) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_there_before_the_connections() {
        let file = std::fs::File::open("/proc/self/status").unwrap();
        assert_eq!(make_room(&file, 900).unwrap(), None);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("FDSize:")).unwrap();
        let size: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(size >= 900, "{size}");
    }

    #[test]
    fn fewer_than_wanted_are_told() {
        let file = std::fs::File::open("/proc/self/status").unwrap();
        // Where the system has no upper limit there is a largest number of a file all the same.
        let few = make_room(&file, usize::MAX);
        assert!(few.is_err() || few.unwrap().is_some_and(|few| few > 0));
    }
}
