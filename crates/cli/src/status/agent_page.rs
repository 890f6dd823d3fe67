use std::{fmt::Write, time::Duration};

use vipnode_agent::local::{
    AgentClientStatus, AgentHostStatus, AgentStatus, LeaseStatus, Metered, PoolLink, PoolLossStatus, PoolState,
};
use vipnode_types::{
    ChainSpec, Ms,
    wire::{NextPayout, NextPrice, PayoutView, Side},
};

use super::payment_words::{metered_words, payment_words};
use crate::output::{
    Column, Styled, Table, Tone, cut,
    format::{self, counted, milliseconds, percent, rounded, slot_costs, span},
};

/// Leases that are shown of one side; `--json` has all.
const LEASES: usize = 100;
/// Columns of a line's name.
const LABEL: usize = 10;
/// Columns before a table.
const INDENT: usize = 2;
/// Columns of an execution client's name in a column.
const CLIENT: usize = 24;

/// The full status of an agent, as a page whose tables are at most `width` columns wide.
pub(crate) fn agent_page(status: &AgentStatus, width: usize) -> Styled {
    let AgentStatus { node, pool, host, client, now, .. } = status;
    let asset = pool.price.unwrap_or_default().asset();
    let mut page = Styled::default();
    page.mark(tone(status));
    let _infallible =
        writeln!(page, "{} with {}, node {}", role(status), short_client(&node.client_version), node.id.short());
    let mut line = |name: &str, text: &str| {
        let _infallible = writeln!(page, "  {name:<7} {text}");
    };
    for (number, part) in parts(&node.id.to_string(), width.saturating_sub(LABEL)).iter().enumerate() {
        line(if number == 0 { "ID" } else { "" }, part);
    }
    line("node", &format!("{} at {}", node.client_version, node.at));
    line("chain", &chain_words(&node.chain));
    line("head", &head(status));
    line("peers", &format!("{} of its own", node.own_peers));
    line("pool", &pool_words(pool, *now));
    if let Some(next) = &pool.next_price {
        line("", &next_price_words(next, status));
    }
    if let Some(terms) = pool.terms.filter(|terms| !terms.payment.is_none()) {
        line("payment", &payment_words(&terms, pool.fee_bps, asset));
    }
    line("agent", &format!("{}, process {}", status.agent_version, status.process));
    if let Some(host) = host {
        match pool.state {
            PoolState::None => line("admits", &admitted(host)),
            _ => {
                line("sells", &slots(host));
                line("", &metered(&host.metered, pool));
                for text in payout_words(host) {
                    line("", &text);
                }
            }
        }
        leases(&mut page, "client", &host.leases, *now, width);
    }
    if let Some(client) = client {
        let _infallible = writeln!(page, "  {:<7} {}", "wants", wanted(client));
        if let Some(left_ms) = client.trial_left_ms {
            let _infallible = writeln!(page, "  {:<7} free trial; at most {} left", "", span(left_ms));
        }
        if pool.state != PoolState::None {
            let _infallible = writeln!(page, "  {:<7} {}", "", metered(&client.metered, pool));
        }
        leases(&mut page, "host", &client.leases, *now, width);
    }
    page
}

/// Cuts a text without spaces into the fewest parts of at most `most` characters, which are about equally long.
fn parts(text: &str, most: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let lines = letters.len().div_ceil(most.max(1)).max(1);
    letters.chunks(letters.len().div_ceil(lines).max(1)).map(|part| part.iter().collect()).collect()
}

/// The state of an agent at a glance.
pub(super) fn tone(status: &AgentStatus) -> Tone {
    let joined = matches!(status.pool.state, PoolState::Joined | PoolState::None);
    let sells = status.host.as_ref().filter(|_| status.pool.state != PoolState::None);
    let sells = sells.is_none_or(|host| host.why_none.is_none());
    let served = status.client.as_ref().is_none_or(|client| client.missing == 0 && unconnected(client) == 0);
    let goes_on = status.pool.next_price_refused_by.is_none();
    if status.node.up && joined && sells && served && goes_on && !status.stopping { Tone::Good } else { Tone::Warning }
}

pub(crate) fn role(status: &AgentStatus) -> &'static str {
    match (&status.host, &status.client) {
        (Some(_), Some(_)) => "host and client",
        (Some(_), None) => "host",
        (None, Some(_)) => "client",
        (None, None) => "agent",
    }
}

/// `geth 1.17.5` of `Geth/v1.17.5-stable/linux-amd64/go1.26.8`.
pub(crate) fn short_client(version: &str) -> String {
    let mut parts = version.split('/');
    let name = parts.next().unwrap_or_default().to_lowercase();
    let release = parts.next().unwrap_or_default().trim_start_matches('v');
    let release = release.split(['-', '+']).next().unwrap_or_default();
    let text = cut(format!("{name} {release}").trim(), CLIENT);
    if text.is_empty() { "a node".to_owned() } else { text }
}

/// Characters of a genesis hash that are shown of its beginning, with `0x`, and of its end; `--json` has all.
const GENESIS: (usize, usize) = (6, 4);

/// A chain in a line: `chain 7 (genesis 0x0598…47aa)`.
fn chain_words(chain: &ChainSpec) -> String {
    let genesis = chain.genesis.to_string();
    let (begin, end) = (genesis.get(..GENESIS.0), genesis.get(genesis.len().saturating_sub(GENESIS.1)..));
    match (ChainSpec::public(chain.chain_id), begin, end) {
        (None, Some(begin), Some(end)) => format!("chain {} (genesis {begin}…{end})", chain.chain_id),
        _ => chain.to_string(),
    }
}

/// A chain in a narrow column: chains rarely share a number.
pub(super) fn short_chain(chain: &ChainSpec) -> String {
    match ChainSpec::public(chain.chain_id) {
        Some(_) => chain.to_string(),
        None => chain.chain_id.to_string(),
    }
}

/// The connection to the pool, in a word.
pub(crate) fn pool_state(status: &AgentStatus) -> &'static str {
    match status.pool.state {
        _ if status.stopping => "stopping",
        state => state.name(),
    }
}

fn head(status: &AgentStatus) -> String {
    let node = &status.node;
    if !node.up {
        return "the node does not respond".to_owned();
    }
    match (node.head, node.head_age_ms) {
        (Some(number), age_ms) => format::head(number, age_ms),
        (None, _) => "not known yet".to_owned(),
    }
}

fn pool_words(pool: &PoolLink, now: Ms) -> String {
    let url = &pool.url;
    let id = pool.id.map(|id| format!(" ({})", id.short())).unwrap_or_default();
    let old = if pool.protocol == 2 { ", protocol 2" } else { "" };
    let loss = pool.loss.as_ref();
    let then = match pool.state {
        PoolState::None => {
            return "no pool; only the hosts and clients named on the command line or in the file".to_owned();
        }
        PoolState::Connecting => loss.map_or_else(String::new, |loss| format!(", not joined{}", lost_words(loss, now))),
        PoolState::Disconnected => {
            let why = loss.map_or_else(String::new, |loss| lost_words(loss, now));
            format!("{why}; existing leases stay active")
        }
        PoolState::Unreachable | PoolState::Refused | PoolState::Untrusted if loss.is_some() => {
            loss.map_or_else(String::new, |loss| lost_words(loss, now))
        }
        PoolState::Unreachable | PoolState::Refused => "; trying again".to_owned(),
        PoolState::Untrusted => ": it is not the pool that this agent remembers; trying again".to_owned(),
        PoolState::Joined => {
            let since = pool.since.map(|since| format!(" {} ago", span(now.since(since)))).unwrap_or_default();
            let price = pool.price.map(|price| format!("; {}", slot_costs(price))).unwrap_or_default();
            format!("{since}{price}")
        }
    };
    format!("{url}{id}{old}, {}{then}", pool.state.name())
}

/// The price that the pool announced, and whether the agent accepts it: `from 2026-12-01T00:00:00Z on, a slot costs …`.
fn next_price_words(next: &NextPrice, status: &AgentStatus) -> String {
    let NextPrice { price, fee_bps, from_ms } = *next;
    let what = if status.pool.price == Some(price) {
        format!("the pool keeps {} instead of {}", percent(fee_bps), percent(status.pool.fee_bps))
    } else {
        let fee = if fee_bps == 0 { String::new() } else { format!(", fee {}", percent(fee_bps)) };
        format!("{}{fee}", slot_costs(price))
    };
    let accepts = match status.pool.next_price_refused_by {
        Some(Side::Client) => "this client does not accept that (--max-price)",
        Some(Side::Host) => "this host does not accept that (--min-price)",
        None => match (&status.host, &status.client) {
            (Some(_), Some(_)) => "this agent accepts that (--min-price, --max-price)",
            (Some(_), None) => "this host accepts that (--min-price)",
            _ => "this client accepts that (--max-price)",
        },
    };
    format!("from {}, {what}; {accepts}", from_ms.rfc3339_seconds())
}

/// Since when and why the agent is not connected, and when it tries again.
fn lost_words(loss: &PoolLossStatus, now: Ms) -> String {
    let next = match loss.retry_ms {
        None => String::new(),
        Some(0) => "; trying again now".to_owned(),
        Some(ms) => format!("; next attempt in {}", span(ms)),
    };
    format!(" for {}: {}{next}", span(now.since(loss.since)), loss.reason)
}

/// The slots of a host: those that it sold, and those that it offers, including the sold ones. A host that offers none may
/// still have clients.
pub(super) fn offered(host: &AgentHostStatus) -> u32 {
    host.offered.max(host.sold)
}

fn slots(host: &AgentHostStatus) -> String {
    let AgentHostStatus { slots, sold, free, reserve, .. } = host;
    let kept = format!("{reserve} reserved for its own peers");
    match &host.why_none {
        Some(why) => format!("{}: {sold} sold, none offered: {why}; {kept}", counted((*slots).into(), "slot")),
        None => format!("{}: {sold} sold, {free} free; {kept}", counted((*slots).into(), "slot")),
    }
}

/// The sold slots of a host that offers none.
pub(super) fn sold_slots(sold: u32) -> String {
    if sold == 0 { "no slots sold".to_owned() } else { format!("{} sold", counted(sold.into(), "slot")) }
}

/// Who receives what a host earns, and who will.
fn payout_words(host: &AgentHostStatus) -> Vec<String> {
    let Some(PayoutView { account, next }) = host.payout else { return Vec::new() };
    let mut lines = vec![format!("earnings go to {account}")];
    if let Some(NextPayout { account, from_ms }) = next {
        lines.push(format!("from {}: to {account}", from_ms.rfc3339_seconds()));
    }
    lines
}

/// The clients of a host without a pool.
fn admitted(host: &AgentHostStatus) -> String {
    let connected = host.leases.iter().filter(|lease| lease.connected.is_some()).count();
    let clients = counted(u64::try_from(host.leases.len()).unwrap_or(u64::MAX), "client");
    format!("{clients} named by --allow, {connected} connected; {} reserved for its own peers", host.reserve)
}

fn wanted(client: &AgentClientStatus) -> String {
    let most = client.max_price.as_ref().map(|price| format!(" for at most {price}")).unwrap_or_default();
    let wants = format!("{}{most}", counted(client.wants.into(), "host"));
    format!("{wants}, {}", missing(client.missing, unconnected(client), client.why_missing.as_deref()))
}

/// The hosts that the pool assigned to a client or that its user named, and that are not connected. The pool does not count
/// the ones that it assigned as missing.
pub(super) fn unconnected(client: &AgentClientStatus) -> u32 {
    let waiting = client.leases.iter().filter(|lease| lease.connected.is_none() && !lease.ending && !lease.direct);
    u32::try_from(waiting.count()).unwrap_or(u32::MAX)
}

/// How many hosts are missing and why, and how many of the others are not connected.
pub(super) fn missing(missing: u32, unconnected: u32, why: Option<&str>) -> String {
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    match (missing, unconnected) {
        (0, 0) => "none missing".to_owned(),
        (0, _) => format!("{unconnected} not connected yet"),
        (_, 0) => format!("{missing} missing{why}"),
        _ => format!("{missing} missing{why}; {unconnected} not connected yet"),
    }
}

fn metered(metered: &Metered, pool: &PoolLink) -> String {
    let Metered { leases, seen_ms, cost } = metered;
    let leases = counted(*leases, "lease");
    let cost = rounded(pool.price.unwrap_or_default().asset(), *cost);
    let words = metered_words(pool.terms.as_ref());
    format!("{leases} in total, connected for {}: {cost} ({words})", span(*seen_ms))
}

fn leases(page: &mut Styled, whom: &'static str, leases: &[LeaseStatus], now: Ms, width: usize) {
    if leases.is_empty() {
        return;
    }
    let shown = leases.iter().take(LEASES).map(|lease| {
        let connected = match lease.connected {
            _ if lease.ending => "ending".to_owned(),
            Some(since) => format!("for {}", span(now.since(since))),
            None => lease
                .redial_ms
                .map_or_else(|| "not connected".to_owned(), |ms| format!("no; next dial in {}", span(ms))),
        };
        let unknown = || if lease.direct { "named" } else { "-" }.to_owned();
        [
            lease.peer.short(),
            lease.address.clone().unwrap_or_else(|| "-".to_owned()),
            if lease.client_version.is_empty() { "-".to_owned() } else { short_client(&lease.client_version) },
            lease.latency_us.map_or_else(|| "-".to_owned(), |us| milliseconds(Duration::from_micros(us))),
            connected,
            span(lease.seen_ms),
            lease.price.map_or_else(unknown, |price| price.to_string()),
            lease.price.zip(lease.cost).map_or_else(|| "-".to_owned(), |(price, cost)| rounded(price.asset(), cost)),
        ]
    });
    let table = Table::new([
        Column::text(whom),
        Column::text("address").rank(3),
        Column::text("client version").rank(4),
        Column::number("latency").rank(2),
        Column::text("connected"),
        Column::number("total").rank(6),
        Column::text("price").rank(7),
        Column::number("cost so far").rank(5),
    ]);
    page.append_indented(&table.with_rows(shown).fit(width.saturating_sub(INDENT)));
    if leases.len() > LEASES {
        let _infallible = writeln!(
            page,
            "  and {} (use --json for all)",
            counted(u64::try_from(leases.len() - LEASES).unwrap_or(u64::MAX), "more lease")
        );
    }
}
