use std::{fmt::Write, path::PathBuf};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use vipnode_agent::local::{self, AgentClientStatus, LeaseStatus};
use vipnode_types::{
    NodeId,
    wire::{Excluded, ExplainReply, ExplainedHost, Score},
};

use super::{
    Report,
    agent_page::{missing, unconnected},
    agents_page::{nobody, said, unresponsive_json},
    local_agents::{LocalAgents, UnresponsiveAgent, clean},
};
use crate::{
    args::StatusArgs,
    error::CliError,
    output::{
        Styled, Tone,
        format::{counted, slot_costs, span},
        shorten,
        terminal::page_width,
    },
};

/// So many agents ask their pools at once.
const AT_ONCE: usize = 8;
/// Hosts that are shown of one client; `--json` has all.
const HOSTS: usize = 100;
/// Characters that are shown of a text from the pool.
const WORDS: usize = 1_000;

/// The answer about one client.
struct Why {
    node: NodeId,
    socket: PathBuf,
    reply: ExplainReply,
    /// What the client's agent sees.
    client: AgentClientStatus,
}

/// Asks the pool of each local client why it has its hosts.
///
/// # Errors
/// Agents cannot be looked for.
pub(super) async fn look_why(args: &StatusArgs) -> Result<Report, CliError> {
    let mut agents = LocalAgents::ask(args).await?;
    let answered = std::mem::take(&mut agents.answered);
    let all = answered.len();
    let clients = answered.into_iter().filter_map(|(socket, status)| Some((socket, status.node.id, status.client?)));
    let asked = stream::iter(clients.map(async |(socket, node, client)| {
        let reply = local::explain(&socket).await;
        // As of now: the pool may have taken a while.
        let client = local::status(&socket).await.ok().and_then(|status| clean(status).client).unwrap_or(client);
        (reply, socket, node, client)
    }));
    let (mut whys, mut unresponsive) = (Vec::new(), Vec::new());
    for (answer, socket, node, client) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
        match answer {
            Ok(mut reply) => {
                reply.reason = reply.reason.map(|why| shorten(&why, WORDS));
                whys.push(Why { node, socket, reply, client });
            }
            Err(error) => {
                let mut agent = UnresponsiveAgent::of(socket, error);
                agent.error.message = format!("Node {}: {}", node.short(), agent.error.message);
                unresponsive.push(agent);
            }
        }
    }
    agents.unresponsive.append(&mut unresponsive);
    let json = json!({
        "event": "why",
        "agents": whys.iter().map(why_json).collect::<Value>(),
        "unresponsive": unresponsive_json(&agents.unresponsive),
        "inaccessible": unresponsive_json(&agents.inaccessible),
    });
    let complete = !whys.is_empty() && agents.unresponsive.is_empty();
    Ok(Report { text: page(&agents, &whys, all, args).wrapped(page_width()), json, complete })
}

fn why_json(why: &Why) -> Value {
    json!({"node": why.node, "socket": why.socket.display().to_string(), "explanation": why.reply})
}

fn page(agents: &LocalAgents, whys: &[Why], all: usize, args: &StatusArgs) -> Styled {
    let mut page = Styled::default();
    for (number, why) in whys.iter().enumerate() {
        page.push(if number == 0 { "" } else { "\n" });
        page.append(&one(why));
    }
    if whys.is_empty() && agents.unresponsive.is_empty() {
        if all == 0 {
            page.append(&nobody(agents, args));
        } else {
            page.mark(Tone::Warning);
            page.push("None of the local agents is a client, and only clients have hosts to explain\n");
        }
    }
    page.append(&said(&agents.unresponsive, Tone::Bad));
    page.append(&said(&agents.inaccessible, Tone::Plain));
    page.trimmed()
}

fn one(Why { node, reply, client, .. }: &Why) -> Styled {
    let mut page = Styled::default();
    let unconnected = unconnected(client);
    page.mark(if reply.missing == 0 && unconnected == 0 { Tone::Good } else { Tone::Warning });
    let missing = missing(reply.missing, unconnected, reply.reason.as_deref());
    // After a restart, the pool does not know what a client wants that has all its hosts and does not ask.
    let wants = counted(reply.want.max(client.wants).into(), "host");
    let _infallible = writeln!(page, "Node {} wants {wants}, {missing}", node.short());
    for given in reply.hosts.iter().take(HOSTS) {
        let state = connection(client.leases.iter().find(|lease| lease.lease == given.lease));
        let _infallible = writeln!(page, "  host {} {}{state}", given.host.short(), selection(given));
    }
    if reply.hosts.len() > HOSTS {
        let _infallible = writeln!(
            page,
            "  and {} (use --json for all)",
            counted(u64::try_from(reply.hosts.len() - HOSTS).unwrap_or(u64::MAX), "more host")
        );
    }
    if reply.hosts.iter().any(|given| given.selection.is_some()) {
        page.push("  points: computed when the host was assigned; the pool assigns the host with the most points\n");
    }
    let ExplainReply { connected_hosts, examined, candidates, .. } = reply;
    // What stands in the way is the reason above.
    let could = match (reply.reason.is_some(), candidates) {
        (false, _) | (true, 0) => "could be assigned",
        (true, 1) => "fits this node",
        (true, _) => "fit this node",
    };
    let _infallible = writeln!(
        page,
        "  now: {} connected to the pool, {}; {candidates} of {} examined {could}{}",
        counted(*connected_hosts, "host"),
        slot_costs(reply.price),
        counted((*examined).into(), "host"),
        left_out(&reply.excluded)
    );
    page
}

/// What a host's selection does not include: that the two nodes are not connected.
fn connection(lease: Option<&LeaseStatus>) -> String {
    match lease {
        Some(LeaseStatus { connected: Some(_), .. }) => String::new(),
        Some(LeaseStatus { redial_ms: Some(ms), .. }) => {
            format!("; not connected: the node may wait {} before it dials again", span(*ms))
        }
        Some(_) | None => "; not connected yet".to_owned(),
    }
}

fn selection(given: &ExplainedHost) -> String {
    let Some(selection) = &given.selection else {
        return "was assigned earlier; the pool no longer remembers why".to_owned();
    };
    let parts = parts(&selection.score);
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    match selection.candidates {
        0 | 1 => format!("was the only host that could be assigned, with {}{parts}", points(selection.score.total)),
        among => format!("was the best of {among} hosts, with {}{parts}", points(selection.score.total)),
    }
}

fn points(total: i32) -> String {
    if total.abs() == 1 { format!("{total} point") } else { format!("{total} points") }
}

/// What counted, with its sign.
fn parts(score: &Score) -> Vec<String> {
    let Score { free_slots, latency, uptime, refusals, strikes, contradicted, redial, same_operator, mutual, total: _ } =
        score;
    let parts = [
        ("free slots", free_slots),
        ("round trip to the pool", latency),
        ("time connected", uptime),
        ("rejected clients", refusals),
        ("clients that never connected", strikes),
        ("clients that did not see a required capability", contradicted),
        ("wait until the two nodes dial each other again", redial),
        ("same operator as another of its hosts", same_operator),
        ("connected in the other direction", mutual),
    ];
    let counted = parts.into_iter().filter(|(_, points)| **points != 0);
    counted.map(|(name, points)| format!("{points:+} {name}")).collect()
}

fn left_out(excluded: &Excluded) -> String {
    let Excluded {
        other_chain,
        already_leased,
        full,
        offers_none,
        waiting,
        too_expensive,
        no_trials,
        avoided,
        recently_failed,
        same_address,
        unreachable,
        incompatible,
    } = *excluded;
    let reasons = [
        (other_chain, "on another chain"),
        (already_leased, "already assigned to it"),
        (full, "full"),
        (offers_none, "without slots to offer"),
        (waiting, "that recently refused a client, or whose first clients have yet to connect"),
        (too_expensive, "too expensive for it"),
        (no_trials, "without free trials"),
        (avoided, "that it avoids"),
        (recently_failed, "to which it recently failed to connect"),
        (same_address, "recently assigned to another client at its address"),
        (unreachable, "at no address that it can reach"),
        (incompatible, "without a required capability, or running a release that one side rejects"),
    ];
    let some: Vec<String> =
        reasons.into_iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    if some.is_empty() { String::new() } else { format!("; excluded: {}", some.join(", ")) }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{LeaseId, wire::Selection};

    use super::*;

    #[test]
    fn each_point_and_each_reason_is_explained() {
        let score = Score { free_slots: 50, latency: -4, uptime: 30, ..Score::default() }.summed();
        let given = |selection| ExplainedHost { lease: LeaseId::new(7), host: NodeId::new([0xab; 64]), selection };
        let reply = ExplainReply {
            want: 3,
            missing: 1,
            reason: Some("no host has a free slot".to_owned()),
            connected_hosts: 9,
            examined: 8,
            candidates: 2,
            excluded: Excluded { full: 4, other_chain: 2, ..Excluded::default() },
            hosts: vec![given(Some(Selection { score, candidates: 12 })), given(None)],
            ..ExplainReply::default()
        };
        let client = crate::tests::agent(1, Some(7), Some(0)).client.unwrap();
        let waiting = |redial_ms| LeaseStatus { connected: None, redial_ms, ..client.leases[0].clone() };
        let client = AgentClientStatus { wants: 4, leases: vec![waiting(Some(20_000))], ..client.clone() };
        let page = one(&Why { node: NodeId::new([1; 64]), socket: PathBuf::new(), reply, client });
        let text = page.to_string();
        for words in [
            "wants 4 hosts, 1 missing: no host has a free slot; 1 not connected yet",
            "was assigned earlier; the pool no longer remembers why; not connected: the node may wait 20s",
            "host abababababab was the best of 12 hosts, with 76 points: +50 free slots, -4 round trip to the pool, +30 time connected",
            "was assigned earlier; the pool no longer remembers why",
            "2 of 8 hosts examined fit this node; excluded: 2 on another chain, 4 full",
        ] {
            assert!(text.contains(words), "{words} is missing in:\n{text}");
        }
        let shown = crate::tests::pages(|width| crate::tests::plain(&page.clone().wrapped(width).to_string()));
        insta::assert_snapshot!("why", shown);
    }
}
