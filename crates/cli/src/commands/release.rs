use std::{path::Path, process::ExitCode};

use vipnode_agent::{
    Released, release,
    state::{StateDir, UnreleasedNode},
};
use vipnode_types::{NodeId, TypedError as _};

use crate::{
    args::ReleaseArgs,
    discover::{RetryPolicy, find_node},
    error::CliError,
    output::{Line, Screen, Tone, format::counted},
};

/// Undoes what agents left on the node.
///
/// The exit code is 1 if changes remain on another node, and 2 if the journal is damaged, since it may have had more of them.
///
/// # Errors
/// The node does not answer, or its changes cannot be undone.
pub(crate) async fn run(args: &ReleaseArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let node = find_node(&args.node, None, RetryPolicy::None, screen).await?.node;
    let root = StateDir::root(args.node.state_dir.as_deref())?;
    let id = node.facts().await?.id;
    let Released { undone, damaged } = release(&root, &*node).await?;
    for grant in &undone {
        let text = format!("Undid the change for peer {} (lease {})", grant.peer.id.short(), grant.lease);
        screen.say(&Line::new("undone", Tone::Good, text).with("peer", grant.peer.id.to_string()));
    }
    if let Some(damaged) = damaged {
        let text = format!("{damaged}. Undid {} from its readable lines", counted(count(undone.len()), "change"));
        screen.say(&Line::new("journal_damaged", Tone::Bad, text).hint(&damaged.hint().unwrap_or_default()));
        others(args, &root, &id, screen);
        return Ok(ExitCode::from(2));
    }
    let text = match undone.len() {
        0 => format!("Nothing to undo on node {}", id.short()),
        changes => {
            format!("Undid {}; no changes by vipnode remain on node {}", counted(count(changes), "change"), id.short())
        }
    };
    screen.say(&Line::new("released", Tone::Good, text).with("leases", undone.len()));
    Ok(others(args, &root, &id, screen))
}

/// Names the other nodes of this state directory on which a killed agent left changes.
fn others(args: &ReleaseArgs, root: &Path, released: &NodeId, screen: Screen) -> ExitCode {
    let left = StateDir::unreleased(root, released);
    let dir = args.node.state_dir.as_ref().map(|dir| format!(" --state-dir {}", dir.display())).unwrap_or_default();
    for UnreleasedNode { node, changes } in &left {
        let text =
            format!("{} by an agent that no longer runs remain on node {node}", counted(count(*changes), "change"));
        let hint = format!("Pass the RPC address of that node: vipnode release{dir} --rpc ADDRESS.");
        let line = Line::new("unreleased", Tone::Warning, text).with("node", node.as_str()).with("leases", *changes);
        screen.say(&line.hint(&hint));
    }
    ExitCode::from(u8::from(!left.is_empty()))
}

fn count(changes: usize) -> u64 {
    u64::try_from(changes).unwrap_or(u64::MAX)
}
