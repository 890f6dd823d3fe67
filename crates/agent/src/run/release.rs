use std::path::Path;

use vipnode_agent_core::{JournalEntry, NodeChange};
use vipnode_node::{Node, NodeError};
use vipnode_types::{NodeId, PeerCommand};

use crate::{
    AgentError, local,
    state::{Journal, StateDir},
};

/// The result of [`release`].
#[derive(Debug)]
pub struct Released {
    /// The changes that the node no longer has.
    pub undone: Vec<NodeChange>,
    /// Set if the journal is damaged: only what its readable lines show was undone, and the file is kept.
    pub damaged: Option<AgentError>,
}

/// Returns the changes that [`release`] would undo on a node, in its order, with the command for each. Changes nothing.
///
/// # Errors
/// [`AgentError::Locked`] while an agent runs for the node, and the errors of the state directory.
pub fn planned_release(root: &Path, node: &NodeId) -> Result<Vec<(NodeChange, PeerCommand)>, AgentError> {
    if !StateDir::has_journal(root, node) {
        return Ok(Vec::new());
    }
    let changes: Vec<NodeChange> = StateDir::open(root, node)?.damaged_journal()?.alive().cloned().collect();
    Ok(vipnode_agent_core::release(changes))
}

/// Undoes all that agents did on `node` and did not undo, by the journal in the state directory below `root`,
/// without a pool. Also removes the socket that a killed agent of the node left.
///
/// What the journal does not name is not touched.
///
/// # Errors
/// [`AgentError::Locked`] while an agent runs for the node, [`AgentError::NotReleased`] where the node did not
/// do all of it, and the errors of the state directory.
pub async fn release(root: &Path, node: &dyn Node) -> Result<Released, AgentError> {
    let facts = node.facts().await?;
    let state = StateDir::open(root, &facts.id)?;
    local::remove_stale(root, &facts.id).await;
    match state.journal() {
        Ok(mut journal) => {
            let undone = undo_all(&mut journal, node, |_| true).await?;
            Ok(Released { undone, damaged: None })
        }
        Err(damaged @ AgentError::Damaged { .. }) => {
            let changes = state.damaged_journal()?.alive().cloned().collect();
            let undone = undo(changes, node, |_| Ok(())).await?;
            Ok(Released { undone, damaged: Some(damaged) })
        }
        Err(error) => Err(error),
    }
}

/// Undoes the changes in a journal for which `goes` returns true, and continues after a failure.
pub(crate) async fn undo_all(
    journal: &mut Journal,
    node: &dyn Node,
    goes: impl Fn(&NodeChange) -> bool,
) -> Result<Vec<NodeChange>, AgentError> {
    let changes: Vec<NodeChange> = journal.alive().filter(|change| goes(change)).cloned().collect();
    let record = |change: &NodeChange| journal.append(&JournalEntry::Undone { lease: change.lease, kind: change.kind });
    undo(changes, node, record).await
}

/// Undoes changes, and continues after a failure. `record` records each that is undone.
async fn undo(
    changes: Vec<NodeChange>,
    node: &dyn Node,
    mut record: impl FnMut(&NodeChange) -> Result<(), AgentError>,
) -> Result<Vec<NodeChange>, AgentError> {
    let all = changes.len();
    let mut undone = Vec::new();
    let mut failed: Option<NodeError> = None;
    for (change, command) in vipnode_agent_core::release(changes) {
        match node.call(command).await {
            Ok(()) => {
                record(&change)?;
                undone.push(change);
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
