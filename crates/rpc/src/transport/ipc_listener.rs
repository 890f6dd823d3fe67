use std::{
    io,
    path::{Path, PathBuf},
};

use interprocess::local_socket::{
    ListenerOptions,
    tokio::{Listener, prelude::*},
};

use super::{ipc::drive_ipc, ipc_path::IpcPath, ipc_peer::IpcPeer};
use crate::{JsonSplitter, OpenSession, RpcLimits};

/// A local socket that only its owner reaches.
///
/// On Windows, where the path has to be that of a named pipe, the system's own rule holds: others cannot write to
/// it.
#[derive(Debug)]
pub struct IpcListener {
    listener: Listener,
    path: PathBuf,
    /// The name goes through it.
    _place: IpcPath,
}

impl IpcListener {
    /// Listens at a path. A socket that is there already is replaced: the caller knows that nobody else may have
    /// it. Its folder has to be its owner's alone, since the file is so only a moment after it is there.
    ///
    /// # Errors
    /// The system's error, also if the path is something other than a socket.
    pub fn bind(path: &Path) -> io::Result<Self> {
        remove_socket(path)?;
        let place = IpcPath::of(path)?;
        let listener = ListenerOptions::new().name(place.name()?).reclaim_name(false).create_tokio()?;
        let listener = Self { listener, path: path.to_owned(), _place: place };
        #[cfg(unix)]
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(listener)
    }

    /// The next connection, and who opened it.
    ///
    /// # Errors
    /// The system's error, mostly too many open files.
    pub async fn accept(&self, limits: &RpcLimits) -> io::Result<(OpenSession, IpcPeer)> {
        let stream = self.listener.accept().await?;
        let peer = IpcPeer::of(&stream);
        Ok((drive_ipc(stream, JsonSplitter::skipping(limits.frame_bytes), limits), peer))
    }
}

impl Drop for IpcListener {
    fn drop(&mut self) {
        if let Err(error) = remove_socket(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "a socket's file could not be removed");
        }
    }
}

fn remove_socket(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match std::fs::symlink_metadata(path) {
        Ok(there) if std::os::unix::fs::FileTypeExt::is_socket(&there.file_type()) => std::fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else than a socket is there")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    #[cfg(not(unix))]
    let _a_pipe_goes_with_its_listener = path;
    Ok(())
}
