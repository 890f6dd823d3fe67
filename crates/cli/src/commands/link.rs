use vipnode_agent::{
    agent_public, link, link_other,
    state::{StateDir, load_node_key},
    take_link,
};
use vipnode_node::finder::{FinderEnvironment, find_node_key};
use vipnode_types::{Delegation, NodeKey};

use crate::{
    args::LinkArgs,
    discover::{RetryPolicy, find_node},
    error::{CliError, CommandError},
    output::{Line, Screen, Tone},
};

/// Has the node key sign a delegation to an agent, so that the key file need not stay readable.
pub(crate) async fn run(args: &LinkArgs, screen: Screen) -> Result<(), CliError> {
    let root = StateDir::root(args.node.state_dir.as_deref())?;
    if let Some(delegation) = &args.step.delegation {
        take_link(&root, delegation)?;
        say_linked(delegation, screen);
        return Ok(());
    }
    if args.step.request {
        let node = find_node(&args.node, None, RetryPolicy::None, screen).await?.node.facts().await?.id;
        let agent = agent_public(&root, &node)?;
        let text = format!(
            "Run this where the key of node {} is readable:\n  vipnode link --agent {agent} --nodekey FILE",
            node.short()
        );
        screen.say(
            &Line::new("link_request", Tone::Plain, text)
                .with("agent", agent.to_string())
                .with("node", node.to_string()),
        );
        return Ok(());
    }
    let key = node_key(args, screen).await?;
    match args.step.agent {
        Some(agent) => {
            let delegation = link_other(&key, agent);
            let text = format!(
                "Signed a delegation to agent {agent}, valid for one year. Nothing is stored on this machine. Run this on \
                 the agent's machine:\n  \
                 vipnode link --delegation {delegation}"
            );
            screen.say(&Line::new("link_signed", Tone::Good, text).with("delegation", delegation.to_string()));
        }
        None => say_linked(&link(&root, &key)?, screen),
    }
    Ok(())
}

async fn node_key(args: &LinkArgs, screen: Screen) -> Result<NodeKey, CliError> {
    if let Some(path) = &args.nodekey {
        return Ok(load_node_key(path)?);
    }
    let found_node = find_node(&args.node, None, RetryPolicy::None, screen).await?;
    let id = found_node.node.facts().await?.id;
    let found = find_node_key(&*found_node.node, &found_node.endpoint, id, &FinderEnvironment::here()).await;
    let found = found.map_err(|why| CommandError::LinkKey { why: Box::new(why) })?;
    Ok(found.key)
}

fn say_linked(delegation: &Delegation, screen: Screen) {
    let text = format!(
        "The local agent may act for node {} until {}. Its key file is no longer needed, except for protocol 2. \
         Linking another agent revokes this one at the pool.",
        delegation.node.short(),
        delegation.expires_ms.rfc3339_seconds(),
    );
    screen.say(&Line::new("linked", Tone::Good, text).with("node", delegation.node.to_string()));
}
