use std::path::Path;

use vipnode_types::{AgentKey, Delegation, Ms, NodeId, NodeKeyError};
use zeroize::Zeroizing;

use super::{
    files,
    identity::{AGENT_KEY, DELEGATION},
};
use crate::AgentError;

/// What an agent would find in its state directory, looked at without making, locking or changing anything:
/// the end of the delegation of `node` that holds at `now`, if there is one.
///
/// # Errors
/// [`AgentError::File`], [`AgentError::Damaged`].
pub fn delegated_until(root: &Path, node: NodeId, now: Ms) -> Result<Option<Ms>, AgentError> {
    let Some(dir) = files::open_existing(root, node)? else { return Ok(None) };
    let Some(bytes) = files::read(&dir, AGENT_KEY)?.map(Zeroizing::new) else { return Ok(None) };
    let damaged = |why: NodeKeyError| AgentError::Damaged { path: dir.file(AGENT_KEY), why: why.to_string() };
    let key = AgentKey::read(&bytes).map_err(damaged)?;
    let bytes = files::read(&dir, DELEGATION)?;
    let kept: Option<Delegation> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let holds = |kept: &Delegation| kept.node == node && kept.agent == key.public() && kept.verify(now).is_ok();
    Ok(kept.filter(holds).map(|kept| kept.expires_ms))
}
