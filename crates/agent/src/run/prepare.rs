//! From the start to the first message to the pool: finds the node, the state directory and the identity.

use tokio::time::sleep;
use vipnode_agent_core::{Advertise, Notice};
use vipnode_node::finder::find_node_key;
use vipnode_types::{Account, EnodeHost, Failure, NodeFacts, NodeKey, PayoutOrder, TypedError as _};

use super::release::undo_all;
use crate::{
    AgentError, AgentNotice, KnownPool, NodeKeyAt, PoolAccess, RunnerConfig, clock,
    limits::{LAST_MS, NODE_RETRY_FIRST, RENEW_MS},
    node::longer,
    notifier::Notifier,
    pool::{PoolIdCheck, Protocol},
    state::{AgentIdentity, Journal, KeptPrices, Nonces, SignedVouchers, StateDir, read_node_key},
};

/// What the agent core needs before it starts.
pub(crate) struct Prepared {
    pub(crate) state: StateDir,
    pub(crate) facts: NodeFacts,
    /// The address of the agent's key.
    pub(crate) signer: Account,
    /// How to speak to the pool, where there is one.
    pub(crate) pool: Option<PreparedPool>,
    pub(crate) journal: Journal,
}

/// How to speak to the pool, and how to recognize it.
pub(crate) struct PreparedPool {
    pub(crate) protocol: Protocol,
    pub(crate) identity: PoolIdCheck,
    pub(crate) prices: KeptPrices,
    pub(crate) vouchers: SignedVouchers,
}

pub(crate) async fn prepare(config: &RunnerConfig, notifier: &Notifier) -> Result<Prepared, AgentError> {
    let facts = wait_for_node(config, notifier).await?;
    let state = StateDir::open(&config.state_root, &facts.id)?;
    let (at, state_dir) = (config.node.at(), state.path().to_owned());
    let agent = state.agent_key()?.account();
    notifier.notify(AgentNotice::Node { agent, facts: Box::new(facts.clone()), at, state_dir });
    if let Some(authorizer) = config.agent.pay.as_ref().map(|pay| pay.channel.payer_authorizer)
        && authorizer != agent
    {
        return Err(AgentError::ChannelOfOther { authorizer, agent });
    }
    check_enode(&facts, config)?;
    if is_host_without_port(&facts, config) {
        notifier.notify(AgentNotice::NotDialable);
    }
    let pool = match &config.pool {
        Some(access) => Some(PreparedPool {
            identity: identity(&state, access, notifier)?,
            prices: state.kept_prices(access.address.url())?,
            vouchers: state.signed_vouchers()?,
            protocol: protocol(&state, &facts, config, access, notifier).await?,
        }),
        None => None,
    };
    for at in config.node.exposure().await {
        notifier.notify(AgentNotice::Exposed { at });
    }
    let mut journal = state.journal()?;
    if let Some((access, pool)) = config.pool.as_ref().zip(pool.as_ref()) {
        forget_other_pool(&state, &mut journal, &pool.protocol.name_of(&access.address), config, notifier).await?;
    }
    Ok(Prepared { state, facts, signer: agent, pool, journal })
}

/// Undoes what an earlier run did for another pool. What it did without a pool, the agent core takes over.
async fn forget_other_pool(
    state: &StateDir,
    journal: &mut Journal,
    pool: &str,
    config: &RunnerConfig,
    notifier: &Notifier,
) -> Result<(), AgentError> {
    if state.pool()?.as_deref() != Some(pool) {
        let changes = undo_all(journal, &*config.node, |change| !change.lease.is_direct()).await?.len();
        if changes > 0 {
            notifier.notify(AgentNotice::Released { changes });
        }
        state.set_pool(pool)?;
    }
    Ok(())
}

async fn wait_for_node(config: &RunnerConfig, notifier: &Notifier) -> Result<NodeFacts, AgentError> {
    let mut wait = NODE_RETRY_FIRST;
    let mut notified = None;
    loop {
        match config.node.facts().await {
            Ok(facts) => return Ok(facts),
            Err(error) if error.is_offline() || error.is_without_chain() => {
                // Once, and once more where a node that was offline answers without its chain.
                let reason = error.is_without_chain();
                if notified.replace(reason) != Some(reason) {
                    notifier.notify(AgentNotice::WaitingForNode(Failure::of(&error)));
                }
            }
            Err(error) => return Err(error.into()),
        }
        sleep(wait).await;
        wait = longer(wait);
    }
}

/// Whether the agent sells slots of a node that no other node can dial.
fn is_host_without_port(facts: &NodeFacts, config: &RunnerConfig) -> bool {
    let sells = config.pool.is_some() && config.agent.host.is_some();
    let is_dialable = match &config.agent.advertise {
        Advertise::Enode(enode) => enode.port != 0 && enode.host != EnodeHost::None,
        Advertise::Host(_) | Advertise::Node => facts.enode.port != 0,
    };
    sells && !is_dialable
}

/// The enode that others are asked to dial has to be this node's, and a named peer has to be another node.
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

/// How to recognize the pool.
fn identity(state: &StateDir, pool: &PoolAccess, notifier: &Notifier) -> Result<PoolIdCheck, AgentError> {
    let pins = state.pool_pins()?;
    let url = pool.address.url();
    let known = KnownPool::new(&pool.address, pins.get(url), pool.accepted);
    Ok(PoolIdCheck::new(url.to_owned(), known, pins, notifier.clone()))
}

/// How to speak to the pool.
async fn protocol(
    state: &StateDir,
    facts: &NodeFacts,
    config: &RunnerConfig,
    pool: &PoolAccess,
    notifier: &Notifier,
) -> Result<Protocol, AgentError> {
    let identity = async {
        identify(state, facts, config, pool, notifier).await.inspect(|identity| {
            if let Some(metrics) = &config.metrics {
                metrics.delegated(identity.delegation.expires_ms);
            }
        })
    };
    let identity = async {
        let identity = identity.await?;
        Ok::<_, AgentError>((identity, payout(state, facts, config, pool, notifier).await?))
    };
    let node_key = key_for_each_call(state, facts, config, notifier);
    Protocol::configured(&config.agent, &pool.address, pool.join.clone(), identity, node_key).await
}

/// The node's order to pay what it earns to the account of the settings. The node's key is needed only if a new one has
/// to be
/// signed. Without the key there is none; then the agent compares the account with the one that the pool pays.
async fn payout(
    state: &StateDir,
    facts: &NodeFacts,
    config: &RunnerConfig,
    pool: &PoolAccess,
    notifier: &Notifier,
) -> Result<Option<PayoutOrder>, AgentError> {
    let Some(account) = config.agent.host.as_ref().and_then(|host| host.payout) else { return Ok(None) };
    let now = clock::wall();
    if let Some(kept) = state.payout(facts.id, account, now)? {
        return Ok(Some(kept));
    }
    reach(pool, notifier).await;
    match node_key(facts, config).await {
        Ok((key, _)) => Ok(Some(state.order_payout(&key, account, now)?)),
        Err(_unreadable) => Ok(None),
    }
}

/// The node's key for a protocol in which it signs every call; it is kept in memory for as long as the agent runs.
async fn key_for_each_call(
    state: &StateDir,
    facts: &NodeFacts,
    config: &RunnerConfig,
    notifier: &Notifier,
) -> Result<(NodeKey, Nonces), AgentError> {
    let (key, key_file) = node_key(facts, config).await.map_err(|error| match error {
        AgentError::NoNodeKey { why } => AgentError::NoKeyForEachCall { why },
        error => AgentError::KeyForEachCall { why: Box::new(error) },
    })?;
    notifier.notify(AgentNotice::SignsEachCall { key_file });
    Ok((key, state.nonces()?))
}

/// Waits until a server answers at an address that may be a mistyped command or the name of a file: the node's key signs
/// nothing before. An address with a scheme is neither.
async fn reach(pool: &PoolAccess, notifier: &Notifier) {
    if pool.address.is_named_by_url() {
        return;
    }
    let mut wait = NODE_RETRY_FIRST;
    let mut notified = None;
    while let Err(error) = pool.connector.open().await {
        let kind = Some(error.kind());
        if kind != std::mem::replace(&mut notified, kind.clone()) {
            let retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            notifier.notify(AgentNotice::Notice(Notice::PoolUnreachable { why: Failure::of(&error), retry_ms }));
        }
        sleep(wait).await;
        wait = longer(wait);
    }
}

/// Returns the agent's key and a valid delegation. The node's key is needed only if a new one has to be signed.
async fn identify(
    state: &StateDir,
    facts: &NodeFacts,
    config: &RunnerConfig,
    pool: &PoolAccess,
    notifier: &Notifier,
) -> Result<AgentIdentity, AgentError> {
    let now = clock::wall();
    let key = state.agent_key()?;
    let kept = state.delegation(facts.id, &key, now)?;
    let left_ms = kept.as_ref().map_or(0, |kept| kept.expires_ms.since(now));
    if let Some(delegation) = kept.clone().filter(|_| left_ms > RENEW_MS) {
        return Ok(AgentIdentity { key, delegation });
    }
    reach(pool, notifier).await;
    match (node_key(facts, config).await, kept) {
        (Ok((node_key, path)), _) => {
            let delegation = state.delegate(&node_key, &key, now)?;
            notifier.notify(AgentNotice::Delegated { key_file: path });
            Ok(AgentIdentity { key, delegation })
        }
        (Err(error), Some(delegation)) if left_ms > LAST_MS => {
            notifier.notify(AgentNotice::NotRenewed { days: left_ms / LAST_MS, why: Failure::of(&error) });
            Ok(AgentIdentity { key, delegation })
        }
        (Err(error), _) => Err(error),
    }
}

async fn node_key(facts: &NodeFacts, config: &RunnerConfig) -> Result<(NodeKey, std::path::PathBuf), AgentError> {
    match &config.node_key {
        NodeKeyAt::File(path) => Ok((read_node_key(path, facts.id, &config.node.at())?, path.clone())),
        NodeKeyAt::Search { endpoint, environment } => {
            let found = find_node_key(&*config.node, endpoint, facts.id, environment);
            let found = found.await.map_err(|why| AgentError::NoNodeKey { why })?;
            Ok((found.key, found.path))
        }
    }
}
