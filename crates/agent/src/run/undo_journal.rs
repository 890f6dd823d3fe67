use std::path::Path;

use vipnode_agent_core::{JournalEntry, NodeChange};
use vipnode_node::{Node, NodeError};

use crate::{
    AgentError,
    state::{Journal, StateDir},
};

/// Undoes all that agents did on `node` and did not undo, by the journal in the state directory below `root`,
/// without a pool. Returns what was undone.
///
/// What the journal does not name is not touched.
///
/// # Errors
/// [`AgentError::Locked`] while an agent runs for the node, [`AgentError::NotReleased`] where the node did not
/// do all of it, and the errors of the state directory.
pub async fn release(root: &Path, node: &dyn Node) -> Result<Vec<NodeChange>, AgentError> {
    let facts = node.facts().await?;
    let state = StateDir::open(root, &facts.id)?;
    let mut journal = state.journal()?;
    undo_all(&mut journal, node, |_| true).await
}

/// Undoes the changes of a journal that `goes` selects, and continues after a failure.
pub(crate) async fn undo_all(
    journal: &mut Journal,
    node: &dyn Node,
    goes: impl Fn(&NodeChange) -> bool,
) -> Result<Vec<NodeChange>, AgentError> {
    let grants: Vec<NodeChange> = journal.alive().filter(|grant| goes(grant)).cloned().collect();
    let all = grants.len();
    let mut undone = Vec::new();
    let mut failed: Option<NodeError> = None;
    for (grant, command) in vipnode_agent_core::release(grants) {
        match node.call(command).await {
            Ok(()) => {
                journal.append(&JournalEntry::Undone { lease: grant.lease, kind: grant.kind })?;
                undone.push(grant);
            }
            // An offline node does not get the remaining calls.
            Err(error) if error.is_offline() => {
                return Err(AgentError::NotReleased { left: all - undone.len(), all, why: error });
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    node.settle().await;
    match failed {
        None => Ok(undone),
        Some(why) => Err(AgentError::NotReleased { left: all - undone.len(), all, why }),
    }
}
