use std::{path::Path, process::ExitCode};

use vipnode_agent::{
    AgentError, Released, planned_release, release,
    state::{StateDir, UnreleasedNode},
};
use vipnode_agent_core::NodeChange;
use vipnode_node::{PlannedCall, limits::NodeLimits};
use vipnode_types::{NodeId, PeerCommand, TypedError as _};

use crate::{
    args::ReleaseArgs,
    discover::{RetryPolicy, find_node},
    error::{CliError, CommandError},
    output::{
        Line, Screen, Tone,
        format::{counted, quoted},
    },
};

/// Undoes what agents left on the node.
///
/// The exit code is 1 if changes remain on another node, and 2 if the journal is damaged, since it may have had more of them.
///
/// # Errors
/// The node does not answer, or its changes cannot be undone.
pub(crate) async fn run(args: &ReleaseArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let node = find_node(&args.node, None, NodeLimits::default(), RetryPolicy::None, screen).await?.node;
    let root = StateDir::root(args.node.state_dir.as_deref())?;
    let id = node.facts().await?.id;
    if args.dry_run {
        let changes = planned_release(&root, &id).map_err(running)?;
        let plan = |(change, command): &(NodeChange, PeerCommand)| (change.clone(), node.plan(command));
        let planned: Vec<_> = changes.iter().map(plan).collect();
        planned_lines(&id, &planned).iter().for_each(|line| screen.say(line));
        return Ok(ExitCode::SUCCESS);
    }
    let released = release(&root, &*node).await.map_err(running)?;
    let left = StateDir::unreleased(&root, &id);
    let lines = [released_lines(&id, &released), unreleased_lines(args.node.state_dir.as_deref(), &left)];
    lines.iter().flatten().for_each(|line| screen.say(line));
    let code = if released.damaged.is_some() { 2 } else { u8::from(!left.is_empty()) };
    Ok(ExitCode::from(code))
}

/// The flags of the error for an agent do not help here.
fn running(error: AgentError) -> CliError {
    match error {
        AgentError::Locked { path } => CommandError::AgentRuns { path }.into(),
        error => error.into(),
    }
}

/// What would be undone on a node, and by which calls.
fn planned_lines(node: &NodeId, planned: &[(NodeChange, Vec<PlannedCall>)]) -> Vec<Line> {
    let calls = planned.iter().flat_map(|(change, calls)| {
        let (peer, lease) = (change.peer.id.short(), change.lease);
        calls.iter().map(move |call| {
            let text = format!("Would undo the change for peer {peer} (lease {lease}): {call}");
            Line::new("would_call", Tone::Plain, text)
        })
    });
    let changes = counted(count(planned.len()), "change");
    let text = match planned.len() {
        0 => format!("Nothing to undo on node {}", node.short()),
        _ => format!("Dry run: {changes} would be undone on node {}; it was not changed", node.short()),
    };
    let done = Line::new("dry_run_done", Tone::Good, text).with("leases", planned.len());
    calls.chain(std::iter::once(done)).collect()
}

/// What was undone on a node.
fn released_lines(node: &NodeId, Released { undone, damaged }: &Released) -> Vec<Line> {
    let mut lines: Vec<Line> = undone
        .iter()
        .map(|change| {
            let text = format!("Undid the change for peer {} (lease {})", change.peer.id.short(), change.lease);
            Line::new("undone", Tone::Good, text).with("peer", change.peer.id.to_string())
        })
        .collect();
    let changes = counted(count(undone.len()), "change");
    let last = match damaged {
        Some(damaged) => {
            let text = format!("{damaged}. Undid {changes} from its readable lines");
            Line::new("journal_damaged", Tone::Bad, text).hint(&damaged.hint().unwrap_or_default())
        }
        None => {
            let text = match undone.len() {
                0 => format!("Nothing to undo on node {}", node.short()),
                _ => format!("Undid {changes}; no changes by vipnode remain on node {}", node.short()),
            };
            Line::new("released", Tone::Good, text).with("leases", undone.len())
        }
    };
    lines.push(last);
    lines
}

/// Names the other nodes of this state directory on which a killed agent left changes.
fn unreleased_lines(state_dir: Option<&Path>, left: &[UnreleasedNode]) -> Vec<Line> {
    let dir = state_dir.map(|dir| format!(" --state-dir {}", quoted(&dir.display().to_string()))).unwrap_or_default();
    let line = |UnreleasedNode { node, changes }: &UnreleasedNode| {
        let changes_there = counted(count(*changes), "change");
        let text = format!("Node {node} still has {changes_there} by an agent that is no longer running");
        let hint = format!("Pass the RPC address of that node: `vipnode release{dir} --rpc ADDRESS`.");
        let line = Line::new("unreleased", Tone::Warning, text).with("node", node.as_str()).with("leases", *changes);
        line.hint(&hint)
    };
    left.iter().map(line).collect()
}

fn count(changes: usize) -> u64 {
    u64::try_from(changes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use vipnode_agent_core::ChangeKind;
    use vipnode_types::{Enode, LeaseId};

    use super::*;

    #[test]
    fn snapshot_of_a_release() {
        let change = |byte| NodeChange {
            lease: LeaseId::new(7),
            peer: Enode::id_only(NodeId::new([byte; 64])),
            kind: ChangeKind::Admitted,
        };
        let path = "/home/ana/.local/state/vipnode/070707070707/journal".into();
        let damaged = AgentError::Damaged { path, why: "line 3 is not a valid journal entry".to_owned() };
        let left = [UnreleasedNode { node: "0b0b0b0b0b0b".to_owned(), changes: 1 }];
        let node = NodeId::new([7; 64]);
        let call = PlannedCall { method: "admin_removeTrustedPeer", peer: Enode::id_only(NodeId::new([0xab; 64])) };
        let said = [
            released_lines(&node, &Released { undone: Vec::new(), damaged: None }),
            released_lines(&node, &Released { undone: vec![change(0xab), change(0xcd)], damaged: None }),
            released_lines(&node, &Released { undone: vec![change(0xab)], damaged: Some(damaged) }),
            planned_lines(&node, &[]),
            planned_lines(&node, &[(change(0xab), vec![call])]),
            unreleased_lines(None, &left),
            unreleased_lines(Some(Path::new("/srv/vipnode")), &left),
        ];
        insta::assert_snapshot!("release", crate::tests::at_each_width(&crate::tests::text_of(&said.concat())));
    }
}
