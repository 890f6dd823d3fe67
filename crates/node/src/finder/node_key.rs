use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use vipnode_files::{Links, read_file};
use vipnode_types::{NodeId, NodeKey};

use super::{FinderEnvironment, FinderError, Tried, data_dirs, default_locations::key_paths, running_clients};
use crate::{Endpoint, Node, file_owner::owner_of};

/// A key file that was found.
#[derive(Debug)]
pub struct FoundKey {
    /// The key of the node.
    pub key: NodeKey,
    /// Where it lies.
    pub path: PathBuf,
}

/// A longer file is not a key, in bytes.
const MAX_KEY_FILE: u64 = 256;

/// Looks for the key of `node`, whose id is `id`: in the data directory that the node reports or that its IPC file lies in,
/// then in those of running clients and at the clients' default locations. A key of another node is skipped.
///
/// # Errors
/// With everything that was tried.
pub async fn find_node_key(
    node: &dyn Node,
    endpoint: &Endpoint,
    id: NodeId,
    environment: &FinderEnvironment,
) -> Result<FoundKey, FinderError> {
    let mut dirs: Vec<PathBuf> = node.data_dir().await.into_iter().collect();
    if let Endpoint::Ipc(path) = endpoint {
        dirs.extend(path.parent().map(PathBuf::from));
    }
    if endpoint.is_local() {
        dirs.extend(running_clients::running(environment).into_iter().filter_map(|running| running.data_dir));
        dirs.extend(data_dirs(environment));
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in dirs.iter().flat_map(|dir| key_paths(dir)) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let mut tried = Vec::new();
    for path in paths {
        match read(&path, id) {
            Ok(key) => return Ok(FoundKey { key, path }),
            Err(miss) => tried.push(miss),
        }
    }
    Err(FinderError::NoKey { tried })
}

fn read(path: &Path, id: NodeId) -> Result<NodeKey, Tried> {
    let miss = |why: String| Tried { location: path.display().to_string(), why };
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Tried::missing(path),
        ErrorKind::PermissionDenied => {
            let owner = owner_of(path).map(|owner| format!("; it belongs to {owner}")).unwrap_or_default();
            miss(format!("this user cannot read it{owner}"))
        }
        _ => miss(error.to_string()),
    };
    let bytes = read_file(path, Links::Follow, MAX_KEY_FILE).map_err(failed)?;
    let key = NodeKey::read(&bytes).map_err(|error| miss(error.to_string()))?;
    if key.id() == id {
        Ok(key)
    } else {
        Err(miss(format!("this is the key of another node, {}…", key.id().short())))
    }
}
