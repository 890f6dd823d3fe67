use std::path::Path;

use vipnode_types::{AgentKey, Delegation, Ms, NodeId};
use zeroize::Zeroizing;

use super::files;
use crate::AgentError;

/// What an agent would find in its state directory, looked at without making, locking or changing anything:
/// the end of the delegation of `node` that holds at `now`, if there is one.
///
/// # Errors
/// [`AgentError::File`], [`AgentError::Damaged`].
pub fn delegated_until(root: &Path, node: NodeId, now: Ms) -> Result<Option<Ms>, AgentError> {
    let dir = root.join(node.short());
    let path = dir.join("agent.key");
    let Some(bytes) = files::read(&path)?.map(Zeroizing::new) else { return Ok(None) };
    let key = AgentKey::read(&bytes).map_err(|why| AgentError::Damaged { path, why: why.to_string() })?;
    let bytes = files::read(&dir.join("delegation.json"))?;
    let kept: Option<Delegation> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let holds = |kept: &Delegation| kept.node == node && kept.agent == key.public() && kept.verify(now).is_ok();
    Ok(kept.filter(holds).map(|kept| kept.expires_ms))
}
