use std::path::Path;

use vipnode_types::{AgentPublic, Delegation, NodeId, NodeKey};

use crate::{AgentError, clock, limits::DELEGATION_MS, state::StateDir};

/// Has the node's key sign a delegation to the agent of this machine, and keeps the delegation for the agent's next
/// starts. The key itself is not kept.
///
/// # Errors
/// [`AgentError::Locked`] while the agent runs, and the errors of the state directory.
pub fn link(root: &Path, node_key: &NodeKey) -> Result<Delegation, AgentError> {
    let state = StateDir::open(root, &node_key.id())?;
    let key = state.agent_key()?;
    state.delegate(node_key, &key, clock::wall())
}

/// The key of this machine's agent for `node`, made if there is none yet.
///
/// # Errors
/// [`AgentError::Locked`] while the agent runs, and the errors of the state directory.
pub fn agent_public(root: &Path, node: &NodeId) -> Result<AgentPublic, AgentError> {
    Ok(StateDir::open(root, node)?.agent_key()?.public())
}

/// Has the node's key sign a delegation to an agent of another machine, for a year. Nothing is kept here.
#[must_use]
pub fn link_other(node_key: &NodeKey, agent: AgentPublic) -> Delegation {
    let now = clock::wall();
    Delegation::sign(node_key, agent, now, now.plus(DELEGATION_MS))
}

/// Takes a delegation that was signed on another machine for the agent of this one.
///
/// # Errors
/// [`AgentError::DelegationInvalid`], [`AgentError::DelegationOfOther`], [`AgentError::Locked`] while the agent runs, and the
/// errors of the state directory.
pub fn take_link(root: &Path, delegation: &Delegation) -> Result<(), AgentError> {
    delegation.verify(clock::wall()).map_err(|why| AgentError::DelegationInvalid { why })?;
    let state = StateDir::open(root, &delegation.node)?;
    if state.agent_key()?.public() != delegation.agent {
        return Err(AgentError::DelegationOfOther);
    }
    state.keep_delegation(delegation)
}
