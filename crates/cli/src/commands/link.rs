use vipnode_agent::{
    agent_public, link, link_other,
    state::{StateDir, load_node_key},
    take_link,
};
use vipnode_node::finder::{Surroundings, find_node_key};
use vipnode_types::{Delegation, NodeKey};

use crate::{
    args::LinkArgs,
    discover::{Patience, find_node},
    error::Failure,
    output::{Line, Screen, Tone},
};

/// Lets an agent speak for a node, once, so that the node's key file need not stay readable.
pub(crate) async fn run(args: &LinkArgs, screen: Screen) -> Result<(), Failure> {
    let root = StateDir::root(args.node.state_dir.as_deref())?;
    if let Some(delegation) = &args.step.delegation {
        take_link(&root, delegation)?;
        say_linked(delegation, screen);
        return Ok(());
    }
    if args.step.request {
        let node = find_node(&args.node, Patience::None, screen).await?.node.facts().await?.id;
        let agent = agent_public(&root, &node)?;
        let text = format!(
            "run this where the key of node {} is:\n  vipnode link --agent {agent} --nodekey <the node's key file>",
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
                "signed for the agent {agent}, for a year; nothing was kept here. Run this beside that agent:\n  \
                 vipnode link --delegation {delegation}"
            );
            screen.say(&Line::new("link_signed", Tone::Good, text).with("delegation", delegation.to_string()));
        }
        None => say_linked(&link(&root, &key)?, screen),
    }
    Ok(())
}

async fn node_key(args: &LinkArgs, screen: Screen) -> Result<NodeKey, Failure> {
    if let Some(path) = &args.nodekey {
        return Ok(load_node_key(path)?);
    }
    let beside = find_node(&args.node, Patience::None, screen).await?;
    let id = beside.node.facts().await?.id;
    let found = find_node_key(&*beside.node, &beside.endpoint, id, &Surroundings::here()).await;
    let found = found.map_err(|error| {
        let hint = "--nodekey FILE; where another user or machine has it: vipnode link --request";
        Failure::new(error.to_string(), hint)
    })?;
    Ok(found.key)
}

fn say_linked(delegation: &Delegation, screen: Screen) {
    let text = format!(
        "the agent here speaks for node {} until {}; its key file is not needed any longer (over protocol 2 it is). \
         Linking another agent takes this back at the pool",
        delegation.node.short(),
        delegation.expires_ms.rfc3339_seconds(),
    );
    screen.say(&Line::new("linked", Tone::Good, text).with("node", delegation.node.to_string()));
}
