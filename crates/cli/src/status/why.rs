use std::{fmt::Write, path::PathBuf};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use vipnode_agent::local;
use vipnode_types::{
    NodeId, sanitize,
    wire::{Excluded, ExplainReply, ExplainedHost, Score},
};

use super::{
    Report,
    agents::{Agents, Silent},
    agents_page::{nobody, said, silent_json},
};
use crate::{
    args::StatusArgs,
    error::Failure,
    output::{
        Styled, Tone,
        format::{counted, place_costs},
    },
};

/// So many agents ask their pools at once.
const AT_ONCE: usize = 8;
/// Hosts that are shown of one client; `--json` has all.
const HOSTS: usize = 100;
/// Characters that are shown of what the pool says.
const WORDS: usize = 1_000;

/// An answer, and whose it is.
struct Why {
    node: NodeId,
    socket: PathBuf,
    reply: ExplainReply,
}

/// Asks the pool of each client why it has its hosts.
///
/// # Errors
/// Agents cannot be looked for.
pub(super) async fn look_why(args: &StatusArgs) -> Result<Report, Failure> {
    let mut agents = Agents::ask(args).await?;
    let told = std::mem::take(&mut agents.told);
    let all = told.len();
    let clients = told.into_iter().filter(|(_, status)| status.client.is_some());
    let asked =
        stream::iter(clients.map(async |(socket, status)| (local::explain(&socket).await, socket, status.node.id)));
    let (mut whys, mut silent) = (Vec::new(), Vec::new());
    for (answer, socket, node) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
        match answer {
            Ok(mut reply) => {
                reply.reason = reply.reason.map(|why| sanitize(&why, WORDS));
                whys.push(Why { node, socket, reply });
            }
            Err(error) => {
                let Silent { place, what, hint } = Silent::of(socket, &error);
                silent.push(Silent { place, what: format!("node {}: {what}", node.short()), hint });
            }
        }
    }
    agents.silent.append(&mut silent);
    let json = json!({
        "event": "why",
        "agents": whys.iter().map(why_json).collect::<Value>(),
        "silent": silent_json(&agents.silent),
        "hidden": silent_json(&agents.hidden),
    });
    let complete = !whys.is_empty() && agents.silent.is_empty();
    Ok(Report { text: page(&agents, &whys, all, args), json, complete })
}

fn why_json(why: &Why) -> Value {
    json!({"node": why.node, "socket": why.socket.display().to_string(), "explanation": why.reply})
}

fn page(agents: &Agents, whys: &[Why], all: usize, args: &StatusArgs) -> Styled {
    let mut page = Styled::default();
    for (number, why) in whys.iter().enumerate() {
        page.push(if number == 0 { "" } else { "\n" });
        page.append(&one(why));
    }
    if whys.is_empty() && agents.silent.is_empty() {
        if all == 0 {
            page.append(&nobody(agents, args));
        } else {
            page.mark(Tone::Warning);
            page.push("no agent here is a client: hosts are given to clients, so there is nothing to explain\n");
        }
    }
    page.append(&said(&agents.silent, Tone::Bad));
    page.append(&said(&agents.hidden, Tone::Plain));
    page.trimmed()
}

fn one(Why { node, reply, .. }: &Why) -> Styled {
    let mut page = Styled::default();
    page.mark(if reply.missing == 0 { Tone::Good } else { Tone::Warning });
    let _infallible = write!(page, "node {} wants {}", node.short(), counted(reply.want.into(), "host"));
    let _infallible = match (reply.missing, &reply.reason) {
        (0, _) => writeln!(page, " and has them"),
        (missing, None) => writeln!(page, ", {missing} missing"),
        (missing, Some(why)) => writeln!(page, ", {missing} missing: {why}"),
    };
    for given in reply.hosts.iter().take(HOSTS) {
        let _infallible = writeln!(page, "  host {} {}", given.host.short(), won(given));
    }
    if reply.hosts.len() > HOSTS {
        let _infallible = writeln!(page, "  and {} more hosts: --json has all", reply.hosts.len() - HOSTS);
    }
    let ExplainReply { connected_hosts, examined, candidates, .. } = reply;
    let _infallible = writeln!(
        page,
        "  now: {} connected there, {}; of {} looked at {candidates} could be given{}",
        counted(*connected_hosts, "host"),
        place_costs(reply.price),
        counted((*examined).into(), "host"),
        left_out(&reply.excluded)
    );
    page
}

fn won(given: &ExplainedHost) -> String {
    let Some(won) = &given.selection else {
        return "was given before the pool can remember why".to_owned();
    };
    let parts = parts(&won.score);
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    match won.candidates {
        0 | 1 => format!("was the only one that could be given; {} points{parts}", won.score.total),
        among => format!("won among {among} with {} points{parts}", won.score.total),
    }
}

/// What counted, with its sign.
fn parts(score: &Score) -> Vec<String> {
    let Score { free_slots, latency, uptime, refusals, strikes, same_operator, mutual, total: _ } = score;
    let parts = [
        ("free slots", free_slots),
        ("round trip to the pool", latency),
        ("time connected", uptime),
        ("refused clients", refusals),
        ("clients that never connected", strikes),
        ("same operator as another of its hosts", same_operator),
        ("connected the other way round", mutual),
    ];
    let counted = parts.into_iter().filter(|(_, points)| **points != 0);
    counted.map(|(name, points)| format!("{points:+} {name}")).collect()
}

fn left_out(excluded: &Excluded) -> String {
    let Excluded {
        other_chain,
        already_leased,
        full,
        too_expensive,
        avoided,
        recently_failed,
        same_address,
        incompatible,
    } = *excluded;
    let reasons = [
        (other_chain, "on another chain"),
        (already_leased, "that it has already"),
        (full, "with no place free"),
        (too_expensive, "too dear for it"),
        (avoided, "that it does not want"),
        (recently_failed, "with which it did not come together a moment ago"),
        (same_address, "given to another client of its address a moment ago"),
        (incompatible, "that do not serve what it needs, or of a release that one side refuses"),
    ];
    let some: Vec<String> =
        reasons.into_iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    if some.is_empty() { String::new() } else { format!("; left out: {}", some.join(", ")) }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{LeaseId, wire::Selection};

    use super::*;

    #[test]
    fn each_point_and_each_reason_has_its_words() {
        let score = Score { free_slots: 50, latency: -4, uptime: 30, ..Score::default() }.summed();
        let given = |won| ExplainedHost { lease: LeaseId::new(7), host: NodeId::new([0xab; 64]), selection: won };
        let reply = ExplainReply {
            want: 3,
            missing: 1,
            reason: Some("no host has a free place".to_owned()),
            connected_hosts: 9,
            examined: 8,
            candidates: 2,
            excluded: Excluded { full: 4, other_chain: 2, ..Excluded::default() },
            hosts: vec![given(Some(Selection { score, candidates: 12 })), given(None)],
            ..ExplainReply::default()
        };
        let text = one(&Why { node: NodeId::new([1; 64]), socket: PathBuf::new(), reply }).to_string();
        for words in [
            "wants 3 hosts, 1 missing: no host has a free place",
            "host abababababab won among 12 with 76 points: +50 free slots, -4 round trip to the pool, +30 time connected",
            "before the pool can remember",
            "of 8 hosts looked at 2 could be given; left out: 2 on another chain, 4 with no place free",
        ] {
            assert!(text.contains(words), "{words} is missing in:\n{text}");
        }
    }
}
