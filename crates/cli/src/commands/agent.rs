use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::timeout;
use vipnode_agent::{
    AgentError, AgentRunner, NetConnector, NodeKeyAt, PoolAccess, RunnerConfig, SystemResolver,
    limits::{AgentLimits, PoolLinkLimits},
    local::{AgentFlags, StatusSource},
    state::StateDir,
};
use vipnode_agent_core::{AgentConfig, DirectConfig, HostConfig, PayConfig, PeerPolicy};
use vipnode_node::{
    Endpoint, Trust, TrustError,
    finder::{FinderEnvironment, kept_peers},
};
use vipnode_types::{NodeId, PeerRules};

use crate::{
    args::{
        AgentArgs, Cli, ClientArgs, Command, ConnectionArgs, DoctorArgs, HostArgs, HostSelectionArgs, HostingArgs,
        PayArgs, RoleName, RuntimeArgs, Targets,
    },
    commands::{agent_metrics, print_limits::print_limits, protocol},
    config::{Applied, Reload, say_kept},
    discover::{FoundNode, RetryPolicy, dry_run, find_node, find_pool, named_pool},
    error::{CliError, CommandError},
    output::{Line, Screen, Tone, agent_notice_line, format::capitalized},
    service_manager::{self, Heartbeat},
    signals::{ReloadSignals, Signals},
    status::StatusLine,
    wallet::ChannelFile,
};

/// The role of an agent: host, client, or both.
#[derive(Debug)]
pub(crate) struct Role {
    connection: ConnectionArgs,
    hosting: Option<HostingArgs>,
    host_selection: Option<HostSelectionArgs>,
    runtime: RuntimeArgs,
}

impl Role {
    pub(crate) fn both(args: AgentArgs) -> Self {
        Self {
            connection: args.connection,
            hosting: Some(args.hosting),
            host_selection: Some(args.host_selection),
            runtime: args.runtime,
        }
    }

    pub(crate) fn host(args: HostArgs) -> Self {
        Self { connection: args.connection, hosting: Some(args.hosting), host_selection: None, runtime: args.runtime }
    }

    pub(crate) fn client(args: ClientArgs) -> Self {
        Self {
            connection: args.connection,
            hosting: None,
            host_selection: Some(args.host_selection),
            runtime: args.runtime,
        }
    }

    /// Returns the role that a doctor checks.
    pub(crate) fn of_doctor(args: DoctorArgs) -> Self {
        let AgentArgs { connection, hosting, host_selection, runtime } = args.agent;
        match args.role {
            RoleName::Agent => Self::both(AgentArgs { connection, hosting, host_selection, runtime }),
            RoleName::Host => Self::host(HostArgs { connection, hosting, runtime }),
            RoleName::Client => Self::client(ClientArgs { connection, host_selection, runtime }),
        }
    }

    /// Returns the role of a command line; `None` if its command is not an agent.
    fn of(cli: Cli) -> Option<Self> {
        match cli.command {
            None => Some(Self::both(cli.agent)),
            Some(Command::Agent(args)) => Some(Self::both(args)),
            Some(Command::Host(args)) => Some(Self::host(args)),
            Some(Command::Client(args)) => Some(Self::client(args)),
            Some(_) => None,
        }
    }

    /// Its pool and its node.
    pub(crate) const fn connection(&self) -> &ConnectionArgs {
        &self.connection
    }

    /// Its limits, as they were set.
    pub(crate) fn limits(&self) -> Result<AgentLimits, CommandError> {
        self.runtime.limits()
    }

    /// Prints the limits if the user asked for them. Returns whether that was so.
    pub(crate) fn print_limits(&self, screen: Screen) -> Result<bool, CommandError> {
        if self.runtime.print_limits {
            print_limits(&self.limits()?, screen);
        }
        Ok(self.runtime.print_limits)
    }

    /// Refuses flags that exclude each other.
    pub(crate) fn check(&self, screen: Screen) -> Result<(), CommandError> {
        protocol::check(&self.connection, self.host_selection.as_ref(), screen)
    }

    /// Whom it stands towards.
    pub(crate) fn targets(&self) -> Result<Targets, CliError> {
        let allow = self.hosting.as_ref().map(|hosting| hosting.allow.as_slice()).unwrap_or_default();
        let targets = Targets::of(self.connection.named(), allow)?;
        if self.host_selection.is_none() && !targets.direct.hosts.is_empty() {
            return Err(CommandError::EnodeForHost.into());
        }
        Ok(targets)
    }

    /// Returns the configuration of an agent that can start. `pool` is whether there is a pool, which no reload changes.
    fn config(&self, targets: &Targets, pool: bool) -> Result<AgentConfig, CliError> {
        let config = self.settings(targets, pool)?;
        if let Some(host) = &config.host {
            host.check(config.direct.allowed()).map_err(AgentError::from)?;
        }
        Ok(config)
    }

    /// Returns the configuration as the user wants it. `pool` is whether there is a pool.
    pub(crate) fn settings(&self, targets: &Targets, pool: bool) -> Result<AgentConfig, CommandError> {
        let request_ms = u64::try_from(self.limits()?.pool.pool_call.as_millis()).unwrap_or(u64::MAX);
        // Without a pool nothing can be sold or bought.
        let sold = |host: HostConfig| if pool { host } else { HostConfig { slots: 0, ..host } };
        Ok(AgentConfig {
            agent_version: concat!("vipnode/", env!("CARGO_PKG_VERSION")).to_owned(),
            pool,
            direct: targets.direct.clone(),
            min_peers: self
                .host_selection
                .as_ref()
                .filter(|_| pool)
                .map_or(0, |host_selection| host_selection.min_peers),
            max_price: self.host_selection.as_ref().and_then(|host_selection| host_selection.max_price.clone()),
            pay: self.host_selection.as_ref().map_or(Ok(None), |host_selection| pay(&host_selection.pay))?,
            strict: self.connection.protocol.strict_peers,
            keep: self.connection.keep.iter().copied().collect(),
            policy: self.policy(),
            host: self.hosting.as_ref().map(HostingArgs::host_config).map(sold),
            advertise: self.connection.protocol.advertise(),
            dial_private: self.connection.dial_private,
            protocol2: protocol::protocol2(&self.connection.protocol).filter(|_| pool),
            allow_protocol2: self.connection.protocol.allow_protocol_2,
            request_ms,
            // The runner draws one.
            seed: [0; 32],
        })
    }
}

/// How a client pays from the channel in a file.
fn pay(args: &PayArgs) -> Result<Option<PayConfig>, CommandError> {
    let Some((path, max_spend)) = args.pay.as_ref().zip(args.max_spend_per_day.clone()) else { return Ok(None) };
    let file = ChannelFile::read_of_any_chain(path).map_err(|why| CommandError::PayFile { why: Box::new(why) })?;
    let ahead_ms = u64::try_from(args.ahead.as_millis()).unwrap_or(u64::MAX);
    let ChannelFile { chain_id, config: channel, decimals, .. } = file;
    Ok(Some(PayConfig { chain_id, channel, decimals, max_spend, ahead_ms }))
}

impl Role {
    fn policy(&self) -> PeerPolicy {
        let choosing = &self.connection.peer_filter;
        let need = self.host_selection.as_ref().map(|host_selection| host_selection.need.clone()).unwrap_or_default();
        let rules = PeerRules { need, min_versions: choosing.min_client_version.clone() };
        PeerPolicy { rules, reject: choosing.reject_client.clone() }
    }
}

/// The settings that SIGHUP changes: all of [`AgentConfig`], and the hosts given with the pool as long as the pool is the
/// same.
const LIVE: [&str; 18] = [
    "pool",
    "keep",
    "allow",
    "strict-peers",
    "slots",
    "reserve",
    "node-max-peers",
    "min-price",
    "max-head-age",
    "min-peers",
    "max-price",
    "need",
    "min-client-version",
    "reject-client",
    "enode",
    "enode.host",
    "dial-private",
    "allow-protocol-2",
];

/// SIGHUP: reads the settings again. The pool hears of them by another connect, which ends no lease. `running` are the
/// nodes towards which the agent stands now. Whatever the settings are, the file of the authorities is read again too.
fn read_again(
    reload: &mut Reload,
    (running, pool): (&mut Targets, bool),
    (kept, trust): (&BTreeSet<NodeId>, &Trust),
    runner: &AgentRunner,
    screen: Screen,
) {
    let file_changed = trust.reload().unwrap_or_else(|error| {
        screen.say(&ca_kept_line(&error));
        false
    });
    let Some((cli, newer)) = reload.read(screen) else { return };
    let Some(role) = Role::of(cli) else { return };
    let read = role.check(screen).map_err(CliError::from).and_then(|()| again(&role, running, pool));
    let (mut config, same_pool) = match read {
        Ok(read) => read,
        Err(error) => return say_kept(&error.message, &error.hint, screen),
    };
    let live: Vec<&str> = LIVE.into_iter().filter(|key| same_pool || *key != "pool").collect();
    if reload.differs(&newer, &live) {
        config.keep.extend(kept);
        runner.configure(config);
    }
    reload.done(newer, &Applied { live: &live, refused: &[], file_changed }, screen);
}

/// Why the agent trusts the authorities that it read before.
fn ca_kept_line(why: &TrustError) -> Line {
    let text = format!("{}; keeping the CA certificates that were read before", capitalized(&why.to_string()));
    let line = Line::new("tls_ca_kept", Tone::Warning, text).with("reason", why.to_string());
    line.hint("Correct the file, then send SIGHUP again.")
}

/// What an agent can be from now on that stands towards `running`, and whether that pool is the one of its settings.
/// Another pool, or none, requires a restart; until then the hosts given with the current pool stay.
fn again(role: &Role, running: &mut Targets, pool: bool) -> Result<(AgentConfig, bool), CliError> {
    let mut targets = role.targets()?;
    let same_pool = (&targets.pool, targets.has_pool()) == (&running.pool, pool);
    if !same_pool {
        let direct = DirectConfig { allow: targets.direct.allow, ..running.direct.clone() };
        targets = Targets { direct, ..running.clone() };
    }
    let config = role.config(&targets, pool)?;
    *running = targets;
    Ok((config, same_pool))
}

/// The pool that was named, or one that answers on this machine, and the way to it; `None` for an agent without a pool.
async fn pool_access(
    connection: &ConnectionArgs,
    targets: &Targets,
    config: &AgentConfig,
    limits: &PoolLinkLimits,
    screen: Screen,
) -> Result<Option<PoolAccess>, CliError> {
    if !config.pool {
        screen.say(&without_pool(config));
        return Ok(None);
    }
    let address = find_pool(targets.pool.as_deref(), connection.protocol.protocol == 3, screen).await?;
    let connector = Arc::new(NetConnector::with_limits(address.clone(), connection.node.trust()?, limits));
    let (join, accepted) = (connection.join.secret()?, connection.accept_pool_key);
    Ok(Some(PoolAccess { address, connector, join, accepted }))
}

fn without_pool(config: &AgentConfig) -> Line {
    let (hosts, clients) = (config.direct.hosts.len(), config.direct.allow.len());
    let part = |count: usize, one: &str, more: &str| match count {
        0 => None,
        1 => Some(one.to_owned()),
        more_than_one => Some(more.replace("{}", &more_than_one.to_string())),
    };
    let keeps = part(hosts, "connects to the given host", "connects to the {} given hosts");
    let serves = part(clients, "admits the client in --allow", "admits the {} clients in --allow");
    let does: Vec<String> = keeps.into_iter().chain(serves).collect();
    let text = format!("Running without a pool: {}. Nothing is sold or metered", does.join(", "));
    Line::new("without_pool", Tone::Plain, text).with("hosts", hosts).with("clients", clients)
}

/// Heartbeats for as long as the agent answers. Until its first answer, it waits for its node.
fn heartbeat(status: StatusSource) -> Heartbeat {
    let started = Arc::new(AtomicBool::new(false));
    Heartbeat::start(move || {
        let (status, started) = (status.clone(), Arc::clone(&started));
        async move {
            let answered = timeout(ANSWER, status.status()).await.is_ok_and(|status| status.is_some());
            started.fetch_or(answered, Ordering::Relaxed);
            answered || !started.load(Ordering::Relaxed)
        }
    })
}

/// A running agent answers within this time.
const ANSWER: Duration = Duration::from_secs(10);

/// Runs an agent until it is stopped, and everything is undone.
pub(crate) async fn run(role: Role, screen: Screen, signals: Signals, reload: Reload) -> Result<(), CliError> {
    if role.print_limits(screen)? {
        return Ok(());
    }
    serve(role, screen, signals, reload).await
}

async fn serve(role: Role, screen: Screen, signals: Signals, mut reload: Reload) -> Result<(), CliError> {
    let limits = role.limits()?;
    let metrics_funds = limits.metrics.metrics_funds;
    // A SIGHUP while the agent waits for its node is kept until it runs.
    let mut hangups = ReloadSignals::listen(&signals)?;
    role.check(screen)?;
    let mut targets = role.targets()?;
    let has_pool = targets.has_pool();
    let mut config = role.config(&targets, has_pool)?;
    let trust = role.connection.node.trust()?;
    if let Some(named) = targets.pool.as_deref().filter(|_| config.pool) {
        named_pool(named)?.check(&trust)?;
    }
    let shown = if role.runtime.dry_run {
        None
    } else {
        agent_metrics::serve(&role.runtime.metrics, limits.metrics, screen).await?
    };
    // A node that is offline is no reason to restart the agent, which waits for it.
    service_manager::ready();
    let waiting = Heartbeat::start(|| std::future::ready(true));
    let patience = if role.runtime.dry_run { RetryPolicy::None } else { RetryPolicy::Wait };
    let FoundNode { node, endpoint } = tokio::select! {
        found = find_node(&role.connection.node, role.connection.nodekey.as_deref(), limits.node, patience, screen) => found?,
        () = signals.first() => return Ok(()),
    };
    if role.runtime.dry_run {
        return dry_run(&*node, &config, screen).await;
    }
    let flags = AgentFlags::default();
    flags.set(reload.flags());
    let kept = kept_peers(&*node, &endpoint, &FinderEnvironment::here()).await;
    config.keep.extend(&kept);
    let pool = pool_access(&role.connection, &targets, &config, &limits.pool, screen).await?;
    let (runner, mut notices) = AgentRunner::spawn(RunnerConfig {
        node,
        pool,
        resolver: Arc::new(SystemResolver),
        state_root: StateDir::root(role.connection.node.state_dir.as_deref())?,
        node_key: node_key_at(role.connection.nodekey, endpoint),
        agent: config,
        connections: role.connection.node.trust.settings(),
        flags: flags.clone(),
        metrics: shown.as_ref().map(|(metrics, _server)| metrics.clone()),
        notice_limits: limits.notices,
        statement_limits: limits.statements,
        metrics_funds,
    });
    drop(waiting);
    let _heartbeat = heartbeat(runner.status().clone());
    let _live = StatusLine::of_agent(runner.status().clone(), screen);
    let mut stopping = false;
    loop {
        tokio::select! {
            () = signals.first(), if !stopping => {
                stopping = true;
                begin_to_stop(&runner, screen);
            }
            () = hangups.next(), if !stopping => {
                read_again(&mut reload, (&mut targets, has_pool), (&kept, &trust), &runner, screen);
                flags.set(reload.flags());
            }
            notice = notices.recv() => match notice {
                Some(notice) => screen.say(&agent_notice_line(&notice)),
                None => break,
            },
        }
    }
    ended(runner, screen).await
}

fn begin_to_stop(runner: &AgentRunner, screen: Screen) {
    let text = "Stopping: undoing all changes to the node. A second signal (Ctrl-C) stops at once and leaves them in \
                place.";
    service_manager::stopping();
    screen.say(&Line::new("stopping", Tone::Plain, text));
    runner.stop();
}

/// Waits for the end, and reports it.
async fn ended(runner: AgentRunner, screen: Screen) -> Result<(), CliError> {
    let ended = runner.join().await;
    // After a fault, an error follows.
    if ended.is_ok() {
        screen.say(&stopped(Tone::Good, "Stopped; all changes to the node are undone"));
    }
    Ok(ended?)
}

/// The last state of an agent.
pub(super) fn stopped(tone: Tone, text: &str) -> Line {
    Line::new("stopped", tone, text).with("state", "stopped")
}

/// Where the node's key is: in the file that the user named, or where clients keep it.
fn node_key_at(named: Option<PathBuf>, endpoint: Endpoint) -> NodeKeyAt {
    match named {
        Some(path) => NodeKeyAt::File(path),
        None => NodeKeyAt::Search { endpoint, environment: FinderEnvironment::here() },
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;

    fn role(line: &[&str]) -> Role {
        let matches = Cli::command().try_get_matches_from([&["vipnode", "agent"], line].concat()).unwrap();
        Role::of(Cli::from_arg_matches(&matches).unwrap()).unwrap()
    }

    fn enode(byte: &str) -> String {
        format!("enode://{}@10.0.0.1:30303", byte.repeat(64))
    }

    #[test]
    fn a_reload_neither_ends_nor_begins_a_pool() {
        let allow = format!("--allow={}", "0a".repeat(64));
        let mut found = Targets::default();
        let (config, same) = again(&role(&[&allow]), &mut found, true).unwrap();
        assert!(config.pool && !same && config.min_peers > 0 && config.host.unwrap().slots > 0);
        assert_eq!((config.direct.allow.len(), found.direct.allow.len()), (1, 1));
        let mut alone = role(&[&allow]).targets().unwrap();
        let (config, same) = again(&role(&[]), &mut alone, false).unwrap();
        assert!(!config.pool && !same && config.direct.allow.is_empty());
        assert_eq!((config.min_peers, config.host.unwrap().slots), (0, 0));
    }

    #[test]
    fn with_another_pool_the_hosts_stay_that_are_there_now() {
        let (one, two, three) = (enode("0a"), enode("0b"), enode("0c"));
        let mut running = role(&["wss://p.example", &one]).targets().unwrap();
        let (config, same) = again(&role(&["wss://p.example", &one, &two]), &mut running, true).unwrap();
        assert!(same && config.direct.hosts.len() == 2);
        let hosts = config.direct.hosts;
        let (config, same) = again(&role(&["wss://q.example", &three]), &mut running, true).unwrap();
        assert!(!same);
        assert_eq!(config.direct.hosts, hosts);
    }
}
