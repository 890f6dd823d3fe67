use std::path::Path;

use vipnode_types::{AgentKey, Delegation, Ms, NodeId, NodeKey};
use zeroize::Zeroizing;

use super::{
    AgentIdentity, files,
    identity::{AGENT_KEY, DELEGATION},
};
use crate::{AgentError, limits::CHECK_MS, random};

/// What an agent would find in its state directory, looked at without making, locking or changing anything: its key and
/// the delegation of `node` that holds at `now`, if there is one.
///
/// # Errors
/// [`AgentError::File`], [`AgentError::DamagedKey`].
pub fn kept_identity(root: &Path, node: NodeId, now: Ms) -> Result<Option<AgentIdentity>, AgentError> {
    let Some(dir) = files::open_existing(root, node)? else { return Ok(None) };
    let Some(bytes) = files::read(&dir, AGENT_KEY)?.map(Zeroizing::new) else { return Ok(None) };
    let key = AgentKey::read(&bytes).map_err(|why| AgentError::DamagedKey { path: dir.file(AGENT_KEY), why })?;
    let bytes = files::read(&dir, DELEGATION)?;
    let kept: Option<Delegation> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let holds = |kept: &Delegation| kept.node == node && kept.agent == key.public() && kept.verify(now).is_ok();
    Ok(kept.filter(holds).map(|delegation| AgentIdentity { key, delegation }))
}

/// Has the node's key sign a delegation that ends after [`CHECK_MS`], to a key that is forgotten with the returned value.
///
/// # Errors
/// [`AgentError::Random`].
pub fn check_identity(node_key: &NodeKey, now: Ms) -> Result<AgentIdentity, AgentError> {
    loop {
        // All but one of 2^128 values are keys.
        if let Ok(key) = AgentKey::from_random(*random::bytes()?) {
            let delegation = Delegation::sign(node_key, key.public(), now, now.plus(CHECK_MS));
            return Ok(AgentIdentity { key, delegation });
        }
    }
}
