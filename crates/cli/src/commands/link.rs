use std::path::Path;

use vipnode_agent::{
    agent_public, link, link_other,
    state::{StateDir, load_node_key},
    take_link,
};
use vipnode_node::{
    finder::{FinderEnvironment, find_node_key},
    limits::NodeLimits,
};
use vipnode_types::{AgentPublic, Delegation, NodeId, NodeKey};

use crate::{
    args::{LinkArgs, NodeArgs},
    discover::{RetryPolicy, find_node},
    error::{CliError, CommandError},
    output::{Line, Screen, Tone},
};

/// Has the node key sign a delegation to an agent, so that the key file need not stay readable.
pub(crate) async fn run(args: &LinkArgs, screen: Screen) -> Result<(), CliError> {
    let root = StateDir::root(args.node.state_dir.as_deref())?;
    if let Some(delegation) = &args.step.delegation {
        take_link(&root, delegation)?;
        screen.say(&linked_line(delegation));
        return Ok(());
    }
    if args.step.request {
        let found = find_node(&args.node, None, NodeLimits::default(), RetryPolicy::None, screen).await?;
        let node = found.node.facts().await?.id;
        screen.say(&request_line(agent_public(&root, &node)?, &node));
        return Ok(());
    }
    let key = node_key(args.nodekey.as_deref(), &args.node, screen).await?;
    let line = match args.step.agent {
        Some(agent) => signed_line(agent, &link_other(&key, agent)),
        None => linked_line(&link(&root, &key)?),
    };
    screen.say(&line);
    Ok(())
}

/// The first of the three steps: what to run where the key is.
fn request_line(agent: AgentPublic, node: &NodeId) -> Line {
    let short = node.short();
    let text =
        format!("Run this where the key of node {short} is readable:\n  vipnode link --agent {agent} --nodekey FILE");
    Line::new("link_request", Tone::Plain, text).with("agent", agent.to_string()).with("node", node.to_string())
}

/// The second step: what to run on the agent's machine.
fn signed_line(agent: AgentPublic, delegation: &Delegation) -> Line {
    let text = format!(
        "Signed a delegation to agent {agent}, valid for one year. Nothing is stored on this machine. Run this on the agent's \
         machine:\n  vipnode link --delegation {delegation}"
    );
    Line::new("link_signed", Tone::Good, text).with("delegation", delegation.to_string())
}

/// The key in a file, or else that of the local node.
pub(super) async fn node_key(file: Option<&Path>, node: &NodeArgs, screen: Screen) -> Result<NodeKey, CliError> {
    if let Some(path) = file {
        return Ok(load_node_key(path)?);
    }
    let found_node = find_node(node, None, NodeLimits::default(), RetryPolicy::None, screen).await?;
    let id = found_node.node.facts().await?.id;
    let found = find_node_key(&*found_node.node, &found_node.endpoint, id, &FinderEnvironment::here()).await;
    let found = found.map_err(|why| CommandError::LinkKey { why: Box::new(why) })?;
    Ok(found.key)
}

fn linked_line(delegation: &Delegation) -> Line {
    let text = format!(
        "The local agent may act for node {} until {}. Its key file is no longer needed, except for protocol 2. \
         Linking another agent revokes this one at the pool.",
        delegation.node.short(),
        delegation.expires_ms.rfc3339_seconds(),
    );
    Line::new("linked", Tone::Good, text).with("node", delegation.node.to_string())
}

#[cfg(test)]
mod tests {
    use vipnode_types::{AgentKey, Ms};

    use super::*;

    #[test]
    fn snapshot_of_the_steps() {
        let (key, agent) = (NodeKey::read(&[7; 32]).unwrap(), AgentKey::from_random([9; 32]).unwrap().public());
        let signed = Ms::new(1_800_000_000_000);
        let delegation = Delegation::sign(&key, agent, signed, signed.plus(365 * 24 * 60 * 60_000));
        let said = [request_line(agent, &key.id()), signed_line(agent, &delegation), linked_line(&delegation)];
        insta::assert_snapshot!("link", crate::tests::at_each_width(&crate::tests::text_of(&said)));
    }
}
