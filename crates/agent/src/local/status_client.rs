use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::de::DeserializeOwned;
use vipnode_rpc::{CallError, IpcListener, OpenError, RpcLimits, open_ipc};
use vipnode_types::{
    NodeId,
    wire::{ExplainReply, NodeFunds, PoolStatus},
};

use super::{AgentStatus, LocalError, method};
use crate::{
    AgentError,
    limits::{LOCAL_AGENTS, LOCAL_READ, LOCAL_READ_THROUGH},
    state::StateDir,
};

const SUFFIX: &str = "sock";

/// The sockets of the agents that keep their state below `root`, in order of their names. Beyond
/// [`crate::limits::LOCAL_AGENTS`] they are not shown.
///
/// # Errors
/// [`AgentError::File`] where the folder may not be read. A missing folder is not an error: no agent ever ran.
pub fn agents(root: &Path) -> Result<Vec<PathBuf>, AgentError> {
    let folder = StateDir::agents_of(root);
    let fault = |why| AgentError::File { doing: "looking for agents in", path: folder.clone(), why };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let sockets = paths.filter(|path| path.extension().is_some_and(|extension| extension == SUFFIX));
    let mut sockets: Vec<PathBuf> = sockets.take(LOCAL_AGENTS).collect();
    sockets.sort();
    Ok(sockets)
}

/// The socket of the agent of `node` that keeps its state below `root`; nothing may be there.
#[must_use]
pub fn socket(root: &Path, node: &NodeId) -> PathBuf {
    StateDir::agents_of(root).join(socket_of(node))
}

/// Removes the socket of an agent that was killed. The caller holds the node's state directory, so no agent runs for it.
pub(crate) async fn remove_stale(root: &Path, node: &NodeId) {
    let path = socket(root, node);
    let stale = path.exists() && matches!(status(&path).await, Err(LocalError::Gone { .. }));
    if stale && let Err(error) = std::fs::remove_file(&path) {
        tracing::info!(path = %path.display(), %error, "cannot remove the socket of a killed agent");
    }
}

/// The status of the agent at a socket.
///
/// # Errors
/// See [`LocalError`].
pub async fn status(socket: &Path) -> Result<AgentStatus, LocalError> {
    ask(socket, method::STATUS, LOCAL_READ).await
}

/// Why the node of the agent at a socket has its hosts; the agent asks its pool.
///
/// # Errors
/// See [`LocalError`].
pub async fn explain(socket: &Path) -> Result<ExplainReply, LocalError> {
    ask(socket, method::EXPLAIN, LOCAL_READ_THROUGH).await
}

/// The status of the pool of the agent at a socket; the agent asks it, as a member.
///
/// # Errors
/// See [`LocalError`].
pub async fn pool_status(socket: &Path) -> Result<PoolStatus, LocalError> {
    ask(socket, method::POOL, LOCAL_READ_THROUGH).await
}

/// What the node of the agent at a socket may spend at its pool, and what it earned; the agent asks the pool.
///
/// # Errors
/// See [`LocalError`].
pub async fn funds(socket: &Path) -> Result<NodeFunds, LocalError> {
    ask(socket, method::FUNDS, LOCAL_READ_THROUGH).await
}

async fn ask<T: DeserializeOwned>(socket: &Path, method: &str, deadline: Duration) -> Result<T, LocalError> {
    let path = socket.to_owned();
    let limits = RpcLimits { open: LOCAL_READ, ..RpcLimits::default() };
    let opened = match open_ipc(&address(socket), &limits).await {
        Ok(opened) => opened,
        Err(OpenError::Unreachable { why, .. }) => return Err(LocalError::Gone { path, why }),
        Err(error) => return Err(LocalError::Gone { path, why: error.to_string() }),
    };
    match opened.peer.call(method, &[(); 0], deadline).await {
        Ok(answer) => {
            serde_json::from_str(answer.get()).map_err(|error| LocalError::Unreadable { path, why: error.to_string() })
        }
        Err(CallError::Remote(error)) => Err(LocalError::Refused(error)),
        Err(error) => Err(LocalError::Silent { path, why: error.to_string() }),
    }
}

/// The socket file of the agent of `node`.
pub(super) fn socket_of(node: &NodeId) -> String {
    format!("{}.{SUFFIX}", node.short())
}

/// Listens where [`agents`] finds it.
pub(super) fn listen(path: &Path) -> io::Result<IpcListener> {
    // A named pipe is in no folder, so a file stands for it.
    #[cfg(windows)]
    std::fs::write(path, [])?;
    IpcListener::bind(&address(path))
}

/// Where the socket of this file is.
#[cfg(not(windows))]
fn address(path: &Path) -> PathBuf {
    path.to_owned()
}

/// Where the named pipe of this file is.
#[cfg(windows)]
fn address(path: &Path) -> PathBuf {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    PathBuf::from(format!(r"\\.\pipe\vipnode-agent-{name}"))
}
