use std::sync::Arc;

use vipnode_agent::{AgentRunner, NetDoor, NodeKeyAt, RunnerConfig, state::StateDir};
use vipnode_agent_core::{AgentConfig, PeerPolicy};
use vipnode_node::finder::Surroundings;
use vipnode_types::PeerRules;

use crate::{
    args::{AgentArgs, Between, Cli, ClientArgs, Command, HostArgs, Seeking, Selling},
    commands::{agent_metrics, join::join_secret, speaking},
    config::{Reload, say_kept},
    dry_run::dry_run,
    failure::Failure,
    find_node::{Beside, Patience, find_node},
    find_pool::find_pool,
    screen::{Line, Screen, Tone},
    signals::{Hangups, Signals},
    told_line::told_line,
};

/// What an agent is: host, client, or both.
#[derive(Debug)]
pub(crate) struct Role {
    between: Between,
    selling: Option<Selling>,
    seeking: Option<Seeking>,
}

impl Role {
    pub(crate) fn both(args: AgentArgs) -> Self {
        Self { between: args.between, selling: Some(args.selling), seeking: Some(args.seeking) }
    }

    pub(crate) fn host(args: HostArgs) -> Self {
        Self { between: args.between, selling: Some(args.selling), seeking: None }
    }

    pub(crate) fn client(args: ClientArgs) -> Self {
        Self { between: args.between, selling: None, seeking: Some(args.seeking) }
    }

    /// What the command line of this very command says.
    fn of(cli: Cli) -> Option<Self> {
        match cli.command {
            None => Some(Self::both(cli.agent)),
            Some(Command::Agent(args)) => Some(Self::both(args)),
            Some(Command::Host(args)) => Some(Self::host(args)),
            Some(Command::Client(args)) => Some(Self::client(args)),
            Some(_) => None,
        }
    }

    fn config(&self) -> AgentConfig {
        AgentConfig {
            agent_version: concat!("vipnode/", env!("CARGO_PKG_VERSION")).to_owned(),
            min_peers: self.seeking.as_ref().map_or(0, |seeking| seeking.min_peers),
            max_price: self.seeking.as_ref().and_then(|seeking| seeking.max_price),
            policy: self.policy(),
            host: self.selling.as_ref().map(Selling::host_config),
            advertise: speaking::advertise(&self.between.speaking),
            protocol2: speaking::protocol2(&self.between.speaking),
            allow_protocol2: self.between.speaking.allow_protocol_2,
            // The runner draws one.
            seed: [0; 32],
        }
    }
}

impl Role {
    fn policy(&self) -> PeerPolicy {
        let choosing = &self.between.choosing;
        let need = self.seeking.as_ref().map(|seeking| seeking.need.clone()).unwrap_or_default();
        let rules = PeerRules { need, min_versions: choosing.min_client_version.clone() };
        PeerPolicy { rules, reject: choosing.reject_client.clone() }
    }
}

/// What SIGHUP changes: all that is in [`AgentConfig`].
const LIVE: [&str; 13] = [
    "slots",
    "reserve",
    "node-max-peers",
    "payout",
    "max-head-age",
    "min-peers",
    "max-price",
    "need",
    "min-client-version",
    "reject-client",
    "enode",
    "enode.host",
    "allow-protocol-2",
];

/// SIGHUP: reads the settings again. The pool hears of them by another connect, which ends no lease.
fn read_again(reload: &mut Reload, runner: &AgentRunner, screen: Screen) {
    let Some((cli, newer)) = reload.read(screen) else { return };
    let Some(role) = Role::of(cli) else { return };
    let config = role.config();
    let checked = speaking::check(&role.between, role.seeking.as_ref(), screen).and_then(|()| match &config.host {
        Some(host) => host.check().map_err(|error| vipnode_agent::AgentError::from(error).into()),
        None => Ok(()),
    });
    if let Err(failure) = checked {
        return say_kept(&failure.what, &failure.mend, screen);
    }
    if reload.differs(&newer, &LIVE) {
        runner.configure(config);
    }
    reload.done(newer, &LIVE, &[], screen);
}

/// Runs an agent until it is stopped, and everything is undone.
pub(crate) async fn run(role: Role, screen: Screen, signals: Signals, mut reload: Reload) -> Result<(), Failure> {
    speaking::check(&role.between, role.seeking.as_ref(), screen)?;
    let config = role.config();
    if let Some(host) = &config.host {
        host.check().map_err(vipnode_agent::AgentError::from)?;
    }
    let shown = match role.between.dry_run {
        true => None,
        false => agent_metrics::serve(&role.between.metrics, screen).await?,
    };
    let patience = if role.between.dry_run { Patience::None } else { Patience::Wait };
    let Beside { node, endpoint } = tokio::select! {
        found = find_node(&role.between.node, patience, screen) => found?,
        () = signals.first() => return Ok(()),
    };
    if role.between.dry_run {
        return dry_run(&*node, role.selling.is_some(), role.seeking.is_some(), screen).await;
    }
    let pool = find_pool(role.between.pool.as_deref(), config.protocol2.is_none(), screen).await?;
    let (runner, mut told) = AgentRunner::spawn(RunnerConfig {
        node,
        door: Arc::new(NetDoor::new(pool.clone(), role.between.node.trust()?)),
        pool,
        join: join_secret(&role.between.join)?,
        state_root: StateDir::root(role.between.node.state_dir.as_deref())?,
        node_key: match role.between.nodekey {
            Some(path) => NodeKeyAt::File(path),
            None => NodeKeyAt::Search { endpoint, surroundings: Surroundings::here() },
        },
        agent: config,
        metrics: shown.as_ref().map(|(metrics, _server)| metrics.clone()),
    });
    let mut hangups = Hangups::listen()?;
    let mut stopping = false;
    loop {
        tokio::select! {
            () = signals.first(), if !stopping => {
                stopping = true;
                screen.say(&Line::new("stopping", Tone::Plain, "stopping: undoing what was done to the node"));
                runner.stop();
            }
            () = hangups.next(), if !stopping => read_again(&mut reload, &runner, screen),
            said = told.recv() => match said {
                Some(said) => screen.say(&told_line(&said)),
                None => break,
            },
        }
    }
    runner.join().await?;
    screen.say(&Line::new("stopped", Tone::Good, "stopped; the node is as its owner made it"));
    Ok(())
}
