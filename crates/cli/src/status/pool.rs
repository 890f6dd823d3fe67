use std::{fmt::Write, time::SystemTime};

use serde_json::json;
use vipnode_agent::{AgentError, NetConnector, PoolAddress, local, pool_status};
use vipnode_types::wire::{ErrorCode, HostStatus, PoolStats, PoolStatus};

use super::{Report, agent_page::short_client, local_agents::LocalAgents, payment_words::payment_words};
use crate::{
    args::StatusArgs,
    error::CliError,
    output::{
        Column, Styled, Table, Tone, cut,
        format::{counted, rounded, span},
        shorten,
        terminal::page_width,
    },
};

/// Hosts that are shown; `--json` has all that the pool reported.
const HOSTS: usize = 50;
/// Hosts that are read from an answer; a pool reports 100 unless its operator set another limit.
const MOST_HOSTS: usize = 10_000;
/// Agents that are asked about a pool that answers its members only.
const MEMBERS: usize = 3;
/// Columns before a table.
const INDENT: usize = 2;
/// Characters that are shown of a text from the pool.
const WORDS: usize = 200;
/// Columns of one in a table.
const CELL: usize = 32;

/// Asks a pool about itself.
///
/// # Errors
/// It does not answer, or shows nothing to strangers.
pub(super) async fn look_at_pool(url: &str, args: &StatusArgs) -> Result<Report, CliError> {
    let address = PoolAddress::read(url)?;
    let connector = NetConnector::new(address.clone(), args.trust.trust()?);
    let status = match pool_status(&connector).await {
        Err(AgentError::Stopped(error)) if error.is(ErrorCode::NotMember) => {
            as_member(address.url(), args).await.ok_or_else(|| refused(AgentError::Stopped(error)))?
        }
        // What the agent's flags allow, or a CA that only it trusts, a user need not repeat.
        Err(error) if !matches!(error, AgentError::Stopped(_)) && !args.trust.is_given() => {
            as_member(address.url(), args).await.ok_or_else(|| refused(error))?
        }
        answer => answer.map_err(refused)?,
    };
    let status = clean(status);
    let json = json!({"event": "pool_status", "url": address.url(), "pool": status});
    Ok(Report { text: page(address.url(), &status, page_width()), json, complete: true })
}

/// What the pool reports to an agent of this machine that has joined it; `None` if there is none.
async fn as_member(url: &str, args: &StatusArgs) -> Option<PoolStatus> {
    let agents = LocalAgents::ask(args).await.ok()?;
    let members = agents.answered.into_iter().filter(|(_, status)| status.pool.url == url);
    for (socket, _) in members.take(MEMBERS) {
        if let Ok(status) = local::pool_status(&socket).await {
            return Some(status);
        }
    }
    None
}

/// The text of a pool's error is a stranger's too.
fn refused(error: AgentError) -> CliError {
    CliError::from(error).sanitized(WORDS * 2)
}

/// Sanitizes what a pool reports about itself.
fn clean(mut status: PoolStatus) -> PoolStatus {
    let words = |text: &mut String| *text = shorten(text, WORDS);
    words(&mut status.time_updated);
    words(&mut status.time_started);
    words(&mut status.version);
    status.error.iter_mut().for_each(words);
    status.active_hosts.truncate(MOST_HOSTS);
    for host in &mut status.active_hosts {
        let HostStatus { short_id, last_seen, kind, node_version, vipnode_version, .. } = host;
        [short_id, last_seen, kind, node_version, vipnode_version].into_iter().for_each(words);
    }
    status
}

/// What a pool reports, at most `width` columns wide.
pub(super) fn page(url: &str, status: &PoolStatus, width: usize) -> Styled {
    let PoolStatus { time_updated, time_started, version, pool_id, active_hosts, stats, fee_bps, terms, error } =
        status;
    let tone = if error.is_some() { Tone::Warning } else { Tone::Good };
    let up =
        between(time_started, time_updated).map_or_else(|| format!("since {time_started}"), |up| format!("for {up}"));
    let mut page = Styled::default();
    page.mark(tone);
    let _infallible = writeln!(page, "Pool at {url}, {version}, up {up}");
    if let Some(error) = error {
        let _infallible = writeln!(page, "  error: {error}");
    }
    if let Some(id) = pool_id {
        let _infallible = writeln!(page, "  ID       {id}");
    }
    if let Some(terms) = terms {
        let words = payment_words(terms, *fee_bps, stats.price.asset());
        let _infallible = writeln!(page, "  payment  {words}");
    }
    sums(&mut page, stats);
    if !active_hosts.is_empty() {
        let shown = active_hosts.iter().take(HOSTS).map(|host| row(host, time_updated));
        page.append_indented(&hosts().with_rows(shown).fit(width.saturating_sub(INDENT)));
    }
    let all = usize::try_from(stats.num_active_hosts).unwrap_or(usize::MAX).max(active_hosts.len());
    let few = active_hosts.len().min(HOSTS);
    if all > few {
        let _infallible =
            writeln!(page, "  and {}", counted(u64::try_from(all - few).unwrap_or(u64::MAX), "more host"));
    }
    page.trimmed().wrapped(width)
}

fn hosts() -> Table<6> {
    Table::new([
        Column::text("host").least(12),
        Column::text("client version").rank(2).least(14),
        Column::text("agent").rank(3).least(13),
        Column::number("block").rank(1),
        Column::number("slots"),
        Column::text("last report").least(12),
    ])
}

fn sums(page: &mut Styled, stats: &PoolStats) {
    let mut line = |name: &str, text: String| {
        let _infallible = writeln!(page, "  {name:<8} {text}");
    };
    line("hosts", format!("{} connected, {} known", stats.num_active_hosts, stats.num_total_hosts));
    line("clients", format!("{} connected, {} known", stats.num_active_clients, stats.num_total_clients));
    let waiting = match stats.num_waiting_clients {
        0 => String::new(),
        waiting => format!("; {} waiting", counted(waiting, "client")),
    };
    line("slots", format!("{} in use, {} free{waiting}", stats.num_leases, stats.num_free_slots));
    line("price", format!("{}; {} running", stats.price, counted(stats.num_running_leases.into(), "lease")));
    let amount = |cost| rounded(stats.price.asset(), cost);
    let running = stats
        .running_ms
        .zip(stats.running_cost)
        .map_or_else(String::new, |(ms, cost)| format!("; so far {} in running ones, {}", span(ms), amount(cost)));
    line(
        "metered",
        format!(
            "{} in {} that ended since the pool started, {}{running}",
            span(stats.metered_ms),
            counted(stats.num_metered_leases, "billing period"),
            amount(stats.metered_cost)
        ),
    );
    line("block", format!("{} (the newest block that most hosts have)", block(stats.latest_block_number)));
}

fn row(host: &HostStatus, now: &str) -> [String; 6] {
    let cell = |text: &str| cut(text, CELL);
    let slots = match host.slots {
        0 => host.num_peers.to_string(),
        slots => format!("{}/{slots}", host.num_peers),
    };
    let seen = between(&host.last_seen, now).map_or_else(|| cell(&host.last_seen), |ago| format!("{ago} ago"));
    [
        cell(&host.short_id),
        short_client(&host.node_version),
        cell(&host.vipnode_version),
        block(host.block_number),
        slots,
        seen,
    ]
}

/// The number of a block; the first is called genesis.
fn block(number: u64) -> String {
    if number == 0 { "genesis".to_owned() } else { number.to_string() }
}

/// From one moment to a later one, both as RFC 3339. The original writes them with a time zone, which is not read.
fn between(from: &str, to: &str) -> Option<String> {
    let moment = |text: &str| humantime::parse_rfc3339(text).ok();
    let (from, to): (SystemTime, SystemTime) = (moment(from)?, moment(to)?);
    let ms = to.duration_since(from).unwrap_or_default().as_millis();
    Some(span(u64::try_from(ms).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_cannot_paint_on_the_terminal_nor_fill_it() {
        let host = HostStatus { short_id: "\u{1b}[2J".repeat(1_000), ..HostStatus::default() };
        let status = PoolStatus {
            time_updated: "\u{9b}2J".into(),
            time_started: "a\nb".into(),
            version: "v\u{202e}".into(),
            pool_id: None,
            active_hosts: vec![host; MOST_HOSTS + 1],
            stats: PoolStats::default(),
            fee_bps: 0,
            terms: None,
            error: Some("\u{7}\r".repeat(10_000)),
        };
        let status = clean(status);
        let text = page("ws://127.0.0.1:1/", &status, usize::MAX).to_string();
        let (_, style) = Tone::Warning.look();
        let dim = anstyle::Style::new().dimmed();
        let own = [style, dim]
            .iter()
            .fold(text, |text, style| text.replace(&style.to_string(), "").replace(&format!("{style:#}"), ""));
        assert!(own.chars().all(|c| c == '\n' || !c.is_control()) && !own.contains('\u{202e}'), "{own}");
        assert!(own.lines().count() < 70 && own.lines().all(|line| line.chars().count() < 500), "{own}");
        assert!(own.contains("and 9950 more hosts"), "{own}");
        assert!(!json!(status).to_string().contains("\\u001b"));
    }

    #[test]
    fn moments_of_any_form_are_shown() {
        assert_eq!(between("2026-11-27T10:00:00Z", "2026-11-27T12:05:00.5Z").unwrap(), "2h 5m");
        assert_eq!(between("2026-11-27T10:00:00Z", "2026-11-27T09:00:00Z").unwrap(), "0s", "a clock that goes back");
        assert_eq!(between("2019-08-27T10:00:00.1-04:00", "now"), None);
    }
}
