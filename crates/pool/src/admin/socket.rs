use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use vipnode_files::{Links, read_file};

const SUFFIX: &str = "sock";
/// Sockets that are returned of one directory.
const SOCKETS: usize = 64;
/// The kernel's list of all sockets.
const LIST: &str = "/proc/net/unix";
/// The directory of the caller's own process, which its user owns.
const OWN_PROCESS: &str = "/proc/self/";
/// Bytes of a list that is read.
const LIST_BYTES: u64 = 4 << 20;
/// The flags in the list of a socket that accepts connections.
const ACCEPTS: &str = "00010000";

/// The socket of a pool with this data directory.
#[must_use]
pub fn admin_socket(datadir: &Path) -> PathBuf {
    datadir.join("admin").join("pool").with_extension(SUFFIX)
}

/// The socket of a pool with this data directory, if one listens there.
#[must_use]
pub fn running_socket(datadir: &Path) -> Option<PathBuf> {
    Some(admin_socket(datadir)).filter(|socket| listens(socket))
}

/// The data directories of the pools that run on this machine, also those of other users. Empty on systems that do not list
/// their sockets. Connects to none of them: one of a stranger could make the caller wait.
#[must_use]
pub fn running_data_dirs() -> Vec<PathBuf> {
    let listed = read_file(Path::new(LIST), Links::Follow, LIST_BYTES).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let mut dirs: Vec<PathBuf> = listed.lines().filter_map(listed_data_dir).collect();
    dirs.sort();
    dirs.dedup();
    dirs.truncate(SOCKETS);
    dirs
}

/// The data directories of the pools that this user runs on this machine, of those that [`running_data_dirs`] returns.
#[must_use]
pub fn own_data_dirs() -> Vec<PathBuf> {
    // Only on systems that list their sockets, which have this directory too.
    let Some(user) = owner(Path::new(OWN_PROCESS)) else { return Vec::new() };
    let mut dirs = running_data_dirs();
    dirs.retain(|dir| owner(&admin_socket(dir)) == Some(user));
    dirs
}

/// The user who owns a file. A link is not followed: a stranger could make one to a file of this user.
fn owner(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    return std::fs::symlink_metadata(path).ok().map(|file| std::os::unix::fs::MetadataExt::uid(&file));
    #[cfg(not(unix))]
    path.exists().then_some(0)
}

/// The data directory of a pool that listens on the socket in a line of the kernel's list. The path is its last column.
fn listed_data_dir(line: &str) -> Option<PathBuf> {
    let (columns, path) = line.split_once(" /")?;
    let [_, _, _, ACCEPTS, _, _, _] = columns.split_whitespace().collect::<Vec<_>>()[..] else { return None };
    let path = PathBuf::from(format!("/{path}"));
    let datadir = path.ancestors().nth(2)?;
    (admin_socket(datadir) == path).then(|| datadir.to_owned())
}

/// The socket, below a user's state directory, of a pool without a data directory that listens on this address.
pub(crate) fn socket_of(state: &Path, bound: SocketAddr) -> PathBuf {
    let name = bound.to_string().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    folder(state).join(format!("{name}.{SUFFIX}"))
}

/// Whether a pool listens there. That of a pool that crashed stays until another pool takes its address.
fn listens(socket: &Path) -> bool {
    #[cfg(unix)]
    return !matches!(
        std::os::unix::net::UnixStream::connect(socket),
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
    );
    #[cfg(not(unix))]
    socket.exists()
}

/// The sockets of running pools without a data directory, below a user's state directory.
///
/// # Errors
/// The directory cannot be read. That it does not exist is not an error: no pool ever ran.
pub fn admin_sockets(state: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder(state)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let sockets = paths.filter(|path| path.extension().is_some_and(|extension| extension == SUFFIX));
    let mut sockets: Vec<PathBuf> = sockets.filter(|path| listens(path)).take(SOCKETS).collect();
    sockets.sort();
    Ok(sockets)
}

fn folder(state: &Path) -> PathBuf {
    state.join("pools")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_crashed_pool_hides_no_running_one() {
        let state = tempfile::tempdir().unwrap();
        assert!(admin_sockets(state.path()).unwrap().is_empty());
        std::fs::create_dir(folder(state.path())).unwrap();
        let socket = |port: u16| socket_of(state.path(), ([127, 0, 0, 1], port).into());
        for port in 1..=70 {
            drop(UnixListener::bind(socket(port)).unwrap());
        }
        let _running = UnixListener::bind(socket(8_080)).unwrap();
        assert_eq!(admin_sockets(state.path()).unwrap(), [socket(8_080)]);
    }

    #[test]
    fn the_kernel_lists_the_sockets_of_pools() {
        let dir = |rest: &str| listed_data_dir(&format!("0000000000000000: 00000002 00000000 {rest}"));
        assert_eq!(dir("00010000 0001 01   981 /srv/my pool/admin/pool.sock"), Some("/srv/my pool".into()));
        assert_eq!(dir("00000000 0001 03   981 /srv/my pool/admin/pool.sock"), None, "a connection to it");
        for other in [
            "",
            " @/srv/pool",
            " @x /srv/admin/pool.sock",
            " /run/docker.sock",
            " /admin.sock",
            " pool/admin/pool.sock",
            " /srv/admin/pool.sock2",
        ] {
            assert_eq!(dir(&format!("00010000 0001 01   981{other}")), None, "{other}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_pools_that_run_are_named() {
        let datadir = tempfile::tempdir().unwrap();
        let socket = admin_socket(datadir.path());
        std::fs::create_dir(socket.parent().unwrap()).unwrap();
        let running = UnixListener::bind(&socket).unwrap();
        for listed in [running_data_dirs, own_data_dirs] {
            assert!(listed().contains(&datadir.path().to_owned()));
        }
        drop(running);
        for listed in [running_data_dirs, own_data_dirs] {
            assert!(!listed().contains(&datadir.path().to_owned()));
        }
    }
}
