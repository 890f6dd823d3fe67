//! From the start to the first word with the pool: the node, the state directory, who the agent is.

use std::sync::Arc;

use tokio::time::sleep;
use vipnode_agent_core::Advertise;
use vipnode_node::finder::find_node_key;
use vipnode_types::{NodeFacts, NodeKey};

use super::{release::undo_all, runner::Tell};
use crate::{
    AgentError, NodeKeyAt, PoolAccess, RunnerConfig, Told, clock,
    limits::{LAST_MS, NODE_RETRY_FIRST, RENEW_MS},
    node::longer,
    pool::{OriginalSpeaker, Speaker, Voice},
    state::{Identity, Journal, StateDir, read_node_key},
};

/// What has to be there before the mind is begun.
pub(crate) struct Prepared {
    pub(crate) state: StateDir,
    pub(crate) facts: NodeFacts,
    /// How to speak to the pool, where there is one.
    pub(crate) voice: Option<Voice>,
    pub(crate) journal: Journal,
}

pub(crate) async fn prepare(config: &RunnerConfig, tell: &Tell) -> Result<Prepared, AgentError> {
    let facts = wait_for_node(config, tell).await?;
    let state = StateDir::open(&config.state_root, &facts.id)?;
    let (at, state_dir) = (config.node.at(), state.path().to_owned());
    tell.tell(Told::Node { facts: Box::new(facts.clone()), at, state_dir });
    check_enode(&facts, config)?;
    let voice = match &config.pool {
        Some(pool) => Some(voice(&state, &facts, config, pool, tell).await?),
        None => None,
    };
    for at in config.node.exposure().await {
        tell.tell(Told::Exposed { at });
    }
    let mut journal = state.journal()?;
    if let Some(pool) = &config.pool {
        forget_other_pool(&state, &mut journal, pool, config, tell).await?;
    }
    Ok(Prepared { state, facts, voice, journal })
}

/// Undoes what an earlier run did for another pool. What it did without one the mind looks after.
async fn forget_other_pool(
    state: &StateDir,
    journal: &mut Journal,
    pool: &PoolAccess,
    config: &RunnerConfig,
    tell: &Tell,
) -> Result<(), AgentError> {
    // Names of leases of one protocol mean nothing in the other.
    let pool = match config.agent.protocol2 {
        Some(_) => format!("{} (protocol 2)", pool.address.url()),
        None => pool.address.url().to_owned(),
    };
    if state.pool()?.as_deref() != Some(&pool) {
        let grants = undo_all(journal, &*config.node, |grant| !grant.lease.is_direct()).await?.len();
        if grants > 0 {
            tell.tell(Told::Released { grants });
        }
        state.set_pool(&pool)?;
    }
    Ok(())
}

async fn wait_for_node(config: &RunnerConfig, tell: &Tell) -> Result<NodeFacts, AgentError> {
    let mut wait = NODE_RETRY_FIRST;
    let mut said = false;
    loop {
        match config.node.facts().await {
            Ok(facts) => return Ok(facts),
            Err(error) if error.is_away() => {
                if !std::mem::replace(&mut said, true) {
                    tell.tell(Told::WaitingForNode { why: error.to_string(), hint: error.hint() });
                }
            }
            Err(error) => return Err(error.into()),
        }
        sleep(wait).await;
        wait = longer(wait);
    }
}

/// What the user tells others to dial has to be this node (A13), and whom he names another one.
fn check_enode(facts: &NodeFacts, config: &RunnerConfig) -> Result<(), AgentError> {
    let direct = &config.agent.direct;
    if direct.hosts.iter().chain(&direct.allow).any(|peer| peer.id == facts.id) {
        return Err(AgentError::NamedItself { node: facts.id.short(), at: config.node.at() });
    }
    match &config.agent.advertise {
        Advertise::Enode(enode) if enode.id != facts.id => {
            Err(AgentError::OtherEnode { given: enode.id.short(), node: facts.id.short(), at: config.node.at() })
        }
        _ => Ok(()),
    }
}

/// How to speak to the pool. Over protocol 2 the node's own key signs every call, so that it is kept for as
/// long as the agent runs.
async fn voice(
    state: &StateDir,
    facts: &NodeFacts,
    config: &RunnerConfig,
    pool: &PoolAccess,
    tell: &Tell,
) -> Result<Voice, AgentError> {
    if config.agent.protocol2.is_none() {
        let identity = identify(state, facts, config, tell).await?;
        let speaker = Speaker::new(Arc::new(identity), pool.address.url().to_owned(), pool.join.clone());
        return Ok(Voice::Delegated(speaker));
    }
    let (key, key_file) = node_key(facts, config).await.map_err(|error| AgentError::KeyForEachCall(Box::new(error)))?;
    tell.tell(Told::SignsEachCall { key_file });
    Ok(Voice::Original(OriginalSpeaker::new(key, state.nonces()?)))
}

/// The agent's key and a delegation that holds. The node's key is asked for only where one has to be signed.
async fn identify(
    state: &StateDir,
    facts: &NodeFacts,
    config: &RunnerConfig,
    tell: &Tell,
) -> Result<Identity, AgentError> {
    let now = clock::wall();
    let key = state.agent_key()?;
    let kept = state.delegation(facts.id, &key, now)?;
    let left_ms = kept.as_ref().map_or(0, |kept| kept.expires_ms.since(now));
    if let Some(delegation) = kept.clone().filter(|_| left_ms > RENEW_MS) {
        return Ok(Identity { key, delegation });
    }
    match (node_key(facts, config).await, kept) {
        (Ok((node_key, path)), _) => {
            let delegation = state.delegate(&node_key, &key, now)?;
            tell.tell(Told::Delegated { key_file: path });
            Ok(Identity { key, delegation })
        }
        (Err(error), Some(delegation)) if left_ms > LAST_MS => {
            let what =
                format!("the agent's delegation ends in {} days and could not be renewed: {error}", left_ms / LAST_MS);
            tell.tell(Told::Fault { what, hint: error.hint() });
            Ok(Identity { key, delegation })
        }
        (Err(error), _) => Err(error),
    }
}

async fn node_key(facts: &NodeFacts, config: &RunnerConfig) -> Result<(NodeKey, std::path::PathBuf), AgentError> {
    match &config.node_key {
        NodeKeyAt::File(path) => Ok((read_node_key(path, facts.id, &config.node.at())?, path.clone())),
        NodeKeyAt::Search { endpoint, surroundings } => {
            let found = find_node_key(&*config.node, endpoint, facts.id, surroundings).await?;
            Ok((found.key, found.path))
        }
    }
}
