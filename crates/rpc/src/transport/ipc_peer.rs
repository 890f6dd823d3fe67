use interprocess::local_socket::tokio::{Stream, prelude::*};

/// Who opened a connection to a local socket, as the system reports it. Where it does not, the fields are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IpcPeer {
    /// The effective ID of its user.
    pub user: Option<u32>,
    /// The ID of its process, which can have ended since.
    pub process: Option<u32>,
}

impl IpcPeer {
    pub(super) fn of(stream: &Stream) -> Self {
        let Ok(credentials) = stream.peer_creds() else { return Self::default() };
        #[cfg(unix)]
        let user = credentials.euid();
        #[cfg(not(unix))]
        let user = None;
        Self { user, process: credentials.pid().and_then(|process| u32::try_from(process).ok()) }
    }
}
