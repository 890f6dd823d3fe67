//! Snapshots of what people read, at 60, 80 and 200 columns: help, notices, status, doctor and errors.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test -p vipnode --bins snapshot`, then read the difference.

mod help_examples;
mod page_list;
mod term_notices;
mod waiting_notices;

use std::{fmt::Write, io::ErrorKind, path::PathBuf};

use clap::{Command, CommandFactory};
use insta::assert_snapshot;
use vipnode_agent::{
    AgentError, AgentNotice, PinChange, PinReason,
    local::{
        AgentClientStatus, AgentHostStatus, AgentStatus, ConnectionSettings, LeaseStatus, Metered, NodeStatus,
        PoolLink, PoolLossStatus, PoolState,
    },
};
use vipnode_agent_core::{ConnectFailure, EvictionCause, NameError, Notice};
use vipnode_node::NodeError;
use vipnode_pool::PoolConfig;
use vipnode_types::{
    Account, Amount, ChainSpec, Enode, EnodeHost, Failure, LeaseId, Ms, NodeFacts, NodeId, PaymentMode, PoolId,
    PoolKey, Price,
    wire::{
        ErrorCode, EvictReason, HostStatus as PoolHost, NextPayout, NextPrice, PaymentTerms, PayoutView, PoolStats,
        PoolStatus, Side, WireError,
    },
};

use crate::{
    args::{self, Cli, Targets, limit_flag},
    config::{Reader, Unread},
    error::CliError,
    output::{Line, LiveLine, Screen, agent_notice_line, columns, cut, wrap},
    status,
};

const WIDTHS: [usize; 3] = [60, 80, 200];
/// The columns of half a terminal, at which pages are checked but not kept.
const NARROW: usize = 40;
/// The columns of the name of a line.
const LABEL: usize = 10;
/// Lines that a person sees at once.
const SCREEN: usize = 40;
/// Characters of a help text, so that it fits into a line next to its flag.
const HELP: usize = 70;

static LIVE: LiveLine = LiveLine::new();

/// A text as it is shown on a terminal of each width, which breaks words that are longer than its lines.
pub(crate) fn at_each_width(text: &str) -> String {
    let mut shown = String::new();
    for width in WIDTHS {
        let _infallible = writeln!(shown, "=== {width} columns");
        for line in wrap(text, width).lines() {
            let letters: Vec<char> = line.chars().collect();
            let rows = letters.chunks(width).map(|row| row.iter().collect::<String>());
            let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
            let _infallible = writeln!(shown, "{}", rows.join("\n"));
        }
    }
    shown
}

/// The lines as a terminal shows them, without colors.
pub(crate) fn text_of(lines: &[Line]) -> String {
    let screen = Screen::new(false, &LIVE);
    lines.iter().map(|line| plain(&screen.line(line))).collect::<Vec<_>>().join("\n")
}

/// An error as a terminal shows it, without colors.
pub(crate) fn text_of_error(error: &CliError) -> String {
    plain(&Screen::new(false, &LIVE).error_text(error))
}

/// A page as it is at each width. None of its lines is wider, but for commands, which are copied, and for single words.
pub(crate) fn pages(page: impl Fn(usize) -> String) -> String {
    let fits = |page: &str, width: usize| {
        for line in page.lines() {
            let text = line.trim().trim_start_matches("-> ");
            // A long word stands below the others, next to the name of its line.
            let has_long_word = || text.split(' ').any(|word| columns(word) + LABEL > width);
            let may_be_wider = text.starts_with('`') || !text.contains(' ') || has_long_word();
            assert!(may_be_wider || columns(line) <= width, "wider than {width}: {line}\n{page}");
        }
    };
    fits(&page(NARROW), NARROW);
    let mut shown = String::new();
    for width in WIDTHS {
        let page = page(width);
        fits(&page, width);
        let _infallible = writeln!(shown, "=== {width} columns\n{page}");
    }
    shown
}

pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Each command that a user can type, with its words joined by `_`.
fn commands() -> Vec<(String, Command)> {
    fn gather(command: &Command, name: &str, all: &mut Vec<(String, Command)>) {
        all.push((name.to_owned(), command.clone()));
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            let words = if name == "vipnode" { String::new() } else { format!("{name}_") };
            gather(below, &format!("{words}{}", below.get_name()), all);
        }
    }
    let mut tree = Cli::command();
    tree.build();
    let mut all = Vec::new();
    gather(&tree, "vipnode", &mut all);
    all
}

#[test]
fn snapshot_of_the_short_help_of_each_command() {
    for (name, command) in commands() {
        let mut shown = String::new();
        for width in WIDTHS {
            let help = plain(&command.clone().term_width(width).render_help().ansi().to_string());
            let _infallible = write!(shown, "=== {width} columns\n{help}");
        }
        assert_snapshot!(format!("help_{name}"), shown);
    }
}

#[test]
fn short_help_is_one_screen_and_each_help_a_line() {
    let mut wrong = Vec::new();
    for (name, command) in commands() {
        let lines = plain(&command.clone().term_width(80).render_help().ansi().to_string()).lines().count();
        if lines > SCREEN {
            wrong.push(format!("{name}: -h has {lines} lines"));
        }
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let helps = command.get_arguments().filter(|arg| !arg.is_hide_set()).map(|arg| {
            if arg.get_help_heading().is_none() && !["help", "version"].contains(&arg.get_id().as_str()) {
                wrong.push(format!("{name}: {arg} has no heading"));
            }
            arg.get_help().map(ToString::to_string).unwrap_or_default()
        });
        let long: Vec<String> = helps.chain([about]).filter(|help| help.chars().count() >= HELP).collect();
        wrong.extend(long.into_iter().map(|help| format!("{name}: {help}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn node(byte: u8) -> NodeId {
    NodeId::new([byte; 64])
}

fn facts() -> NodeFacts {
    NodeFacts {
        dials_late: false,
        protocols: Vec::new(),
        id: node(7),
        enode: Enode::at(node(7), [8, 8, 4, 4].into(), 30_303),
        client_version: "Geth/v1.17.5-stable/linux-amd64/go1.26.8".to_owned(),
        chain: ChainSpec::without_genesis(1),
        full: true,
    }
}

fn pool_id() -> PoolId {
    PoolKey::from_random([1; 32]).unwrap().id()
}

fn other_pool() -> AgentError {
    let shown = PoolKey::from_random([2; 32]).unwrap().id();
    AgentError::OtherPool { url: "wss://pool.example/".to_owned(), expected: pool_id(), shown }
}

fn unreachable() -> NodeError {
    let (at, why) = ("/x/geth.ipc".to_owned(), "Connection refused".to_owned());
    NodeError::Unreachable { at, kind: ErrorKind::ConnectionRefused, why }
}

fn account(number: u8) -> Account {
    Account::new([number; 20])
}

fn notices() -> Vec<Notice> {
    let (lease, host, client) = (LeaseId::new(7), node(0xab), node(0xcd));
    let version = "Geth/v1.12.0".to_owned();
    let mut notices = term_notices::unpaid_notices();
    notices.extend(term_notices::term_notices());
    notices.extend([
        Notice::PoolUntrusted { why: Failure::of(&other_pool()) },
        Notice::PrivateAddress { host, at: EnodeHost::Ip([10, 0, 0, 7].into()) },
        Notice::PoolDisconnected { why: "closed by the other side: restarting".into() },
        Notice::PoolUnreachable { why: "cannot reach wss://pool.example/: refused".into(), retry_ms: 700 },
        Notice::Displaced { address: [203, 0, 113, 7].into(), wait_ms: 120_000 },
        Notice::PoolRefused(WireError::new(
            ErrorCode::NotMember,
            "this pool is closed",
            "Pass --join-secret-file FILE",
        )),
        Notice::NodeDisconnected { why: Failure::of(&unreachable()) },
        Notice::NodeReconnected,
        Notice::HostAssigned { lease, host },
        Notice::HostConnected { lease, host, after_ms: Some(42) },
        Notice::HostConnected { lease, host, after_ms: None },
        Notice::HostLost { lease, host, reason: None },
        Notice::HostLost { lease, host, reason: Some(EvictReason::Drained) },
        Notice::HostLost { lease, host, reason: Some(EvictReason::PayersFirst) },
        Notice::ClientAdmitted { lease, client },
        Notice::ClientConnected { lease, client },
        Notice::UnleasedPeerDisconnected { peer: client },
        Notice::ClientReturned { client, disconnected: true },
        Notice::ClientReturned { client, disconnected: false },
        Notice::LastListKept { leases: 3 },
        Notice::DirectRefused { side: Side::Client, peer: host, why: "not supported".into() },
        Notice::DirectRefused { side: Side::Host, peer: client, why: "not supported".into() },
        Notice::NameUnresolved {
            name: "host.example".into(),
            why: NameError::System { why: "no such name".to_owned() },
        },
        Notice::Behind { blocks: 12, latest: 20_000_000 },
        Notice::CaughtUp { latest: 20_000_012 },
        Notice::Balance { credit_wei: -5, deposit_wei: 1_000_000_000 },
        Notice::Offering { slots: 1, why: None },
        Notice::Offering { slots: 0, why: Some("the node is syncing".to_owned()) },
        Notice::OwnPeersFalling { now: 2, reserve: 16 },
    ]);
    notices.extend(waiting_notices::waiting_notices(lease, host));
    let causes = EvictReason::ALL.map(EvictionCause::Ended).into_iter();
    let causes = causes.chain([EvictionCause::Stopping, EvictionCause::Unreported]);
    notices.extend(causes.map(|cause| Notice::ClientEvicted { lease, client, cause }));
    for cause in [
        ConnectFailure::Genesis,
        ConnectFailure::Network,
        ConnectFailure::Forks,
        ConnectFailure::EthVersion,
        ConnectFailure::NoLightSlot,
        ConnectFailure::NoCommonProtocol,
        ConnectFailure::NoDialSlot { dialed: 16 },
        ConnectFailure::Loopback,
        ConnectFailure::NeverConnected,
    ] {
        notices.push(Notice::HostNotConnected { lease, host, version: version.clone(), cause });
        notices.push(Notice::ClientNotConnected { lease, client, version: version.clone(), cause });
    }
    notices
}

fn pinned(old: Option<PoolId>, new: Option<PoolId>, reason: PinReason) -> AgentNotice {
    AgentNotice::PoolPinned { url: "wss://pool.example/".to_owned(), change: PinChange { old, new, reason } }
}

#[test]
fn snapshot_of_notices() {
    let (key_file, state_dir) = (PathBuf::from("/x/geth/nodekey"), PathBuf::from("/home/ana/.local/state/vipnode"));
    let at = "/x/geth.ipc".to_owned();
    let failure = Failure::of(&NodeError::Unreachable {
        at: at.clone(),
        kind: ErrorKind::NotFound,
        why: "No such file or directory".to_owned(),
    });
    let mut all = vec![
        AgentNotice::WaitingForNode(failure.clone()),
        AgentNotice::Node { agent: Account::new([0x5c; 20]), facts: Box::new(facts()), at, state_dir },
        AgentNotice::Delegated { key_file: key_file.clone() },
        AgentNotice::SignsEachCall { key_file },
        AgentNotice::NotDialable,
        AgentNotice::Exposed { at: "http://10.0.0.1:8545".to_owned() },
        AgentNotice::Released { changes: 2 },
        pinned(None, Some(pool_id()), PinReason::FirstUse),
        pinned(Some(pool_id()), Some(pool_id()), PinReason::Signed),
        pinned(Some(pool_id()), Some(pool_id()), PinReason::Accepted),
        pinned(Some(pool_id()), None, PinReason::Accepted),
        pinned(None, Some(pool_id()), PinReason::Accepted),
        AgentNotice::NoBlock(failure.clone()),
        AgentNotice::Fault(failure.clone()),
        AgentNotice::NotRenewed { days: 3, why: failure },
    ];
    all.extend(notices().into_iter().map(AgentNotice::Notice));
    let lines: Vec<Line> = all.iter().map(agent_notice_line).collect();
    assert_snapshot!("notices", at_each_width(&text_of(&lines)));
}

fn payout() -> PayoutView {
    let next = NextPayout { account: account(8), from_ms: Ms::new(1_795_000_000_000) };
    PayoutView { account: account(7), next: Some(next) }
}

fn lease(now: Ms) -> LeaseStatus {
    LeaseStatus {
        lease: LeaseId::new(7),
        peer: node(0xab),
        address: Some("10.0.0.7:30303".to_owned()),
        client_version: "Geth/v1.17.5-stable/linux-amd64/go1.26.0".to_owned(),
        latency_us: Some(24_123),
        price: Some(Price::per_minute(100_000_000_000)),
        since: now.minus(200_000),
        connected: Some(now.minus(184_000)),
        seen_ms: 184_000,
        cost: Some(Amount::new(306_000_000_000)),
        redial_ms: None,
        ending: false,
        direct: false,
    }
}

pub(crate) fn agent(number: u8, head: Option<u64>, head_age_ms: Option<u64>) -> AgentStatus {
    let now = Ms::new(1_800_000_000_000);
    let lease = lease(now);
    let metered = Metered { leases: 1, seen_ms: 184_000, cost: Amount::new(306_000_000_000) };
    AgentStatus {
        agent_version: "vipnode/3.0.0".to_owned(),
        process: 4_711,
        now,
        stopping: false,
        node: NodeStatus {
            id: node(number),
            client_version: facts().client_version,
            chain: ChainSpec::without_genesis(1),
            at: "/x/geth.ipc".to_owned(),
            up: head_age_ms.is_some(),
            head,
            head_age_ms,
            own_peers: 16,
        },
        pool: PoolLink {
            url: "wss://pool.example/".to_owned(),
            id: Some(pool_id()),
            protocol: 3,
            state: PoolState::Joined,
            since: Some(now.minus(3_600_000)),
            price: Some(Price::per_minute(100_000_000_000)),
            fee_bps: 0,
            next_price: None,
            next_price_refused_by: None,
            terms: Some(PaymentTerms::default()),
            loss: None,
        },
        connections: ConnectionSettings::default(),
        flags: std::collections::BTreeMap::new(),
        signer: Some(account(3)),
        host: Some(AgentHostStatus {
            slots: 10,
            offered: 10,
            why_none: None,
            sold: 1,
            free: 9,
            reserve: 16,
            payout: Some(payout()),
            leases: vec![lease.clone()],
            metered,
        }),
        client: Some(AgentClientStatus {
            wants: 3,
            missing: 2,
            why_missing: Some("no host has a free slot".to_owned()),
            max_price: None,
            trial_left_ms: Some(1_325_000),
            leases: vec![lease],
            metered,
        }),
    }
}

#[test]
fn snapshot_of_status() {
    let since_1970 = 1_795_514_976_000;
    let agents = [agent(1, Some(20_000_000), Some(12_000)), agent(2, Some(0), Some(since_1970)), agent(3, None, None)];
    let pool = PoolStatus {
        time_updated: "2026-11-27T12:05:00Z".to_owned(),
        time_started: "2026-11-27T10:00:00Z".to_owned(),
        version: "vipnode/3.0.0".to_owned(),
        pool_id: None,
        active_hosts: vec![PoolHost {
            short_id: "abababababab".to_owned(),
            last_seen: "2026-11-27T12:04:48Z".to_owned(),
            node_version: facts().client_version,
            vipnode_version: "vipnode/3.0.0".to_owned(),
            slots: 10,
            num_peers: 3,
            ..PoolHost::default()
        }],
        stats: PoolStats::default(),
        fee_bps: 0,
        terms: Some(PaymentTerms::default()),
        error: None,
    };
    let private = ChainSpec { chain_id: 7, genesis: [5; 32].into() };
    let mut other = agent(4, Some(7), Some(12_000));
    other.node.chain = private;
    let credit = PaymentTerms {
        payment: PaymentMode::Credit,
        minimum_balance: Some(Amount::new(1_000_000_000_000)),
        ..PaymentTerms::default()
    };
    (other.pool.fee_bps, other.pool.terms) = (250, Some(credit));
    let mut announced = agents[0].clone();
    let price = Price::per_minute(120_000_000_000);
    announced.pool.next_price = Some(NextPrice { price, fee_bps: 500, from_ms: Ms::new(1_795_000_000_000) });
    let mut refused = AgentStatus { host: None, ..announced.clone() };
    refused.pool.next_price_refused_by = Some(Side::Client);
    let shown = pages(|width| {
        let mut shown = Vec::new();
        for agents in [&agents[..1], &agents[..], &[other.clone()], &[announced.clone()], &[refused.clone()]] {
            shown.push(status::page_of_agents(agents, width));
        }
        shown.push(cut(&status::line_of_agent(agents[1].clone()), width));
        for state in [
            PoolState::Connecting,
            PoolState::Unreachable,
            PoolState::Refused,
            PoolState::Untrusted,
            PoolState::Disconnected,
        ] {
            let mut away = agents[0].clone();
            (away.pool.state, away.pool.since) = (state, None);
            shown.push(cut(&status::line_of_agent(away.clone()), width));
            for retry_ms in [None, Some(0), Some(12_000)] {
                if retry_ms.is_some() {
                    let reason = "cannot reach wss://pool.example/: Connection refused".to_owned();
                    away.pool.loss = Some(PoolLossStatus { reason, since: away.now.minus(180_000), retry_ms });
                }
                let page = plain(&status::page_of_agents(&[away.clone()], width).to_string());
                let lines = page.lines().skip_while(|line| !line.starts_with("  pool "));
                shown.push(lines.take_while(|line| !line.starts_with("  agent ")).collect::<Vec<_>>().join("\n"));
            }
        }
        shown.push(status::page_of_pool("wss://pool.example/", &pool, width));
        let paid = PoolStatus { fee_bps: 250, terms: Some(credit), ..pool.clone() };
        shown.push(status::page_of_pool("wss://pool.example/", &paid, width));
        plain(&shown.join("\n\n"))
    });
    assert!(shown.contains("chain 7 (genesis 0x0505…0505)"), "{shown}");
    assert_snapshot!("status", shown);
}

fn refusal(cli: Cli) -> CliError {
    match cli.command.unwrap() {
        args::Command::Host(args) => args.runtime.metrics.address().unwrap_err().into(),
        args::Command::Agent(args) => args.runtime.limits().unwrap_err().into(),
        args::Command::Client(args) => Targets::of(args.connection.named(), &[]).unwrap_err(),
        args::Command::Pool(args) => {
            let mut config = PoolConfig::new("127.0.0.1:0".parse().unwrap()).unwrap();
            let data_dir = crate::commands::pool_data_dir(&args);
            let mut limits = || limit_flag::set(&mut config, &args.limit, "pool");
            data_dir.err().unwrap_or_else(|| args.original.refuse().and_then(|()| limits()).unwrap_err().into())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn snapshot_of_errors() {
    let lines: [&[&str]; 9] = [
        &["host", "--metrics-bind", "0.0.0.0:9464"],
        &["pool", "--store", "memory", "--datadir", "pool"],
        &["pool", "--invalid-node", "x"],
        &["pool", "--contract.rpc", "x"],
        &["pool", "--limit", "price=1"],
        &["pool", "--limit", "node_call=1s"],
        &["pool", "--limit", "write=0s"],
        &["client", "ws://a", "ws://b"],
        &["agent", "--limit", "pool_silence=20s"],
    ];
    let mut shown = String::new();
    for line in lines {
        let cli = Cli::read(std::iter::once("vipnode").chain(line.iter().copied())).unwrap();
        let error = refusal(cli);
        let _infallible = writeln!(shown, "$ vipnode {}\n{}", line.join(" "), text_of_error(&error));
    }
    let wrong: [&[&str]; 11] = [
        &["host", "--slots", "many"],
        &["host", "--slots", "-1"],
        &["client", "enode://1"],
        &["client", "--max-price", "100"],
        &["status", "--no-such"],
        &["pool", "adm"],
        &["pool", "status"],
        &["pool", "--tls-internal"],
        &["status", "--wy"],
        &["status", "wss://pool.example"],
        &["pool", "admin", "payout", "paid", "one", "ref"],
    ];
    for line in wrong {
        let words = std::iter::once("vipnode").chain(line.iter().copied()).map(Into::into);
        let Err(Unread::Error(error)) = Reader::new(words, |_| None).read() else { panic!("{line:?}") };
        let _infallible = writeln!(shown, "$ vipnode {}\n{}", line.join(" "), text_of_error(&error));
    }
    let warning =
        Line::new("open", crate::output::Tone::Warning, "Anyone may join this pool").hint("Pass --members FILE");
    shown += &text_of(&[warning]);
    assert_snapshot!("errors", at_each_width(&shown));
}
