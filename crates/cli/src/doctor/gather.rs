//! Reads the state of the node, the state directory, and the pool. Changes nothing.

use std::time::Duration;

use tokio::time::timeout;
use vipnode_agent::{
    AgentError, ConnectCheck, Connector, KnownPool, NetConnector, PoolAddress, Reached, clock,
    limits::{AgentLimits, PoolLinkLimits},
    local, pool_status, reach,
    state::{self, AgentIdentity},
};
use vipnode_agent_core::{Advertise, Preview};
use vipnode_node::{
    Endpoint, Node, NodeError,
    finder::{FinderEnvironment, find_node_key},
    limits::NodeLimits,
};
use vipnode_types::{
    Ms, NodeFacts, NodeKey,
    wire::{ErrorCode, ReachRequest, WireError},
};

use super::{Facts, KeyFacts, NodeFound, NodeMissing, PinFound, PoolFound, Requirements};
use crate::{
    args::{ConnectionArgs, Targets},
    discover::{FoundNode, RetryPolicy, find_node, find_pool},
    error::{CliError, CommandError},
    output::Screen,
};

/// One look takes no longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Looks at everything; each look has its deadline, and one that fails keeps no other from being made.
pub(crate) async fn gather(
    connection: &ConnectionArgs,
    limits: &AgentLimits,
    targets: &Targets,
    mut wants: Requirements,
    screen: Screen,
) -> Result<Facts, CliError> {
    let now = clock::wall();
    if let Advertise::Enode(enode) = connection.protocol.advertise() {
        wants.port = Some(enode.port);
    }
    let (node, signer) = match look_at_node(connection, &limits.node, targets, now, screen).await? {
        Ok((node, signer)) => (Ok(node), signer),
        Err(missing) => (Err(missing), None),
    };
    let pool = match targets.has_pool() {
        true => {
            Some(look_at_pool(connection, &limits.pool, targets, (node.as_ref().ok(), signer), &wants, screen).await)
        }
        false => None,
    };
    Ok(Facts { now, wants, node, pool })
}

/// A node, and who signs for it where there is a pool.
type Looked = (NodeFound, Option<CheckSigner>);

/// Who signs for the node as long as a doctor looks.
enum CheckSigner {
    /// The agent's own key, to which the node has delegated.
    Kept(AgentIdentity),
    /// A key that is forgotten afterwards. The node's key delegates to it.
    NodeKey(NodeKey),
}

impl CheckSigner {
    /// The node's key signs nothing before a server answers at an address that may be a mistyped command or the name of a
    /// file.
    async fn identity(self, pool: &NetConnector, named_by_url: bool, now: Ms) -> Result<AgentIdentity, AgentError> {
        match self {
            Self::Kept(identity) => Ok(identity),
            Self::NodeKey(key) => {
                if !named_by_url {
                    pool.open().await?;
                }
                state::check_identity(&key, now)
            }
        }
    }
}

async fn in_time<T, E: Into<CliError>>(
    what: &'static str,
    look: impl Future<Output = Result<T, E>>,
) -> Result<T, CliError> {
    match timeout(DEADLINE, look).await {
        Ok(seen) => seen.map_err(Into::into),
        Err(_elapsed) => Err(CommandError::NoAnswer { what, seconds: DEADLINE.as_secs() }.into()),
    }
}

async fn look_at_node(
    connection: &ConnectionArgs,
    limits: &NodeLimits,
    targets: &Targets,
    now: Ms,
    screen: Screen,
) -> Result<Result<Looked, NodeMissing>, CliError> {
    let access = connection.node.access(limits.clone())?;
    let endpoint = connection.node.rpc.as_deref().and_then(|rpc| rpc.parse::<Endpoint>().ok());
    if let Some(endpoint) = &endpoint
        && let Ok(Err(error @ NodeError::NotOffered { .. })) = timeout(DEADLINE, endpoint.open(&access)).await
    {
        let client = endpoint.client_version(&access).await.unwrap_or_else(|| "a node".to_owned());
        let what = error.to_string();
        return Ok(Err(NodeMissing::NoCalls { at: endpoint.to_string(), client, what }));
    }
    let nodekey = connection.nodekey.as_deref();
    let finding = find_node(&connection.node, nodekey, limits.clone(), RetryPolicy::None, screen);
    let found = in_time("the node", finding).await;
    let found_node = match found {
        Ok(found_node) => found_node,
        Err(fault) => return Ok(Err(NodeMissing::Error(fault))),
    };
    Ok(look_at(found_node, connection, targets, now).await.map_err(NodeMissing::Error))
}

async fn look_at(
    FoundNode { node, endpoint }: FoundNode,
    connection: &ConnectionArgs,
    targets: &Targets,
    now: Ms,
) -> Result<Looked, CliError> {
    let facts = in_time("the node", node.facts()).await?;
    let key = match targets.has_pool() {
        true => Some(key(&*node, &endpoint, connection, &facts, now).await),
        false => None,
    };
    let (key, signer) = match key {
        Some(Ok((key, signer))) => (Some(Ok(key)), Some(signer)),
        Some(Err(error)) => (Some(Err(CliError::from(error))), None),
        None => (None, None),
    };
    let found = NodeFound {
        at: node.at(),
        exposed: timeout(DEADLINE, node.exposure()).await.ok(),
        head: in_time("the node", node.head()).await,
        peers: in_time("the node", node.peers()).await,
        own_peers: own_peers(connection, &facts).await,
        key,
        facts,
    };
    Ok((found, signer))
}

/// What `vipnode status` shows: only the agent knows which peers have leases.
async fn own_peers(connection: &ConnectionArgs, facts: &NodeFacts) -> Option<u32> {
    let root = state::StateDir::root(connection.node.state_dir.as_deref()).ok()?;
    let status = local::status(&local::socket(&root, &facts.id)).await.ok()?;
    (status.node.id == facts.id && status.node.up).then_some(status.node.own_peers)
}

/// Finds who signs for the node, and signs nothing.
async fn key(
    node: &dyn Node,
    endpoint: &Endpoint,
    connection: &ConnectionArgs,
    facts: &NodeFacts,
    now: Ms,
) -> Result<(KeyFacts, CheckSigner), AgentError> {
    let root = state::StateDir::root(connection.node.state_dir.as_deref())?;
    if let Some(identity) = state::kept_identity(&root, facts.id, now)? {
        return Ok((KeyFacts::Delegated { until: identity.delegation.expires_ms }, CheckSigner::Kept(identity)));
    }
    if let Some(path) = &connection.nodekey {
        let key = state::read_node_key(path, facts.id, &node.at())?;
        return Ok((KeyFacts::Key(path.clone()), CheckSigner::NodeKey(key)));
    }
    let found = find_node_key(node, endpoint, facts.id, &FinderEnvironment::here()).await;
    let found = found.map_err(|why| AgentError::NoNodeKey { why })?;
    Ok((KeyFacts::Key(found.path), CheckSigner::NodeKey(found.key)))
}

async fn look_at_pool(
    connection: &ConnectionArgs,
    limits: &PoolLinkLimits,
    targets: &Targets,
    (found, signer): (Option<&NodeFound>, Option<CheckSigner>),
    wants: &Requirements,
    screen: Screen,
) -> Result<PoolFound, CliError> {
    let pool: PoolAddress = find_pool(targets.pool.as_deref(), true, screen).await?;
    let (url, node) = (pool.url().to_owned(), found.map(|found| &found.facts));
    let pinned = match node {
        Some(node) => {
            let root = state::StateDir::root(connection.node.state_dir.as_deref())?;
            state::pinned_pool(&root, node.id, &url)?
        }
        None => None,
    };
    let known = KnownPool::new(&pool, pinned, connection.accept_pool_key);
    let pin = match pinned {
        _ if pool.is_local() => PinFound::Never,
        Some(_) => PinFound::Same,
        None => PinFound::None,
    };
    let named_by_url = pool.is_named_by_url();
    let connector = NetConnector::with_limits(pool, connection.node.trust()?, limits);
    // Over protocol 2, nothing is signed as the check is.
    let check = match found.zip(signer).filter(|_| wants.agent.protocol2.is_none()) {
        Some((found, signer)) => {
            let now = clock::wall();
            let identity = in_time("the pool", signer.identity(&connector, named_by_url, now)).await?;
            let hello = Preview::of(&wants.agent, &found.facts, found.head.as_ref().ok().copied(), now).hello;
            Some(ConnectCheck { hello: Box::new(hello), identity, audience: url.clone() })
        }
        None => None,
    };
    let join = connection.join.secret()?;
    let request = ReachRequest {
        port: node.map(|node| wants.port.unwrap_or(node.enode.port)).filter(|port| *port != 0),
        node: node.map_or(vipnode_types::NodeId::new([0; 64]), |node| node.id),
        chain_id: node.map_or(0, |node| node.chain.chain_id),
        join: None,
        connect: None,
    };
    let asked = async {
        match reach(&connector, request, join.as_ref(), check, known).await {
            Err(AgentError::NoChallenge) if wants.agent.protocol2.is_some() => reach_by_protocol2(&connector).await,
            reached => reached,
        }
    };
    let reached = in_time("the pool", asked).await?;
    Ok(PoolFound { url, pin, reached })
}

/// Asks a pool that does not speak protocol 3, as an original one, for its status. It cannot be asked how it sees the agent.
async fn reach_by_protocol2(connector: &NetConnector) -> Result<Reached, AgentError> {
    match pool_status(connector).await {
        // One that hides its status answers too.
        Ok(_) | Err(AgentError::Stopped(_)) => {
            let only = WireError::new(ErrorCode::MethodNotFound, "it speaks only protocol 2", "");
            Ok(Reached { reply: Err(only), pool_id: None, heard: clock::wall() })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use vipnode_node::Trust;

    use super::*;

    #[tokio::test]
    async fn the_nodes_key_signs_nothing_before_a_pool_named_without_a_scheme_answers() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = PoolAddress::read(&format!("127.0.0.1:{port}")).unwrap();
        let silent = NetConnector::new(address, Trust::default());
        let signer = || CheckSigner::NodeKey(NodeKey::read(&[7; 32]).unwrap());
        assert!(signer().identity(&silent, false, Ms::new(1)).await.is_err());
        assert!(signer().identity(&silent, true, Ms::new(1)).await.is_ok(), "a URL is not a mistyped command");
    }
}
