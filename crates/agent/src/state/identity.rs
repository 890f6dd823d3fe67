use std::{io::Read, path::Path};

use vipnode_files::{Links, open_regular_file};
use vipnode_types::{AgentKey, Delegation, Ms, NodeId, NodeKey};
use zeroize::Zeroizing;

use super::{StateDir, files};
use crate::{
    AgentError,
    limits::{DELEGATION_MS, FILE_BYTES},
    random,
};

pub(super) const AGENT_KEY: &str = "agent.key";
pub(super) const DELEGATION: &str = "delegation.json";

/// Who the agent is, and its node's word that it may speak for it.
#[derive(Debug)]
pub struct AgentIdentity {
    /// The agent's own key.
    pub key: AgentKey,
    /// The node's word.
    pub delegation: Delegation,
}

impl StateDir {
    /// The agent's own key, made at the first start.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::DamagedKey`], [`AgentError::Random`].
    pub fn agent_key(&self) -> Result<AgentKey, AgentError> {
        if let Some(bytes) = files::read(&self.dir, AGENT_KEY)?.map(Zeroizing::new) {
            return AgentKey::read(&bytes)
                .map_err(|why| AgentError::DamagedKey { path: self.dir.file(AGENT_KEY), why });
        }
        loop {
            // All but one of 2^128 values are keys.
            if let Ok(key) = AgentKey::from_random(*random::bytes()?) {
                files::write(&self.dir, AGENT_KEY, key.to_hex().as_bytes())?;
                return Ok(key);
            }
        }
    }

    /// The delegation of `node` to `key` that an earlier start left, if it holds at `now`.
    ///
    /// # Errors
    /// [`AgentError::File`]. A delegation that cannot be read is as good as none.
    pub fn delegation(&self, node: NodeId, key: &AgentKey, now: Ms) -> Result<Option<Delegation>, AgentError> {
        let bytes = files::read(&self.dir, DELEGATION)?;
        let kept: Option<Delegation> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(kept.filter(|kept| kept.node == node && kept.agent == key.public() && kept.verify(now).is_ok()))
    }

    /// Has the node's key sign a delegation for a year and keeps that. The key itself is not kept.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub fn delegate(&self, node_key: &NodeKey, key: &AgentKey, now: Ms) -> Result<Delegation, AgentError> {
        let delegation = Delegation::sign(node_key, key.public(), now, now.plus(DELEGATION_MS));
        self.keep_delegation(&delegation)?;
        Ok(delegation)
    }

    /// Keeps a delegation for the next start.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub fn keep_delegation(&self, delegation: &Delegation) -> Result<(), AgentError> {
        let json = serde_json::to_vec_pretty(delegation).map_err(AgentError::internal)?;
        files::write(&self.dir, DELEGATION, &json)
    }
}

/// Reads a node's key from the file that the user named.
///
/// # Errors
/// [`AgentError::NodeKeyMissing`], [`AgentError::NodeKeyFile`], [`AgentError::NodeKey`].
pub fn load_node_key(path: &Path) -> Result<NodeKey, AgentError> {
    let fault = |why: std::io::Error| match why.kind() {
        std::io::ErrorKind::NotFound => AgentError::NodeKeyMissing { path: path.to_owned() },
        _ => AgentError::NodeKeyFile { path: path.to_owned(), why },
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(128));
    let file = open_regular_file(path, Links::Follow).map_err(fault)?;
    file.take(FILE_BYTES).read_to_end(&mut bytes).map_err(fault)?;
    NodeKey::read(&bytes).map_err(|why| AgentError::NodeKey { path: path.to_owned(), why })
}

/// Reads a node's key from the file that the user named and checks that it is this node's.
///
/// # Errors
/// [`AgentError::NodeKeyMissing`], [`AgentError::NodeKeyFile`], [`AgentError::NodeKey`], [`AgentError::OtherKey`].
pub fn read_node_key(path: &Path, node: NodeId, at: &str) -> Result<NodeKey, AgentError> {
    let key = load_node_key(path)?;
    if key.id() != node {
        return Err(AgentError::OtherKey {
            path: path.to_owned(),
            key: key.id().short(),
            node: node.short(),
            at: at.to_owned(),
        });
    }
    Ok(key)
}
