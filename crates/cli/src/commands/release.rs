use vipnode_agent::{release, state::StateDir};

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
    let undone = release(&root, &*node).await?;
    for grant in &undone {
        let text = format!("Undid {:?} for {} (lease {})", grant.kind, grant.peer.id.short(), grant.lease);
        screen.say(&Line::new("undone", Tone::Good, text).with("peer", grant.peer.id.to_string()));
    }
    let text = match undone.len() {
        0 => "Nothing to undo on the node".to_owned(),
        count => format!(
            "Undid {}; no changes by vipnode remain on the node",
            counted(u64::try_from(count).unwrap_or(u64::MAX), "change")
        ),
    };
    screen.say(&Line::new("released", Tone::Good, text).with("leases", undone.len()));
    Ok(())
}
