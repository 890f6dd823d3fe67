use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use vipnode_agent::{NetConnector, PoolAddress};
use vipnode_node::Trust;
use vipnode_types::wire::PoolStatus;

use super::{
    display::Stage,
    fleet::Fleet,
    geth::Geth,
    processes::{Process, Said},
    roles::Who,
    tables,
    timeline::{Sentence, Story},
};
use crate::{
    args::DemoArgs,
    error::Failure,
    output::{Screen, Tone},
    signals::Signals,
};

/// Said by processes and not yet heard; beyond it they wait.
const SAID: usize = 1_024;
/// Anything that is waited for; a machine under load takes its time.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the audience watches the meters, before the kill and after.
const WATCH: Duration = Duration::from_secs(5);
/// A table that moves is drawn this often.
const REDRAW: Duration = Duration::from_millis(200);
/// A dead side is metered up to its last report, so in a short play reports are frequent.
const REPORTS: &str = "--report-interval=1s";

/// Shows all of it. On Ctrl-C it ends in order, wherever it is.
pub(crate) async fn run(args: DemoArgs, screen: Screen, signals: Signals, verbose: u8) -> Result<(), Failure> {
    let mut stage = Stage::new(screen);
    let geth = if args.simulated { None } else { Geth::find(args.geth.as_deref()) };
    let mut play = tokio::select! {
        play = Play::prepare(&args, geth, &mut stage, verbose) => play?,
        () = signals.first() => return Ok(()),
    };
    let acted = tokio::select! {
        acted = play.act(args.keep, &mut stage) => acted,
        () = signals.first() => {
            stage.say("Stopping: every agent undoes what it did.");
            Ok(())
        }
    };
    let closed = play.close(&mut stage).await;
    acted.and(closed)
}

/// Everything that runs.
struct Play {
    fleet: Fleet,
    processes: BTreeMap<Who, Process>,
    story: Story,
    said: mpsc::Sender<Said>,
    heard: mpsc::Receiver<Said>,
    dir: TempDir,
    price: String,
    verbose: u8,
}

impl Play {
    async fn prepare(args: &DemoArgs, geth: Option<PathBuf>, stage: &mut Stage, verbose: u8) -> Result<Self, Failure> {
        stage.say(
            "vipnode demo: a pool, 2 hosts and 3 clients on this machine, each a process of its own on real sockets.",
        );
        match &geth {
            Some(program) => stage.say(&format!(
                "Nodes: 5 real ones, {} on a private chain that only this machine can reach. (--simulated: without)",
                program.display()
            )),
            None => stage.say(
                "Nodes: simulated. They speak geth's RPC and behave as geth does. (With geth on the PATH, or --geth PATH: real ones)",
            ),
        }
        let dir = TempDir::with_prefix("vipnode-demo-")
            .map_err(|error| Failure::new(format!("no directory for the demo: {error}"), "set TMPDIR"))?;
        let cast: Vec<Who> = Who::HOSTS.into_iter().chain(Who::CLIENTS).collect();
        let fleet = Fleet::start(&cast, dir.path(), geth.as_deref()).await?;
        let names = fleet.members().map(|(who, member)| (member.id.to_string(), who)).collect();
        let (said, heard) = mpsc::channel(SAID);
        let story = Story::new(names, args.price);
        let price = format!("{} wei", args.price.minute().get());
        Ok(Self { fleet, processes: BTreeMap::new(), story, said, heard, dir, price, verbose })
    }

    async fn act(&mut self, keep: bool, stage: &mut Stage) -> Result<(), Failure> {
        stage.say("1  A pool, and two hosts that sell places on their nodes");
        let price = format!("--price={}", self.price);
        self.start(Who::Pool, vec!["pool".into(), "--bind=127.0.0.1:0".into(), REPORTS.into(), price])?;
        self.until("the pool listens", stage, |story| story.pool.is_some()).await?;
        for who in Who::HOSTS {
            self.start_agent(who, &["host", "--max-head-age=off"])?;
        }
        self.until("both hosts join", stage, |story| Who::HOSTS.iter().all(|who| story.joined.contains(who))).await?;
        stage.say("2  Three clients, each wants one good peer");
        for who in Who::CLIENTS {
            self.start_agent(who, &["client", "--min-peers=1"])?;
        }
        self.until("every client is served", stage, all_served).await?;
        stage.say("3  Both sides see each other, so the meters run");
        self.watch_meters(stage).await?;
        self.kill_a_host(stage).await?;
        stage.say("5  The meters of the dead host stand still, the new ones run");
        self.watch_meters(stage).await?;
        if keep {
            let pool = self.story.pool.clone().unwrap_or_default();
            stage.say(&format!(
                "Stays up until Ctrl-C. Join in: vipnode client {pool}, or look: curl {}/metrics",
                http(&pool)
            ));
            self.stay(stage).await?;
        }
        Ok(())
    }

    /// kill -9 of the busier host and its node, and the time until its clients are served elsewhere.
    async fn kill_a_host(&mut self, stage: &mut Stage) -> Result<(), Failure> {
        let busier = Who::HOSTS.into_iter().max_by_key(|host| self.story.clients_of(*host));
        let Some(victim) = busier else { return Ok(()) };
        stage.say(&format!("4  {victim} dies: kill -9 to its agent and its node"));
        let killed = Instant::now();
        if let Some(process) = self.processes.remove(&victim) {
            process.kill().await;
        }
        self.fleet.kill(victim).await;
        self.until("its clients notice", stage, |story| story.clients_of(victim) == 0).await?;
        self.until("its clients are served elsewhere", stage, all_served).await?;
        let ms = killed.elapsed().as_millis();
        stage.say(&format!("   All clients are served again, {ms} ms after the kill."));
        Ok(())
    }

    /// Ends everything in order and sums up.
    async fn close(mut self, stage: &mut Stage) -> Result<(), Failure> {
        stage.say("6  Everyone stops, and undoes what was done to the nodes");
        self.stop(&Who::CLIENTS, stage).await;
        let status = self.pool_status().await;
        self.stop(&Who::HOSTS, stage).await;
        let left = self.fleet.connections().await;
        self.stop(&[Who::Pool], stage).await;
        match &left {
            Ok(0) => stage.say("   No node has a peer left that vipnode brought."),
            Ok(left) => stage.say(&format!("   {left} connections between the nodes are left!")),
            Err(_) => {}
        }
        if let Some(status) = status {
            let now = Instant::now();
            let table = tables::summary(&self.story, self.fleet.word(), &status.stats, now);
            stage.say("What was metered: the time that both sides reported, a dead side's up to its last report");
            stage.show("summary", &table, tables::rows(&self.story, now), Some(&status.stats));
        }
        self.fleet.stop().await;
        let dir = self.dir.path().to_owned();
        self.dir.close().map_err(|error| Failure::new(format!("{}: {error}", dir.display()), "remove it by hand"))?;
        left.map(|_| ())
    }

    fn start(&mut self, who: Who, mut args: Vec<String>) -> Result<(), Failure> {
        args.extend((0..self.verbose).map(|_| "-v".to_owned()));
        let process = Process::start(who, &args, &self.said)?;
        self.processes.insert(who, process);
        Ok(())
    }

    fn start_agent(&mut self, who: Who, args: &[&str]) -> Result<(), Failure> {
        let Some(member) = self.fleet.member(who) else { return Ok(()) };
        let pool = self.story.pool.clone().unwrap_or_default();
        let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        args.push(pool);
        args.push(format!("--rpc={}", member.rpc));
        args.push(format!("--nodekey={}", member.key_file.display()));
        args.push(format!("--state-dir={}", self.dir.path().join("state").display()));
        self.start(who, args)
    }

    /// Hears what is said until something is so.
    async fn until(&mut self, what: &str, stage: &mut Stage, is_so: impl Fn(&Story) -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.story) {
            let Ok(said) = timeout_at(deadline, self.heard.recv()).await else {
                let text = format!("the demo waited {} s in vain: {what}", PATIENCE.as_secs());
                return Err(Failure::new(text, "vipnode demo -v shows what each process says"));
            };
            self.hear(said, stage)?;
        }
        Ok(())
    }

    /// Shows the meters for a while: moving on a terminal, at the end everywhere.
    async fn watch_meters(&mut self, stage: &mut Stage) -> Result<(), Failure> {
        let end = Instant::now() + WATCH;
        while Instant::now() < end {
            stage.show_moving(&tables::meters(&self.story, self.fleet.word(), Instant::now()));
            let redraw = (Instant::now() + REDRAW).min(end);
            while let Ok(said) = timeout_at(redraw, self.heard.recv()).await {
                self.hear(said, stage)?;
            }
        }
        let now = Instant::now();
        let table = tables::meters(&self.story, self.fleet.word(), now);
        stage.show("meters", &table, tables::rows(&self.story, now), None);
        Ok(())
    }

    /// Tells what happens, for ever.
    async fn stay(&mut self, stage: &mut Stage) -> Result<(), Failure> {
        loop {
            let said = self.heard.recv().await;
            self.hear(said, stage)?;
        }
    }

    fn hear(&mut self, said: Option<Said>, stage: &mut Stage) -> Result<(), Failure> {
        let Some((who, said)) = said else { return Ok(()) };
        if let Some(sentence) = self.story.hear(Instant::now(), who, &said) {
            stage.tell(who, &sentence);
        } else if self.verbose > 0
            && let Some(text) = said.get("text").and_then(serde_json::Value::as_str)
        {
            stage.tell(who, &Sentence { tone: Tone::Plain, text: text.to_owned() });
        }
        // Who was stopped or killed on purpose is not among the processes any more.
        if self.story.ended.contains(&who) && self.processes.contains_key(&who) {
            let (what, hint) = self.story.error_of(who).cloned().unwrap_or_default();
            return Err(Failure::new(format!("{who} ended: {what}"), hint));
        }
        Ok(())
    }

    /// Stops these and waits for their ends; goes on hearing, so that nobody waits for us.
    async fn stop(&mut self, cast: &[Who], stage: &mut Stage) {
        let stopping: Vec<(Who, Process)> =
            cast.iter().filter_map(|who| self.processes.remove(who).map(|process| (*who, process))).collect();
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
                    let _ended = self.hear(said, stage);
                }
                ended = &mut ends => break ended,
            }
        };
        for (who, well) in ended {
            let sentence = match well {
                true => Sentence { tone: Tone::Good, text: "stopped".to_owned() },
                false => Sentence { tone: Tone::Warning, text: "had to be killed, or ended with an error".to_owned() },
            };
            stage.tell(who, &sentence);
        }
    }

    async fn pool_status(&self) -> Option<PoolStatus> {
        let url = http(self.story.pool.as_deref()?);
        let door = NetConnector::new(PoolAddress::read(&url).ok()?, Trust::default());
        vipnode_agent::pool_status(&door).await.ok()
    }
}

fn all_served(story: &Story) -> bool {
    Who::CLIENTS.iter().all(|client| story.is_served(*client))
}

/// The same pool over HTTP.
fn http(pool: &str) -> String {
    pool.replacen("ws://", "http://", 1)
}
