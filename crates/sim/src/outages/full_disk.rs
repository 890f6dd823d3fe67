use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    runtime,
    sync::Semaphore,
    task::{JoinSet, LocalSet},
    time::{Instant, interval, sleep},
};
use vipnode_types::{
    TypedError as _,
    wire::{WireError, method},
};

use super::{
    agent_socket::AgentSocket,
    steady_agent::{SteadyAgent, SteadyTally},
};
use crate::bench::{LoadAgent, ServerProcess, WsClient, raise_open_files};

/// Each tenth agent is a host.
const CLIENTS_A_HOST: u32 = 9;
/// Agents that connect at the same time.
const AT_ONCE: usize = 64;
/// How long after there is space again the pool may take to serve newcomers.
const BACK: Duration = Duration::from_secs(10);
/// How long a pool may take to pair all its agents, or to hear from all of them.
const PATIENCE: Duration = Duration::from_secs(300);

/// The options of `full-disk`.
#[derive(Debug, clap::Args)]
pub(crate) struct FullDiskArgs {
    /// How many agents are connected; each tenth is a host, the others are clients of them.
    #[arg(long, default_value_t = 10_000)]
    agents: u32,
    /// For how many seconds the disk is full.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// The size of the disk in MiB.
    #[arg(long, default_value_t = 256)]
    size: u32,
}

/// Fills the disk of a pool for a while. Returns whether the pool closed no connection, ended no lease, and served newcomers soon
/// after there was space again.
pub(crate) fn full_disk(args: &FullDiskArgs, out: &mut impl Write) -> io::Result<bool> {
    raise_open_files()?;
    let disk = SmallDisk::mount(args.size)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = LocalSet::new().block_on(&runtime, run(args, &disk))?;
    writeln!(out, "{outcome}")?;
    Ok(outcome.is_good())
}

/// What the agents of a pool noticed.
struct Outcome {
    agents: u32,
    leases: u64,
    full: Duration,
    /// Unchanged reports that were answered while the disk was full.
    reports: u64,
    /// Newcomers that were answered "busy".
    refused: u64,
    closed: Vec<String>,
    ended: u64,
    back: Duration,
}

impl Outcome {
    fn is_good(&self) -> bool {
        self.refused > 0 && self.closed.is_empty() && self.ended == 0 && self.back <= BACK
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { agents, leases, full, reports, refused, closed, ended, back } = self;
        write!(
            to,
            "{agents} agents with {leases} leases, the disk full for {} s: {reports} reports answered, {refused} newcomers \
             answered \"busy\", {} sockets closed, {ended} leases ended; the pool served newcomers {} ms after there was space",
            full.as_secs(),
            closed.len(),
            back.as_millis()
        )?;
        closed.first().map_or(Ok(()), |why| write!(to, "\nthe first socket closed: {why}"))
    }
}

async fn run(args: &FullDiskArgs, disk: &SmallDisk) -> io::Result<Outcome> {
    let pool = ServerProcess::start_in(&disk.0.join("pool"))?;
    let (tally, connecting) = (Rc::new(SteadyTally::default()), Rc::new(Semaphore::new(AT_ONCE)));
    let hosts = (args.agents / (CLIENTS_A_HOST + 1)).max(1);
    let leases = u64::from(args.agents.saturating_sub(hosts));
    let mut agents = JoinSet::new();
    for number in 0..args.agents {
        // Slots to spare, so that no client waits.
        let slots = (number < hosts).then_some(CLIENTS_A_HOST * 3);
        let agent = SteadyAgent { agent: LoadAgent::new(number)?, slots, tally: Rc::clone(&tally) };
        agents.spawn_local(agent.run(pool.address, Rc::clone(&connecting)));
    }
    let mut observer = Observer { pool: &pool, next: args.agents };
    observer.until_running(leases, &tally).await?;
    tally.begin();
    let (filler, before) = (disk.fill()?, tally.reports.get());
    let refused = observer.refused_for(Duration::from_secs(args.seconds)).await?;
    let reports = tally.reports.get().saturating_sub(before);
    fs::remove_file(filler)?;
    let back = observer.until_served().await?;
    // Each agent describes itself again; only then is it known which leases go on.
    let described = tally.described.get();
    let since = Instant::now();
    while tally.described.get().saturating_sub(described) < u64::from(args.agents) && since.elapsed() < PATIENCE {
        sleep(Duration::from_millis(20)).await;
    }
    observer.until_running(leases, &tally).await?;
    Ok(Outcome {
        agents: args.agents,
        leases,
        full: Duration::from_secs(args.seconds),
        reports,
        refused,
        closed: tally.closed.take(),
        ended: tally.ended.get(),
        back,
    })
}

/// Connects as one newcomer after the other, and asks the pool how it is.
struct Observer<'a> {
    pool: &'a ServerProcess,
    /// The number of the next newcomer.
    next: u32,
}

impl Observer<'_> {
    /// Waits until so many leases run.
    async fn until_running(&self, leases: u64, tally: &SteadyTally) -> io::Result<()> {
        let since = Instant::now();
        loop {
            // One that joins as no agent, so that it need not report.
            let wire = WsClient::open(self.pool.address, LoadAgent::new(self.next)?.address()).await?;
            let status = AgentSocket::new(wire).call(method::STATUS, &json!([]), |_, _| ()).await?;
            let running = status.pointer("/stats/num_running_leases").and_then(Value::as_u64).unwrap_or_default();
            if running == leases {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                let closed = tally.closed.take();
                return Err(io::Error::other(format!("{running} of {leases} leases run; sockets closed: {closed:?}")));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Connects as a newcomer; returns whether the pool served it.
    async fn newcomer(&mut self) -> io::Result<bool> {
        let agent = LoadAgent::new(self.next)?;
        self.next = self.next.saturating_add(1);
        match agent.connect_for_reply(self.pool.address, None).await {
            Ok(_) => Ok(true),
            Err(error) if asks_to_try_again(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns how many newcomers were refused in this time.
    async fn refused_for(&mut self, time: Duration) -> io::Result<u64> {
        let (since, mut every, mut refused) = (Instant::now(), interval(Duration::from_millis(250)), 0_u64);
        while since.elapsed() < time {
            every.tick().await;
            refused = refused.saturating_add(u64::from(!self.newcomer().await?));
        }
        Ok(refused)
    }

    /// Returns how long it took until a newcomer was served.
    async fn until_served(&mut self) -> io::Result<Duration> {
        let since = Instant::now();
        while !self.newcomer().await? {
            if since.elapsed() > PATIENCE {
                return Err(io::Error::other("the pool does not serve newcomers again"));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(since.elapsed())
    }
}

/// Whether an error is an answer of the pool that asks to try again.
fn asks_to_try_again(error: &io::Error) -> bool {
    let answer = error.get_ref().and_then(|error| error.downcast_ref::<WireError>());
    answer.is_some_and(|answer| answer.retry_ms().is_some())
}

/// A disk in memory, unmounted when this is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(mebibytes: u32) -> io::Result<Self> {
        let dir = std::env::temp_dir().join(format!("vipnode-full-disk-{}", std::process::id()));
        fs::create_dir(&dir)?;
        let options = format!("size={mebibytes}m,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&dir).status();
        if !mounted.as_ref().is_ok_and(std::process::ExitStatus::success) {
            fs::remove_dir(&dir)?;
            return Err(io::Error::other("a disk in memory could not be mounted: run this as root"));
        }
        Ok(Self(dir))
    }

    /// Writes a file until the disk is full.
    fn fill(&self) -> io::Result<PathBuf> {
        let filler = self.0.join("filler");
        let mut file = fs::File::create(&filler)?;
        // The last bytes too.
        for block in [1 << 16, 1 << 10, 1] {
            while file.write_all(&vec![0; block]).is_ok() {}
        }
        Ok(filler)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmount = |path: &Path| Command::new("umount").arg(path).status();
        let _left_to_the_system = unmount(&self.0).and_then(|_| fs::remove_dir(&self.0));
    }
}
