use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

const SUFFIX: &str = "sock";
/// Sockets that are returned of one directory.
const SOCKETS: usize = 64;

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
}
