use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use vipnode_agent_core::AgentConfig;
use vipnode_node::{Endpoint, Node, finder::FinderEnvironment};
use vipnode_types::{Failure, JoinSecret, wire::PROTOCOL};

use super::{
    actor::{Actor, ActorParts},
    daily_statements::DailyStatements,
    funds_metrics::FundsMetrics,
    prepare::{Prepared, prepare},
    repeated_notices::RepeatedNotices,
};
use crate::{
    AcceptedPool, AgentError, AgentMetrics, AgentNotice, Connector, PoolAddress, Resolver,
    limits::{LOCAL_QUERIES, NOTICES, NoticeLimits, StatementLimits},
    local::{AgentFlags, ConnectionSettings, LocalServer, Queries, StaticStatus, StatusSource},
    notifier::Notifier,
    state::StateDir,
};

/// The settings and connections of an agent.
#[derive(Clone)]
pub struct RunnerConfig {
    /// The agent's node.
    pub node: Arc<dyn Node>,
    /// The pool; `None` where the user named hosts or clients and no pool. Then the node's key is not needed.
    pub pool: Option<PoolAccess>,
    /// Where names of hosts are looked up, mostly the [`crate::SystemResolver`].
    pub resolver: Arc<dyn Resolver>,
    /// The directory below which each node has its own; see [`crate::state::StateDir::root`].
    pub state_root: PathBuf,
    /// Where the node's key is, should it be needed.
    pub node_key: NodeKeyAt,
    /// The settings of the agent core. A new seed is drawn at each start; whether there is a pool follows from `pool`.
    pub agent: AgentConfig,
    /// Which connections it allows, for other commands on this machine.
    pub connections: ConnectionSettings,
    /// Its flags, for other commands on this machine.
    pub flags: AgentFlags,
    /// Its metrics; `None` where they are not shown.
    pub metrics: Option<AgentMetrics>,
    /// How many notices are shown.
    pub notice_limits: NoticeLimits,
    /// Which daily statements a host asks for and keeps.
    pub statement_limits: StatementLimits,
    /// How often an agent with metrics asks its pool for the funds of the node.
    pub metrics_funds: Duration,
}

/// A pool, and the way to it.
#[derive(Clone)]
pub struct PoolAccess {
    /// The pool, as the user named it; signatures name it too.
    pub address: PoolAddress,
    /// The way to the pool, mostly a [`crate::NetConnector`].
    pub connector: Arc<dyn Connector>,
    /// What members of a closed pool know.
    pub join: Option<JoinSecret>,
    /// The pool that the user accepts there in place of the one that the agent remembers.
    pub accepted: Option<AcceptedPool>,
}

/// Where the key of the node is. It is read at the first start and once a year.
#[derive(Debug, Clone)]
pub enum NodeKeyAt {
    /// The user named its path.
    File(PathBuf),
    /// In one of the locations where clients keep it.
    Search {
        /// How the node was reached: its IPC file lies in its data directory.
        endpoint: Endpoint,
        /// This machine's.
        environment: FinderEnvironment,
    },
}

/// An agent that runs.
#[derive(Debug)]
pub struct AgentRunner {
    stop: CancellationToken,
    wanted: watch::Sender<AgentConfig>,
    status: StatusSource,
    task: JoinHandle<Result<(), AgentError>>,
}

impl AgentRunner {
    /// Starts an agent. It waits for a node that is offline, opens its state and then runs until it is stopped or cannot
    /// continue. Its notices arrive in the receiver, which may be dropped.
    #[must_use]
    pub fn spawn(config: RunnerConfig) -> (Self, mpsc::Receiver<AgentNotice>) {
        let (sender, noticed) = mpsc::channel(NOTICES);
        let (shown, notices) = mpsc::channel(NOTICES);
        tokio::spawn(RepeatedNotices::new(config.notice_limits.clone()).run(noticed, shown));
        let stop = CancellationToken::new();
        let (wanted, changes) = watch::channel(config.agent.clone());
        let (status, queries) = StatusSource::new(LOCAL_QUERIES);
        let local = Local { source: status.clone(), queries };
        let task = tokio::spawn(run(config, stop.clone(), changes, local, Notifier(sender)));
        (Self { stop, wanted, status, task }, notices)
    }

    /// Reports its status while it runs.
    #[must_use]
    pub const fn status(&self) -> &StatusSource {
        &self.status
    }

    /// Makes it undo everything and end, within [`crate::limits::STOP_DEADLINE`]. Never waits itself.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Changes the settings. The agent connects to the pool again; leases stay active. Its role, its protocol and
    /// whether there is a pool cannot change.
    pub fn configure(&self, agent: AgentConfig) {
        self.wanted.send_replace(agent);
    }

    /// Ends it at once and undoes nothing, as a kill would. What is left is in the journal.
    pub async fn abort(self) {
        self.task.abort();
        let _cancelled = self.task.await;
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// Why it could not continue, or what is left on the node. `Ok` means that everything is undone.
    pub async fn join(self) -> Result<(), AgentError> {
        self.task.await.unwrap_or_else(|error| Err(AgentError::internal(error)))
    }
}

/// The status of the agent on its own machine: where it is asked for, and where the queries arrive.
struct Local {
    source: StatusSource,
    queries: Queries,
}

async fn run(
    config: RunnerConfig,
    stop: CancellationToken,
    wanted: watch::Receiver<AgentConfig>,
    local: Local,
    notifier: Notifier,
) -> Result<(), AgentError> {
    config.agent.direct.check()?;
    if let Some(host) = &config.agent.host {
        host.check(config.agent.direct.allowed())?;
        if let Some(pool) = config.pool.as_ref().filter(|pool| !pool.address.calls_back()) {
            return Err(AgentError::HostOverHttp { url: pool.address.url().to_owned() });
        }
    }
    let prepared = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        prepared = prepare(&config, &notifier) => prepared?,
    };
    let Prepared { state, facts, signer, pool, journal } = prepared;
    let protocol = pool.as_ref().map_or(PROTOCOL, |pool| pool.protocol.version());
    let mut tasks = keep_statements(&config, &state, protocol, local.source.clone(), &notifier);
    if let Some(metrics) = config.metrics.clone().filter(|_| config.pool.is_some() && protocol == PROTOCOL) {
        let funds = FundsMetrics { source: local.source.clone(), metrics, every: config.metrics_funds };
        tasks.spawn(funds.run());
    }
    let mut agent = config.agent;
    agent.pool = config.pool.is_some();
    agent.seed = *crate::random::bytes()?;
    let static_status = StaticStatus {
        agent_version: agent.agent_version.clone(),
        at: config.node.at(),
        pool: config.pool.as_ref().map(|pool| pool.address.url().to_owned()).unwrap_or_default(),
        protocol,
        connections: config.connections,
        flags: config.flags,
        signer,
        facts: facts.clone(),
    };
    let server = match LocalServer::open(&config.state_root, &facts.id, config.node.clone(), local.source) {
        Ok(server) => Some(server),
        Err(error) => {
            // No peers depend on it.
            notifier.notify(AgentNotice::Fault(Failure::of(&error)));
            None
        }
    };
    let parts = ActorParts {
        node: config.node,
        facts,
        pool: config.pool.map(|pool| pool.connector).zip(pool),
        resolver: config.resolver,
        wanted,
        metrics: config.metrics,
        queries: local.queries,
        static_status,
    };
    let serving = async {
        match server {
            Some(server) => server.run().await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        ended = Actor::run(agent, journal, parts, stop, notifier) => ended,
        never = serving => match never {},
    };
    drop(tasks);
    // Held to here: another agent must not begin before this one is done with the node.
    drop(state);
    ended
}

/// Keeps the statements that the pool signs to a host, in a task of its own, which ends when this is dropped: the actor
/// does not
/// wait for a large file.
fn keep_statements(
    config: &RunnerConfig,
    state: &StateDir,
    protocol: u32,
    source: StatusSource,
    notifier: &Notifier,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let Some(pool) = config.pool.as_ref().filter(|_| config.agent.host.is_some() && protocol == PROTOCOL) else {
        return tasks;
    };
    let limits = &config.statement_limits;
    let statements = || {
        let random = crate::random::bytes()?.first_chunk().copied().map_or(0, u64::from_be_bytes);
        let kept = state.kept_statements(pool.address.url(), limits.daily_statements)?;
        DailyStatements::new(source, kept, limits, random, notifier.clone())
    };
    match statements() {
        Ok(statements) => drop(tasks.spawn(statements.run())),
        // No peers depend on it.
        Err(error) => notifier.notify(AgentNotice::Fault(Failure::of(&error))),
    }
    tasks
}

impl std::fmt::Debug for RunnerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunnerConfig")
            .field("node", &self.node.at())
            .field("pool", &self.pool.as_ref().map(|pool| &pool.address))
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}
