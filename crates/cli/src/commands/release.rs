use vipnode_agent::{Released, release, state::StateDir};
use vipnode_types::TypedError as _;

use crate::{
    args::ReleaseArgs,
    discover::{RetryPolicy, find_node},
    error::CliError,
    output::{Line, Screen, Tone, format::counted},
};

/// Undoes what agents left on the node.
pub(crate) async fn run(args: &ReleaseArgs, screen: Screen) -> Result<(), CliError> {
    let node = find_node(&args.node, RetryPolicy::None, screen).await?.node;
    let root = StateDir::root(args.node.state_dir.as_deref())?;
    let Released { undone, damaged } = release(&root, &*node).await?;
    for grant in &undone {
        let text = format!("Undid the change for peer {} (lease {})", grant.peer.id.short(), grant.lease);
        screen.say(&Line::new("undone", Tone::Good, text).with("peer", grant.peer.id.to_string()));
    }
    if let Some(damaged) = damaged {
        let text = format!("{damaged}. Undid {} from its readable lines", counted(count(undone.len()), "change"));
        screen.say(&Line::new("journal_damaged", Tone::Warning, text).hint(&damaged.hint().unwrap_or_default()));
        return Ok(());
    }
    let text = match undone.len() {
        0 => "Nothing to undo on the node".to_owned(),
        changes => format!("Undid {}; no changes by vipnode remain on the node", counted(count(changes), "change")),
    };
    screen.say(&Line::new("released", Tone::Good, text).with("leases", undone.len()));
    Ok(())
}

fn count(changes: usize) -> u64 {
    u64::try_from(changes).unwrap_or(u64::MAX)
}
