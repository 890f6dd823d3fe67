//! Which node or agent of a pool the beginning of an ID means.

use std::collections::BTreeSet;

use vipnode_pool::{
    BanTarget,
    admin::{AdminClient, NodesRequest},
};
use vipnode_types::NodeId;

use crate::{
    args::TypedTarget,
    error::{CliError, CommandError},
};

/// Nodes that are read at once.
const PAGE: u32 = 1_000;
/// IDs that an error names.
const NAMED: usize = 5;

/// Returns the target that is meant, of the nodes and agents that the pool lists.
///
/// # Errors
/// None begins like this, or several do.
pub(super) async fn target(pool: &AdminClient, typed: TypedTarget) -> Result<BanTarget, CliError> {
    match typed {
        TypedTarget::Whole(target) => Ok(target),
        TypedTarget::Begins(text) => only(text, &listed(pool, true).await?),
    }
}

/// As [`target()`], of the nodes alone.
pub(super) async fn node(pool: &AdminClient, typed: TypedTarget) -> Result<NodeId, CliError> {
    let target = match typed {
        TypedTarget::Whole(target) => target,
        TypedTarget::Begins(text) => only(text, &listed(pool, false).await?)?,
    };
    match target {
        BanTarget::Node(node) => Ok(node),
        other => Err(CommandError::NoSuchId { text: other.to_string() }.into()),
    }
}

/// As [`target()`], of the targets that are banned.
pub(super) async fn banned(pool: &AdminClient, typed: TypedTarget) -> Result<BanTarget, CliError> {
    match typed {
        TypedTarget::Whole(target) => Ok(target),
        TypedTarget::Begins(text) => only(text, &pool.bans().await?.bans.into_iter().map(|ban| ban.target).collect()),
    }
}

/// All nodes that are connected or have leases, and their agents.
async fn listed(pool: &AdminClient, agents: bool) -> Result<BTreeSet<BanTarget>, CliError> {
    let (mut all, mut from) = (BTreeSet::new(), None);
    loop {
        let page = pool.nodes(&NodesRequest { from, most: PAGE, ..NodesRequest::default() }).await?;
        for listed in page.nodes {
            all.insert(BanTarget::Node(listed.node));
            all.extend(listed.agent.filter(|_| agents).map(BanTarget::Agent));
        }
        // A page that does not move on would be read for ever.
        from = page.next.filter(|next| from.is_none_or(|from| *next > from));
        if from.is_none() {
            return Ok(all);
        }
    }
}

fn only(text: String, targets: &BTreeSet<BanTarget>) -> Result<BanTarget, CliError> {
    let is_id = |target: &&BanTarget| !matches!(target, BanTarget::Network(_));
    let fits = targets.iter().filter(is_id).filter(|target| target.to_string().starts_with(&text));
    let fits: Vec<&BanTarget> = fits.collect();
    match &fits[..] {
        [] => Err(CommandError::NoSuchId { text }.into()),
        [target] => Ok(**target),
        several => {
            // As many characters as distinguish them.
            let names: Vec<String> = several.iter().take(NAMED).map(ToString::to_string).collect();
            let more = several.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            Err(CommandError::SeveralIds { text, ids: names.join(", ") + &more }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_must_be_of_one_alone() {
        let node = |start: &str| format!("{start:0<128}").parse::<BanTarget>().unwrap();
        let agent: BanTarget = format!("02abcdef{}", "00".repeat(29)).parse().unwrap();
        let targets = BTreeSet::from([node("0a0b0c0d01"), node("0a0b0c0d02"), node("11"), agent]);
        let only = |text: &str| only(text.to_owned(), &targets);
        assert_eq!(only("0a0b0c0d01").unwrap(), node("0a0b0c0d01"));
        assert_eq!(only("02abcdef").unwrap(), agent);
        let several = only("0a0b0c0d").unwrap_err();
        assert!(several.message.contains("0a0b0c0d01") && several.message.contains("0a0b0c0d02"), "{several:?}");
        assert!(only("ffffffff").unwrap_err().hint.contains("whole ID"));
    }
}
