//! The output of `vipnode pool admin`: tables for people, at most as wide as the terminal.
//!
//! May use `output`; does not call the pool.

use vipnode_pool::{
    Ban, BanTarget,
    admin::{AdminBans, AdminDrained, AdminNodes, AdminTop, Banned, DrainRequest, ListedNode},
};
use vipnode_types::Ms;

use crate::output::{
    Column, Styled, Table, cut,
    format::{brief, counted, span},
};

mod audit_page;
mod epoch_page;
mod leases_page;
mod ledger_pages;
#[cfg(test)]
mod tests;

pub(crate) use audit_page::audit_page;
pub(crate) use epoch_page::{epoch_plan_text, epoch_text};
pub(crate) use leases_page::leases_page;
pub(crate) use ledger_pages::{
    account_text, accounts_page, closed_text, marked_text, no_payouts_text, paid_text, payouts_csv, payouts_page,
    posted_text, price_text,
};

/// Columns of a version, and the fewest of a reason.
const WORD: usize = 8;
/// The fewest columns of an address block or an ID.
const BLOCK: usize = 18;

/// What the headings of [`top_page`] mean.
const TOP_HEADINGS: &str = "CORE: share of the time of the thread that matches hosts and clients; CORE US: that time \
                            in microseconds; CONNS: open connections; IN, OUT: bytes received and sent. Times and \
                            bytes are measured over one second";

/// The address blocks that use most.
pub(crate) fn top_page(top: &AdminTop, width: usize) -> Styled {
    let rows = top.blocks.iter().map(|block| {
        let part = block.core_us.saturating_mul(100) / top.measured_ms.saturating_mul(1_000).max(1);
        [
            block.block.clone(),
            format!("{part}%"),
            brief(block.core_us),
            brief(block.slots),
            brief(block.nodes),
            brief(block.connections),
            brief(block.bytes_in),
            brief(block.bytes_out),
        ]
    });
    let table = Table::new([
        Column::text("ADDRESS BLOCK").least(BLOCK),
        Column::number("CORE"),
        Column::number("CORE US").rank(6),
        Column::number("SLOTS").rank(1),
        Column::number("NODES").rank(4),
        Column::number("CONNS").rank(5),
        Column::number("IN").rank(3),
        Column::number("OUT").rank(2),
    ]);
    let mut page = table.with_rows(rows).fit(width);
    let mut notes = Vec::new();
    if top.further_blocks > 0 {
        notes.push(format!("{} not shown", counted(top.further_blocks, "block")));
    }
    notes.push(counted(top.bans, "ban"));
    match (top.drains_pool, top.drained_nodes) {
        (true, _) => notes.push("the pool is drained: it assigns no new leases".to_owned()),
        (false, 0) => {}
        (false, nodes) => notes.push(format!("{} drained", counted(nodes, "node"))),
    }
    page.push(&format!("\n\n{}\n{TOP_HEADINGS}", notes.join("; ")));
    page
}

/// The connected nodes.
pub(crate) fn nodes_page(nodes: &AdminNodes, width: usize) -> Styled {
    let rows = nodes.nodes.iter().map(|node| {
        [
            node.node.short(),
            kind(node, nodes.drains_pool),
            version(&node.agent_version),
            node.chain_id.to_string(),
            node.block.clone(),
            node.leases_as_host.saturating_add(node.leases_as_client).to_string(),
            if node.connected { span(nodes.now.since(node.since_ms)) } else { "offline".to_owned() },
        ]
    });
    let table = Table::new([
        Column::text("NODE"),
        Column::text("KIND"),
        Column::text("AGENT").rank(5),
        Column::number("CHAIN").rank(4),
        Column::text("ADDRESS BLOCK").rank(2).least(BLOCK),
        Column::number("LEASES").rank(1),
        Column::text("SINCE").rank(3),
    ]);
    let mut page = table.with_rows(rows).fit(width);
    if nodes.drains_pool {
        page.push("\n\nThe pool is drained: it assigns no new leases");
    } else if nodes.nodes.iter().any(|node| node.drained) {
        page.push("\n\n* drained: no new leases");
    }
    if let Some(next) = nodes.next {
        page.push(&format!("\n\nMore: --from {next}"));
    }
    page
}

fn kind(node: &ListedNode, drains_pool: bool) -> String {
    let role = match (node.host, node.client) {
        (true, true) => "both",
        (true, false) => "host",
        (false, true) => "client",
        (false, false) => "-",
    };
    if node.drained && !drains_pool { format!("{role}*") } else { role.to_owned() }
}

fn version(text: &str) -> String {
    cut(text.trim_start_matches("vipnode/"), WORD)
}

/// The table of bans, fitted to `width` columns.
pub(crate) fn bans_page(bans: &AdminBans, width: usize) -> Styled {
    if bans.bans.is_empty() {
        return "No bans".into();
    }
    let rows =
        bans.bans.iter().map(|ban| [short(&ban.target), until(ban), ban.reason.as_deref().unwrap_or("-").to_owned()]);
    let table = Table::new([
        Column::text("TARGET").least(BLOCK),
        Column::text("UNTIL"),
        Column::text("REASON").rank(1).least(WORD),
    ]);
    let mut page = table.with_rows(rows).fit(width);
    page.push(not_kept(bans.kept));
    page
}

/// A ban was added.
pub(crate) fn banned_text(banned: &Banned) -> Styled {
    let ended = counted(banned.ended_nodes, "node");
    let text = format!(
        "Banned {} ({}). Ended the connection and leases of {ended}.{}",
        short(&banned.ban.target),
        until(&banned.ban),
        not_kept(banned.kept)
    );
    text.as_str().into()
}

/// A ban was removed.
pub(crate) fn unbanned_text(target: &BanTarget, bans: &AdminBans) -> Styled {
    let left = counted(u64::try_from(bans.bans.len()).unwrap_or(u64::MAX), "ban");
    format!("Removed the ban of {}; {left} left", short(target)).as_str().into()
}

/// What is drained now, after this was drained or, with `stop`, no longer is.
pub(crate) fn drained_text(DrainRequest { node, stop }: &DrainRequest, drained: &AdminDrained) -> Styled {
    let nodes = counted(u64::try_from(drained.nodes.len()).unwrap_or(u64::MAX), "node");
    let stopped = match node {
        _ if !stop => String::new(),
        Some(node) => format!("Node {} is no longer drained. ", node.short()),
        None => "The pool is no longer drained. ".to_owned(),
    };
    let text = match (drained.pool, drained.nodes.is_empty()) {
        (true, _) => "The pool assigns no new leases; running leases continue until they end".to_owned(),
        (false, true) => "Nothing is drained".to_owned(),
        (false, false) => format!("{nodes} drained: no new leases"),
    };
    format!("{stopped}{text}{}", not_kept(drained.kept)).as_str().into()
}

const fn not_kept(kept: bool) -> &'static str {
    if kept {
        ""
    } else {
        "\nThis does not survive a restart of the pool. To keep it, run the pool without --store memory"
    }
}

fn until(ban: &Ban) -> String {
    ban.until_ms.map_or_else(|| "no end".to_owned(), Ms::rfc3339_seconds)
}

/// The beginning of an ID, which `vipnode pool admin nodes --json` shows in full.
fn short(target: &BanTarget) -> String {
    match target {
        BanTarget::Network(_) => target.to_string(),
        BanTarget::Node(_) | BanTarget::Agent(_) => target.to_string().chars().take(16).chain(['…']).collect(),
    }
}
