use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use vipnode_agent::{NetConnector, PoolAddress};
use vipnode_node::Trust;
use vipnode_types::{Asset, wire::PoolStatus};

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
    output::{Screen, Tone},
    signals::Signals,
};

/// ProcessEvent by processes and not yet heard; beyond it they wait.
const SAID: usize = 1_024;
/// The longest wait for one step, on a machine under load.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the meters are shown, before the kill and after.
const WATCH: Duration = Duration::from_secs(5);
/// A table that moves is drawn this often.
const REDRAW: Duration = Duration::from_millis(200);
/// A dead side is metered up to its last report, so reports are frequent in a short demo.
const REPORTS: &str = "--report-interval=1s";

/// Everything that runs, and what happened so far.
struct Scenario {
    fleet: Fleet,
    processes: BTreeMap<DemoRole, Process>,
    timeline: Timeline,
    said: mpsc::Sender<ProcessEvent>,
    heard: mpsc::Receiver<ProcessEvent>,
    dir: TempDir,
    price: String,
    verbose: u8,
}

/// Runs the demo. On Ctrl-C it stops everything in order.
pub(crate) async fn run(args: DemoArgs, screen: Screen, signals: Signals, verbose: u8) -> Result<(), CliError> {
    let mut display = DemoDisplay::new(screen);
    let geth = if args.simulated { None } else { DemoGeth::find(args.geth.as_deref()) };
    let mut scenario = tokio::select! {
        scenario = Scenario::prepare(&args, geth, &mut display, verbose) => scenario?,
        () = signals.first() => return Ok(()),
    };
    let acted = tokio::select! {
        acted = scenario.act(args.keep_running, &mut display) => acted,
        () = signals.first() => {
            display.say("Stopping: every agent undoes its changes.");
            Ok(())
        }
    };
    let closed = scenario.close(&mut display).await;
    acted.and(closed)
}

impl Scenario {
    async fn prepare(
        args: &DemoArgs,
        geth: Option<PathBuf>,
        display: &mut DemoDisplay,
        verbose: u8,
    ) -> Result<Self, CliError> {
        for text in wording::intro(geth.as_deref()) {
            display.say(&text);
        }
        let dir = TempDir::with_prefix("vipnode-demo-").map_err(|error| CommandError::DemoDir { error })?;
        let roles: Vec<DemoRole> = DemoRole::HOSTS.into_iter().chain(DemoRole::CLIENTS).collect();
        let fleet = Fleet::start(&roles, dir.path(), geth.as_deref()).await?;
        let names = fleet.members().map(|(who, member)| (member.id.to_string(), who)).collect();
        let (said, heard) = mpsc::channel(SAID);
        let price = args.price.in_asset(Asset::ETHER).map_err(|why| CommandError::Price { why })?;
        let timeline = Timeline::new(names, price);
        let price = args.price.to_string();
        Ok(Self { fleet, processes: BTreeMap::new(), timeline, said, heard, dir, price, verbose })
    }

    async fn act(&mut self, keep_running: bool, display: &mut DemoDisplay) -> Result<(), CliError> {
        display.say("1  A pool starts, and two hosts sell peer slots on their nodes");
        let price = format!("--price={}", self.price);
        // Its own directory, so that the demo is none of the pools that `vipnode pool admin` finds without flags.
        let datadir = format!("--datadir={}", self.dir.path().join("pool").display());
        self.start(DemoRole::Pool, vec!["pool".into(), "--bind=127.0.0.1:0".into(), REPORTS.into(), price, datadir])?;
        self.until("waiting for the pool to listen", display, |timeline| timeline.pool.is_some()).await?;
        for who in DemoRole::HOSTS {
            self.start_agent(who, &["host", "--max-head-age=off"])?;
        }
        self.until("waiting for both hosts to join", display, |timeline| {
            DemoRole::HOSTS.iter().all(|who| timeline.joined.contains(who))
        })
        .await?;
        display.say("2  Three clients each look for one good peer");
        for who in DemoRole::CLIENTS {
            self.start_agent(who, &["client", "--min-peers=1"])?;
        }
        self.until("waiting for every client to have a host", display, all_served).await?;
        display.say("3  Both sides report the connection, so the meters run");
        self.watch_meters(display).await?;
        self.kill_a_host(display).await?;
        display.say("5  The dead host's meters have stopped; the new meters are running");
        self.watch_meters(display).await?;
        if keep_running {
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
        self.fleet.stop().await;
        let dir = self.dir.path().to_owned();
        self.dir.close().map_err(|error| CommandError::DemoDirLeft { dir, error })?;
        left.map(|_| ())
    }

    fn start(&mut self, who: DemoRole, mut args: Vec<String>) -> Result<(), CliError> {
        args.extend((0..self.verbose).map(|_| "-v".to_owned()));
        let process = Process::start(who, &args, &self.said)?;
        self.processes.insert(who, process);
        Ok(())
    }

    fn start_agent(&mut self, who: DemoRole, args: &[&str]) -> Result<(), CliError> {
        let Some(member) = self.fleet.member(who) else { return Ok(()) };
        let pool = self.timeline.pool.clone().unwrap_or_default();
        let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        args.push(pool);
        args.push(format!("--rpc={}", member.rpc));
        args.push(format!("--nodekey={}", member.key_file.display()));
        args.push(format!("--state-dir={}", self.dir.path().join("state").display()));
        self.start(who, args)
    }

    /// Handles events until a condition holds.
    async fn until(
        &mut self,
        what: &str,
        display: &mut DemoDisplay,
        is_so: impl Fn(&Timeline) -> bool,
    ) -> Result<(), CliError> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.timeline) {
            let Ok(said) = timeout_at(deadline, self.heard.recv()).await else {
                return Err(CommandError::DemoTimeout { seconds: PATIENCE.as_secs(), step: what.to_owned() }.into());
            };
            self.hear(said, display)?;
        }
        Ok(())
    }

    /// Shows the meters for a while: moving on a terminal, at the end everywhere.
    async fn watch_meters(&mut self, display: &mut DemoDisplay) -> Result<(), CliError> {
        let end = Instant::now() + WATCH;
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
    async fn stop(&mut self, roles: &[DemoRole], display: &mut DemoDisplay) {
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

    async fn pool_status(&self) -> Option<PoolStatus> {
        let url = http(self.timeline.pool.as_deref()?);
        let connector = NetConnector::new(PoolAddress::read(&url).ok()?, Trust::default());
        vipnode_agent::pool_status(&connector).await.ok()
    }
}

fn all_served(timeline: &Timeline) -> bool {
    DemoRole::CLIENTS.iter().all(|client| timeline.is_served(*client))
}

/// The same pool over HTTP.
fn http(pool: &str) -> String {
    pool.replacen("ws://", "http://", 1)
}
