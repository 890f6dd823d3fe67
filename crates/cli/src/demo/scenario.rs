use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout, timeout_at},
};
use vipnode_agent::{NetConnector, PoolAddress};
use vipnode_node::Trust;
use vipnode_types::{Asset, NodeId, Price, wire::PoolStatus};

use super::{
    display::DemoDisplay,
    fleet::Fleet,
    geth::DemoGeth,
    processes::{Process, ProcessEvent},
    roles::DemoRole,
    tables,
    timeline::{Timeline, TimelineEntry},
    wording,
};
use crate::{
    args::DemoArgs,
    error::{CliError, CommandError},
    output::Tone,
    signals::Signals,
};

/// ProcessEvent by processes and not yet heard; beyond it they wait.
const SAID: usize = 1_024;
/// The longest wait for one step, on a machine under load.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// How long the meters are shown, before the kill and after.
const WATCH: Duration = Duration::from_secs(5);
/// A table that moves is drawn this often.
const REDRAW: Duration = Duration::from_millis(200);
/// A dead side is metered up to its last report, so reports are frequent in a short demo.
const REPORTS: &str = "--report-interval=1s";
/// The pause between two questions to the pool.
const POLL: Duration = Duration::from_millis(100);

/// Everything that runs, and what happened so far.
pub(super) struct Scenario {
    fleet: Fleet,
    processes: BTreeMap<DemoRole, Process>,
    timeline: Timeline,
    said: mpsc::Sender<ProcessEvent>,
    heard: mpsc::Receiver<ProcessEvent>,
    dir: TempDir,
    verbose: u8,
}

/// Runs the demo. On Ctrl-C it stops everything in order.
pub(super) async fn run(
    args: &DemoArgs,
    mut display: DemoDisplay,
    signals: &Signals,
    verbose: u8,
) -> Result<(), CliError> {
    let geth = if args.simulated { None } else { DemoGeth::find(args.geth.as_deref()) };
    for text in wording::intro(geth.as_deref()) {
        display.say(&text);
    }
    let price = args.price.in_asset(Asset::ETHER).map_err(|why| CommandError::Price { why })?;
    let mut scenario = tokio::select! {
        scenario = Scenario::prepare(geth.as_deref(), price, verbose) => scenario?,
        () = signals.first() => return Ok(()),
    };
    let acted = tokio::select! {
        acted = scenario.act(args, &mut display) => acted,
        () = signals.first() => {
            display.say("Stopping: every agent undoes its changes.");
            Ok(())
        }
    };
    let closed = scenario.close(&mut display).await;
    acted.and(closed)
}

impl Scenario {
    /// Starts the nodes.
    pub(super) async fn prepare(geth: Option<&Path>, price: Price, verbose: u8) -> Result<Self, CliError> {
        let dir = TempDir::with_prefix("vipnode-demo-").map_err(|error| CommandError::DemoDir { error })?;
        let roles: Vec<DemoRole> = DemoRole::HOSTS.into_iter().chain(DemoRole::CLIENTS).collect();
        let fleet = Fleet::start(&roles, dir.path(), geth).await?;
        let names = fleet.members().map(|(who, member)| (member.id.to_string(), who)).collect();
        let (said, heard) = mpsc::channel(SAID);
        let timeline = Timeline::new(names, price);
        Ok(Self { fleet, processes: BTreeMap::new(), timeline, said, heard, dir, verbose })
    }

    async fn act(&mut self, args: &DemoArgs, display: &mut DemoDisplay) -> Result<(), CliError> {
        display.say("1  A pool starts, and two hosts sell peer slots on their nodes");
        self.start_pool(vec![format!("--price={}", args.price)], display).await?;
        for who in DemoRole::HOSTS {
            self.start_agent(who, &["host", "--max-head-age=off"])?;
        }
        self.until_hosts_joined(display).await?;
        display.say("2  Three clients each look for one good peer");
        for who in DemoRole::CLIENTS {
            self.start_agent(who, &["client", "--min-peers=1"])?;
        }
        self.until("waiting for every client to have a host", display, all_served).await?;
        display.say("3  Both sides report the connection, so the meters run");
        self.watch_meters(WATCH, display).await?;
        self.kill_a_host(display).await?;
        display.say("5  The dead host's meters have stopped; the new meters are running");
        self.watch_meters(WATCH, display).await?;
        if args.keep_running {
            let pool = self.timeline.pool.clone().unwrap_or_default();
            display.say(&wording::running(&pool, &http(&pool)));
            self.stay(display).await?;
        }
        Ok(())
    }

    /// Kills the busier host and its node, and measures the time until its clients have another host.
    async fn kill_a_host(&mut self, display: &mut DemoDisplay) -> Result<(), CliError> {
        let busier = DemoRole::HOSTS.into_iter().max_by_key(|host| self.timeline.clients_of(*host));
        let Some(victim) = busier else { return Ok(()) };
        display.say(&format!("4  {victim} dies: kill -9 of its agent and its node"));
        let killed = Instant::now();
        if let Some(process) = self.processes.remove(&victim) {
            process.kill().await;
        }
        self.fleet.kill(victim).await;
        self.until("waiting for its clients to detect it", display, |timeline| timeline.clients_of(victim) == 0)
            .await?;
        self.until("waiting for its clients to have another host", display, all_served).await?;
        let ms = killed.elapsed().as_millis();
        display.say(&format!("   All clients have a host again, {ms} ms after the kill."));
        Ok(())
    }

    /// Ends everything in order and sums up.
    async fn close(mut self, display: &mut DemoDisplay) -> Result<(), CliError> {
        display.say("6  All agents stop and undo their changes to the nodes");
        self.stop(&DemoRole::CLIENTS, display).await;
        let status = self.pool_status().await;
        self.stop(&DemoRole::HOSTS, display).await;
        let left = self.fleet.connections().await;
        self.stop(&[DemoRole::Pool], display).await;
        match &left {
            Ok(0) => display.say("   No connections made by vipnode remain."),
            Ok(left) => display.say(&format!("   Connections that remain between the nodes: {left}")),
            Err(_) => {}
        }
        if let Some(status) = status {
            let now = Instant::now();
            let table = tables::summary(&self.timeline, now);
            display.say(&wording::summary(self.fleet.word()));
            display.show("summary", &table, tables::rows(&self.timeline, now), Some(&status.stats));
        }
        self.remove().await?;
        left.map(|_| ())
    }

    /// Ends everyone who still runs, in order, without a summary.
    pub(super) async fn end(mut self, display: &mut DemoDisplay) -> Result<(), CliError> {
        for roles in [&DemoRole::CLIENTS[..], &DemoRole::HOSTS, &[DemoRole::Pool]] {
            self.stop(roles, display).await;
        }
        self.remove().await
    }

    /// Stops the nodes and removes all files.
    async fn remove(self) -> Result<(), CliError> {
        self.fleet.stop().await;
        let dir = self.dir.path().to_owned();
        Ok(self.dir.close().map_err(|error| CommandError::DemoDirLeft { dir, error })?)
    }

    /// The directory of all files.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The data directory of the pool: its own, so that the demo is none of the pools that `vipnode pool admin` finds without
    /// flags.
    pub(super) fn datadir(&self) -> PathBuf {
        self.dir.path().join("pool")
    }

    /// The state directory of the agents.
    pub(super) fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The node of an agent.
    pub(super) fn node(&self, who: DemoRole) -> Option<NodeId> {
        Some(self.fleet.member(who)?.id)
    }

    /// Starts the pool with further flags, and waits until it listens.
    pub(super) async fn start_pool(&mut self, flags: Vec<String>, display: &mut DemoDisplay) -> Result<(), CliError> {
        let datadir = format!("--datadir={}", self.datadir().display());
        let mut args = vec!["pool".into(), "--bind=127.0.0.1:0".into(), REPORTS.into(), datadir];
        args.extend(flags);
        self.start(DemoRole::Pool, args)?;
        self.until("waiting for the pool to listen", display, |timeline| timeline.pool.is_some()).await
    }

    pub(super) async fn until_hosts_joined(&mut self, display: &mut DemoDisplay) -> Result<(), CliError> {
        self.until("waiting for both hosts to join", display, |timeline| {
            DemoRole::HOSTS.iter().all(|who| timeline.joined.contains(who))
        })
        .await
    }

    fn start(&mut self, who: DemoRole, mut args: Vec<String>) -> Result<(), CliError> {
        args.extend((0..self.verbose).map(|_| "-v".to_owned()));
        let process = Process::start(who, &args, &self.said)?;
        self.processes.insert(who, process);
        Ok(())
    }

    pub(super) fn start_agent(&mut self, who: DemoRole, args: &[&str]) -> Result<(), CliError> {
        let Some(member) = self.fleet.member(who) else { return Ok(()) };
        let pool = self.timeline.pool.clone().unwrap_or_default();
        let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        args.push(pool);
        args.push(format!("--rpc={}", member.rpc));
        args.push(format!("--nodekey={}", member.key_file.display()));
        args.push(format!("--state-dir={}", self.state_dir().display()));
        self.start(who, args)
    }

    /// Handles events while something else is done.
    pub(super) async fn during<T>(
        &mut self,
        display: &mut DemoDisplay,
        work: impl Future<Output = Result<T, CliError>>,
    ) -> Result<T, CliError> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                said = self.heard.recv() => self.hear(said, display)?,
            }
        }
    }

    /// Handles events, and asks again and again until there is an answer.
    pub(super) async fn poll<T>(
        &mut self,
        what: &str,
        display: &mut DemoDisplay,
        ask: impl AsyncFn() -> Result<Option<T>, CliError>,
    ) -> Result<T, CliError> {
        let asking = async {
            loop {
                if let Some(answer) = ask().await? {
                    return Ok(answer);
                }
                sleep(POLL).await;
            }
        };
        let timely = async { timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err(timed_out(what))) };
        self.during(display, timely).await
    }

    /// Handles events until a condition holds.
    pub(super) async fn until(
        &mut self,
        what: &str,
        display: &mut DemoDisplay,
        is_so: impl Fn(&Timeline) -> bool,
    ) -> Result<(), CliError> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.timeline) {
            let Ok(said) = timeout_at(deadline, self.heard.recv()).await else {
                return Err(timed_out(what));
            };
            self.hear(said, display)?;
        }
        Ok(())
    }

    /// Shows the meters for a while: moving on a terminal, at the end everywhere.
    pub(super) async fn watch_meters(&mut self, time: Duration, display: &mut DemoDisplay) -> Result<(), CliError> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            display.show_moving(&tables::meters(&self.timeline, Instant::now()));
            let redraw = (Instant::now() + REDRAW).min(end);
            while let Ok(said) = timeout_at(redraw, self.heard.recv()).await {
                self.hear(said, display)?;
            }
        }
        let now = Instant::now();
        let table = tables::meters(&self.timeline, now);
        display.show("meters", &table, tables::rows(&self.timeline, now), None);
        Ok(())
    }

    /// Shows events until it is canceled.
    async fn stay(&mut self, display: &mut DemoDisplay) -> Result<(), CliError> {
        loop {
            let said = self.heard.recv().await;
            self.hear(said, display)?;
        }
    }

    fn hear(&mut self, said: Option<ProcessEvent>, display: &mut DemoDisplay) -> Result<(), CliError> {
        let Some((who, said)) = said else { return Ok(()) };
        if let Some(entry) = self.timeline.hear(Instant::now(), who, &said) {
            display.show_event(who, &entry);
        } else if self.verbose > 0
            && let Some(text) = said.get("text").and_then(serde_json::Value::as_str)
        {
            display.show_event(who, &TimelineEntry { tone: Tone::Plain, text: text.to_owned() });
        }
        // Who was stopped or killed on purpose is not among the processes any more.
        if self.timeline.ended.contains(&who) && self.processes.contains_key(&who) {
            let (why, fix) = self.timeline.error_of(who).unwrap_or_default();
            return Err(CommandError::DemoEnded { role: who.to_string(), why, fix }.into());
        }
        Ok(())
    }

    /// Stops these and waits for their ends; goes on handling events, so that no process waits for the demo.
    pub(super) async fn stop(&mut self, roles: &[DemoRole], display: &mut DemoDisplay) {
        let stopping: Vec<(DemoRole, Process)> =
            roles.iter().filter_map(|who| self.processes.remove(who).map(|process| (*who, process))).collect();
        for (_, process) in &stopping {
            process.ask_to_stop();
        }
        let ends = join_all(stopping.into_iter().map(async |(who, process)| (who, process.ended().await)));
        tokio::pin!(ends);
        let ended = loop {
            tokio::select! {
                biased;
                said = self.heard.recv() => {
                    // Ends are what is wanted here.
                    let _ended = self.hear(said, display);
                }
                ended = &mut ends => break ended,
            }
        };
        for (who, well) in ended {
            let entry = match well {
                true => TimelineEntry { tone: Tone::Good, text: "stopped".to_owned() },
                false => TimelineEntry { tone: Tone::Warning, text: "was killed, or ended with an error".to_owned() },
            };
            display.show_event(who, &entry);
        }
    }

    pub(super) async fn pool_status(&self) -> Option<PoolStatus> {
        let url = http(self.timeline.pool.as_deref()?);
        let connector = NetConnector::new(PoolAddress::read(&url).ok()?, Trust::default());
        vipnode_agent::pool_status(&connector).await.ok()
    }
}

/// A step took longer than [`PATIENCE`].
pub(super) fn timed_out(step: &str) -> CliError {
    CommandError::DemoTimeout { seconds: PATIENCE.as_secs(), step: step.to_owned() }.into()
}

pub(super) fn all_served(timeline: &Timeline) -> bool {
    DemoRole::CLIENTS.iter().all(|client| timeline.is_served(*client))
}

/// The same pool over HTTP.
fn http(pool: &str) -> String {
    pool.replacen("ws://", "http://", 1)
}
