use std::{
    cell::RefCell,
    error::Error,
    fs,
    io::{self, Write},
    path::Path,
    rc::Rc,
    time::Duration,
};

use tokio::{
    runtime,
    task::{JoinSet, LocalSet},
    time::sleep,
};
use vipnode_sim::SimRng;
use vipnode_store::{ReadLimits, SqliteReader, StoreReader as _};
use vipnode_types::{Account, LeaseId, NodeId};

use super::{
    admin_operator::AdminOperator, agent_socket::is_end, client::Client, client_accounts::ClientAccounts, host::Host,
    known_state::KnownState,
};
use crate::bench::{LoadAgent, ServerProcess};

/// Hosts and clients, each with a socket.
const HOSTS: u32 = 4;
const CLIENTS: u32 = 12;
/// Rows that are read at once.
const PAGE: usize = 1_000;

/// The options of `kill`.
#[derive(Debug, clap::Args)]
pub(crate) struct KillArgs {
    /// The seed of the times at which the pool is killed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How often the pool is killed.
    #[arg(long, default_value_t = 1_000)]
    count: u64,
}

/// Kills a pool that charges at random moments under load, and compares its database with what its agents and its operator know.
/// Returns whether everything that was acknowledged is there, and all sums add up.
pub(crate) fn kills(args: &KillArgs, out: &mut impl Write) -> io::Result<bool> {
    let dir = std::env::temp_dir().join(format!("vipnode-kills-{}", std::process::id()));
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = LocalSet::new().block_on(&runtime, all(args, &dir));
    let _left = fs::remove_dir_all(&dir);
    match ended? {
        Ok(summary) => writeln!(out, "{summary}")?,
        Err(what) => {
            writeln!(out, "{what}")?;
            return Ok(false);
        }
    }
    Ok(true)
}

async fn all(args: &KillArgs, dir: &Path) -> io::Result<Result<String, Box<dyn Error>>> {
    let mut rng = SimRng::new(args.seed);
    let known = Rc::new(RefCell::new(KnownState::default()));
    let (mut periods, mut billed_ms, mut last) = (0_u64, 0_u64, None);
    for kill in 1..=args.count {
        one(&known, dir, &mut rng).await?;
        let mut known = known.borrow_mut();
        let reader = SqliteReader::open(dir, ReadLimits::WHOLE_DATABASE).map_err(io::Error::other)?;
        let checked = check(&mut known, &reader, &mut last, (&mut periods, &mut billed_ms));
        if let Err(what) = checked {
            return Ok(Err(format!("seed {}, kill {kill}: {what}", args.seed).into()));
        }
    }
    let known = known.borrow();
    let (operations, links, entries) = (known.operations, known.links_changed, known.orders.summary());
    Ok(Ok(format!(
        "{} kills, {operations} leases begun and ended, {periods} periods of {billed_ms} ms in all, {links} changes of who \
         pays; the ledger has {entries}: everything that was acknowledged is there once, all sums add up, and nothing is \
         billed that not both sides saw",
        args.count
    )))
}

/// Runs a pool for a while under load, and kills it.
async fn one(known: &Rc<RefCell<KnownState>>, dir: &Path, rng: &mut SimRng) -> io::Result<()> {
    let pool = ServerProcess::start_charging(dir)?;
    let accounts = (HOSTS..HOSTS + CLIENTS).map(ClientAccounts::of).collect::<io::Result<Vec<_>>>()?;
    let operator = AdminOperator::new(dir, known, (&accounts, (0..HOSTS).map(payee).collect()), rng.apart());
    operator.set_up().await?;
    let mut agents = JoinSet::new();
    agents.spawn_local(operator.run());
    for number in 0..HOSTS {
        let host = Host { agent: LoadAgent::new(number)?.paid_to(payee(number)), known: Rc::clone(known) };
        agents.spawn_local(host.run(pool.address));
    }
    for (number, accounts) in (HOSTS..).zip(accounts) {
        let client = Client { agent: LoadAgent::new(number)?, accounts, known: Rc::clone(known), rng: rng.apart() };
        rng.below(2);
        agents.spawn_local(client.run(pool.address));
    }
    let time = sleep(Duration::from_millis(rng.range(20, 400)));
    tokio::select! {
        () = time => {}
        Some(ended) = agents.join_next() => {
            ended.map_err(io::Error::other)??;
            return Err(io::Error::other("an agent ended before the pool"));
        }
    }
    // Killed, and gone when this returns.
    drop(pool);
    while let Some(ended) = agents.join_next().await {
        match ended.map_err(io::Error::other)? {
            Err(error) if is_end(&error) => {}
            Err(error) => return Err(error),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// The account that a host is paid to. Two hosts share one.
fn payee(host: u32) -> Account {
    let mut bytes = [0xee; 20];
    bytes[..4].copy_from_slice(&(host / 2).to_be_bytes());
    Account::new(bytes)
}

/// Compares the database with what the agents and the operator know.
fn check(
    known: &mut KnownState,
    reader: &SqliteReader,
    last: &mut Option<u64>,
    (periods, billed_ms): (&mut u64, &mut u64),
) -> Result<(), Box<dyn Error>> {
    let check = reader.check()?;
    if !check.problems.is_empty() {
        return Err(check.problems.join("\n").into());
    }
    let mut snapshot = reader.read(0)?;
    let rows = snapshot.nodes(None, PAGE)?;
    let nodes: Vec<NodeId> = rows.iter().map(|node| node.id).collect();
    for node in &rows {
        let payout = node.payout.map(|payout| payout.account);
        if known.payouts.get(&node.id).is_some_and(|account| payout != Some(*account)) {
            return Err(format!("the payout account of node {} is lost: {payout:?}", node.id.short()).into());
        }
        let payer = snapshot.accounts_of(&node.id)?.payer;
        known.check_link(&node.id, payer)?;
    }
    if let Some(node) = known.nodes.iter().find(|node| !nodes.contains(node)) {
        return Err(format!("node {} is lost", node.short()).into());
    }
    let leases: Vec<LeaseId> = snapshot.leases(None, PAGE)?.iter().map(|lease| lease.id).collect();
    if let Some(lease) = known.leases.iter().find(|lease| !leases.contains(lease)) {
        return Err(format!("lease {lease} is lost").into());
    }
    if let Some(lease) = leases.iter().find(|lease| known.ended.contains(lease)) {
        return Err(format!("lease {lease} was left and runs").into());
    }
    while let page @ [.., (end, _)] = &snapshot.periods(*last, PAGE)?[..] {
        for (_, period) in page {
            known.check(period)?;
            *periods += 1;
            *billed_ms += period.billed_ms;
        }
        *last = Some(*end);
    }
    while let page @ [_, ..] = &snapshot.entries(Some(known.orders.last_entry()), PAGE)?[..] {
        known.orders.read(page)?;
    }
    Ok(known.orders.all_read()?)
}
