//! From what was looked at to what is said. No I/O.

use std::net::IpAddr;

use vipnode_agent::limits::RENEW_MS;
use vipnode_agent_core::Allowed;
use vipnode_types::{
    Direction, PeerFact, is_public,
    wire::{Admission, ErrorCode, Reach, ReachReply},
};

use super::{Facts, Finding, KeyFacts, NodeFound, NodeMissing, PoolFound, Words};

/// Clocks this far apart are as good as the same.
const CLOCK_WELL_MS: u64 = 5_000;
/// A pool believes a signature that is dated at most this far ahead of its clock.
const CLOCK_BAD_MS: u64 = 5 * 60_000;
const DAY_MS: u64 = 24 * 60 * 60_000;
/// A client beside a node whose newest block is older follows no chain.
const CLIENT_HEAD_S: u64 = 600;

/// Every check, in the order in which things depend on each other.
pub(crate) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &facts.node {
        Ok(node) => {
            let words = Words::of(&node.facts.client_version);
            let text = format!("{} ({}) answers at {}", node.facts.client_version, node.facts.id.short(), node.at);
            findings.push(Finding::well("node", text));
            findings.push(exposure(node, words));
            findings.extend(key(facts, node));
            findings.extend([kind(facts, node), head(facts, node)]);
            findings.extend(peers(facts, node, words));
            findings.extend(strict(facts, words));
        }
        Err(NodeMissing::Fault(fault)) => findings.push(Finding::bad("node", &fault.what, &fault.hint)),
        Err(NodeMissing::NoCalls { at, client, what }) => {
            findings.push(Finding::well("node", format!("{client} answers at {at}")));
            findings.push(Finding::bad("admin", what, Words::of(client).calls(at)));
        }
    }
    match &facts.pool {
        Some(Ok(pool)) => findings.extend(self::pool(facts, pool)),
        Some(Err(fault)) => findings.push(Finding::bad("pool", &fault.what, &fault.hint)),
        None => {}
    }
    findings
}

fn exposure(node: &NodeFound, words: Words) -> Finding {
    let Some(exposed) = &node.exposed else {
        return Finding::skipped("admin", "all admin calls answer; whether to others too was not found out in time");
    };
    if exposed.is_empty() {
        return Finding::well("admin", "all admin calls answer, and at no other address that was tried");
    }
    let text = format!("anybody who reaches {} may command this node", exposed.join(", "));
    Finding::warning("admin", text, words.loopback())
}

fn key(facts: &Facts, node: &NodeFound) -> Option<Finding> {
    Some(match node.key.as_ref()? {
        Ok(KeyFacts::Delegated { until }) => {
            let left = until.since(facts.now);
            let text = format!("the node has signed that this agent speaks for it, for {} more days", left / DAY_MS);
            let hint = "--nodekey <path of the node's key file> at the next start, to sign anew";
            if left > RENEW_MS { Finding::well("key", text) } else { Finding::warning("key", text, hint) }
        }
        Ok(KeyFacts::Key(path)) => {
            Finding::well("key", format!("{} is this node's key, to sign with once", path.display()))
        }
        Err(fault) => Finding::bad("key", &fault.what, &fault.hint),
    })
}

fn kind(facts: &Facts, node: &NodeFound) -> Finding {
    if node.facts.full || facts.wants.host.is_none() {
        return Finding::well("chain", format!("the node is on {}", node.facts.chain));
    }
    let text = format!("the node is a light one on {}, which has no places to sell", node.facts.chain);
    Finding::bad("chain", text, "--role client; or sync a full node: --syncmode snap")
}

fn head(facts: &Facts, node: &NodeFound) -> Finding {
    let head = match &node.head {
        Ok(head) => head,
        Err(fault) => return Finding::bad("head", &fault.what, &fault.hint),
    };
    let age_s = (facts.now.get() / 1_000).saturating_sub(head.timestamp_s);
    let text = format!("the newest block is {}, {age_s} s old", head.number);
    let hint = "start the consensus client beside the node, and wait until it is in sync; on a chain that stands \
                still: --max-head-age off";
    match &facts.wants.host {
        Some(host) if host.max_head_age_s.is_some_and(|most| age_s > most) => Finding::bad("head", text, hint),
        None if age_s > CLIENT_HEAD_S => Finding::warning("head", text, hint),
        _ => Finding::well("head", text),
    }
}

fn peers(facts: &Facts, node: &NodeFound, words: Words) -> Vec<Finding> {
    let mut findings: Vec<Finding> = places(facts, words).into_iter().chain(light_places(facts, node)).collect();
    match &node.peers {
        Ok(peers) => {
            findings.push(own_peers(facts, peers, words));
            findings.extend(dial_slots(facts, peers, words));
            findings.extend(super::direct::judge(&facts.wants.direct, node, peers));
        }
        Err(fault) => findings.push(Finding::bad("peers", &fault.what, &fault.hint)),
    }
    findings
}

/// No call tells whether a node is closed.
fn strict(facts: &Facts, words: Words) -> Option<Finding> {
    let text = "--strict-peers disconnects strangers once they are peers, and each may come back; what keeps them away \
                are flags of the node, which no call tells";
    facts.wants.strict.then(|| Finding { hint: words.close(), ..Finding::skipped("strict", text) })
}

fn places(facts: &Facts, words: Words) -> Option<Finding> {
    let host = facts.wants.host.as_ref()?;
    let allowed = facts.wants.direct.allowed();
    let needed = host.slots.saturating_add(allowed).saturating_add(host.reserve);
    let text = format!(
        "--slots {}{} and --reserve {} need {needed} places, the node has {} (--node-max-peers)",
        host.slots,
        Allowed(allowed),
        host.reserve,
        host.node_max_peers
    );
    if needed <= host.node_max_peers {
        return Some(Finding::well("places", text));
    }
    let fit = host.node_max_peers.saturating_sub(host.reserve).saturating_sub(allowed);
    let fewer = if fit > 0 { format!("--slots {fit}") } else { "a smaller --reserve".to_owned() };
    let more = words.max_peers(needed);
    Some(Finding::bad("places", text, format!("{more}, and say so: --node-max-peers {needed}; or {fewer}")))
}

/// No call tells how many light nodes a node takes.
fn light_places(facts: &Facts, node: &NodeFound) -> Option<Finding> {
    let host = facts.wants.host.as_ref()?;
    let serves_light = node.facts.full && node.facts.protocols.iter().any(|cap| cap.name() == "les");
    let text = || {
        format!(
            "the node serves light nodes too and tells nobody how many: compare its --light.maxpeers, which no trust \
             gets past, with --slots {}, which must not be more",
            host.slots
        )
    };
    serves_light.then(|| Finding::skipped("light_places", text()))
}

fn own_peers(facts: &Facts, peers: &[PeerFact], words: Words) -> Finding {
    let all = u32::try_from(peers.len()).unwrap_or(u32::MAX);
    let own = peers.iter().filter(|peer| peer.trusted != Some(true)).count();
    let text = format!("the node has {all} peers, {own} of them its own");
    let most = facts.wants.node_max_peers;
    if all > most {
        return Finding::warning(
            "peers",
            format!("{text}, more than --node-max-peers {most}"),
            "--node-max-peers with the node's own number",
        );
    }
    let reserve = facts.wants.host.as_ref().map_or(0, |host| host.reserve);
    if all == most && own < usize::try_from(reserve).unwrap_or(usize::MAX) {
        let hint = format!("lower --slots, or {}", words.max_peers(most.saturating_add(reserve)));
        return Finding::warning(
            "peers",
            format!("{text}, and its table is full: --reserve {reserve} is not kept"),
            hint,
        );
    }
    Finding::well("peers", text)
}

/// A client's node has to dial its hosts, and some dial few.
fn dial_slots(facts: &Facts, peers: &[PeerFact], words: Words) -> Option<Finding> {
    let share = words.dial_share.filter(|_| facts.wants.client)?;
    let most = facts.wants.node_max_peers;
    let slots = (most / share).max(1);
    let dialled = peers.iter().filter(|peer| peer.direction == Direction::Outbound).count();
    let text = format!("the node has dialled {dialled} of the {slots} peers that it dials at most");
    if dialled < usize::try_from(slots).unwrap_or(usize::MAX) {
        return Some(Finding::well("dial_slots", text));
    }
    let more = most.saturating_add(share.saturating_mul(3));
    let hint = format!("{}, and say so: --node-max-peers {more}", words.max_peers(more));
    Some(Finding::warning("dial_slots", format!("{text}: it dials no host before one of them goes"), hint))
}

fn pool(facts: &Facts, pool: &PoolFound) -> Vec<Finding> {
    let mut findings = vec![Finding::well("pool", format!("the pool at {} answers", pool.url))];
    match &pool.reached.reply {
        Ok(reply) => {
            findings.extend([admission(reply), clock(pool, reply)]);
            findings.extend(port(facts, reply));
        }
        Err(error) if error.is(ErrorCode::Busy) => {
            let hint = error.data.as_ref().map(|data| data.hint.clone()).unwrap_or_default();
            findings.push(Finding::warning("port", format!("the pool tries no port now: {error}"), hint));
        }
        Err(error) => findings.push(Finding::skipped("port", format!("this pool does not tell more: {error}"))),
    }
    findings
}

fn admission(reply: &ReachReply) -> Finding {
    match &reply.admission {
        Admission::Allowed => Finding::well("admission", "the pool takes this node"),
        Admission::MembersOnly => Finding::skipped(
            "admission",
            "the pool takes its members only; who is one it tells at the start of an agent",
        ),
        Admission::Refused(error) if error.is(ErrorCode::NotMember) => Finding::bad(
            "admission",
            error.to_string(),
            "--join-secret-file FILE with the secret that the pool's operator gave you",
        ),
        Admission::Refused(error) => {
            let hint = error.data.as_ref().map(|data| data.hint.clone()).unwrap_or_default();
            Finding::bad("admission", error.to_string(), hint)
        }
    }
}

fn clock(pool: &PoolFound, reply: &ReachReply) -> Finding {
    let (here, there) = (pool.reached.heard, reply.time_ms);
    let (apart, way) = if here > there { (here.since(there), "ahead of") } else { (there.since(here), "behind") };
    if apart <= CLOCK_WELL_MS {
        return Finding::well("clock", "this machine's clock and the pool's agree");
    }
    let text = format!("this machine's clock is {} s {way} the pool's", apart / 1_000);
    let hint = "timedatectl set-ntp true";
    if apart < CLOCK_BAD_MS { Finding::warning("clock", text, hint) } else { Finding::bad("clock", text, hint) }
}

fn port(facts: &Facts, reply: &ReachReply) -> Vec<Finding> {
    let Ok(node) = &facts.node else { return Vec::new() };
    let words = Words::of(&node.facts.client_version);
    let port = facts.wants.port.unwrap_or(node.facts.enode.port);
    let place = format!("port {port} at {}", reply.address);
    let trouble = match reply.port {
        None => return vec![Finding::skipped("port", "the node tells no p2p port")],
        Some(Reach::Open) => {
            let mut findings = vec![Finding::well("port", format!("the pool reaches {place}"))];
            findings.extend(told_address(node, reply, words));
            return findings;
        }
        Some(Reach::Refused) => format!("the pool reaches nobody at {place}: the connection is refused"),
        Some(Reach::Timeout) => format!("the pool gets no answer from {place}"),
    };
    let hint = format!(
        "let TCP {port} in: `ufw allow {port}`, and forward it in the router to this machine; {}; where the node is \
         seen elsewhere: --enode.host HOST",
        words.address(&reply.address.to_string())
    );
    if facts.wants.host.is_some() {
        vec![Finding::bad("port", trouble, hint)]
    } else {
        vec![Finding::warning("port", format!("{trouble}; hosts cannot dial this client, it has to dial them"), hint)]
    }
}

/// A pool replaces an address that is of no use to others, but believes another public one.
fn told_address(node: &NodeFound, reply: &ReachReply, words: Words) -> Option<Finding> {
    let told: IpAddr = node.facts.enode.ip()?;
    if !is_public(told) || told == reply.address {
        return None;
    }
    let text = format!("the node tells others {told}, and the pool sees it at {}", reply.address);
    let hint = format!("{}; or --enode.host {}", words.address(&reply.address.to_string()), reply.address);
    Some(Finding::warning("address", text, hint))
}
