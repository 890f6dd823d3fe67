//! Derives findings from facts, without I/O.

use std::net::IpAddr;

use vipnode_agent::limits::RENEW_MS;
use vipnode_agent_core::{Allowed, Preview};
use vipnode_types::{
    ChainSpec, Direction, PeerFact, is_public,
    wire::{Admission, ErrorCode, Reach, ReachReply},
};

use super::{ClientFlags, Facts, Finding, KeyFacts, NodeFound, NodeMissing, PinFound, PoolFound};
use crate::output::format::{self, counted};

/// Clocks that differ by at most this much are fine.
const CLOCK_WELL_MS: u64 = 5_000;
/// A pool accepts a signature dated at most this far ahead of its clock.
const CLOCK_BAD_MS: u64 = 5 * 60_000;
const DAY_MS: u64 = 24 * 60 * 60_000;
/// A node whose newest block is older does not follow the chain, so a client's hosts are of no use to it.
const CLIENT_HEAD_S: u64 = 600;

/// Runs every check, in the order in which things depend on each other.
pub(crate) fn evaluate(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &facts.node {
        Ok(node) => {
            let flags = ClientFlags::of(&node.facts.client_version);
            let text =
                format!("{}, node {}, responds at {}", node.facts.client_version, node.facts.id.short(), node.at);
            findings.push(Finding::ok("node", text));
            findings.push(exposure(node, flags));
            findings.extend(key(facts, node));
            findings.extend([kind(facts, node), head(facts, node)]);
            findings.extend(peers(facts, node, flags));
            findings.extend(strict(facts, flags));
        }
        Err(NodeMissing::Error(fault)) => findings.push(Finding::error("node", &fault.message, &fault.hint)),
        Err(NodeMissing::NoCalls { at, client, what }) => {
            findings.push(Finding::ok("node", format!("{client} answers at {at}")));
            findings.push(Finding::error("admin", what, ClientFlags::of(client).calls(at)));
        }
    }
    match &facts.pool {
        Some(Ok(pool)) => findings.extend(self::pool(facts, pool)),
        Some(Err(fault)) => findings.push(Finding::error("pool", &fault.message, &fault.hint)),
        None => {}
    }
    findings
}

fn exposure(node: &NodeFound, flags: ClientFlags) -> Finding {
    let Some(exposed) = &node.exposed else {
        return Finding::skipped(
            "admin",
            "The admin API responds, but the check for access from other machines timed out",
        );
    };
    if exposed.is_empty() {
        return Finding::ok("admin", "Of the addresses tested, the admin API responds only at this one");
    }
    let text = format!("Anyone who can reach {} controls this node", exposed.join(", "));
    Finding::warning("admin", text, flags.loopback())
}

fn key(facts: &Facts, node: &NodeFound) -> Option<Finding> {
    Some(match node.key.as_ref()? {
        Ok(KeyFacts::Delegated { until }) => {
            let left = until.since(facts.now);
            let text = format!(
                "The node key's delegation to this agent is valid for {}",
                counted(left.div_ceil(DAY_MS), "more day")
            );
            let hint = "Renew the delegation at the next start: --nodekey FILE";
            if left > RENEW_MS { Finding::ok("key", text) } else { Finding::warning("key", text, hint) }
        }
        Ok(KeyFacts::Key(path)) => Finding::ok(
            "key",
            format!("Found the node key in {}. The agent uses it once to sign a delegation", path.display()),
        ),
        Err(fault) => Finding::error("key", &fault.message, &fault.hint),
    })
}

fn kind(facts: &Facts, node: &NodeFound) -> Finding {
    if node.facts.full || !facts.wants.sells() {
        return Finding::ok("chain", format!("The node is on {}", node.facts.chain));
    }
    let text = format!("The node on {} is a light node, so it has no peer slots to sell", node.facts.chain);
    Finding::error(
        "chain",
        text,
        "Run `vipnode client`, which works with a light node, or sync a full node: --syncmode snap",
    )
}

fn head(facts: &Facts, node: &NodeFound) -> Finding {
    let head = match &node.head {
        Ok(head) => head,
        Err(fault) => return Finding::error("head", &fault.message, &fault.hint),
    };
    let age_s = (facts.now.get() / 1_000).saturating_sub(head.timestamp_s);
    let text = format!("The node is at {}", format::head(head.number, Some(age_s.saturating_mul(1_000))));
    let hint = "Start the node's consensus client and wait until the node is in sync";
    let why = Preview::of(&facts.wants.agent, &node.facts, Some(*head), facts.now).why_no_slots;
    match why.filter(|_| facts.wants.sells() && node.facts.full) {
        Some(why) => Finding::error("head", format!("{text}, so a host would offer no slots: {why}"), hint),
        None if facts.wants.agent.host.is_none() && age_s > CLIENT_HEAD_S => {
            let on_public_chain = ChainSpec::public(node.facts.chain.chain_id).is_some();
            let private = "If this private chain produces no blocks, ignore this. Otherwise, start the node's consensus client \
                           and wait until the node is in sync";
            Finding::warning("head", text, if on_public_chain { hint } else { private })
        }
        None => Finding::ok("head", text),
    }
}

fn peers(facts: &Facts, node: &NodeFound, flags: ClientFlags) -> Vec<Finding> {
    let mut findings: Vec<Finding> = slots(facts, flags).into_iter().chain(light_slots(facts, node)).collect();
    match &node.peers {
        Ok(peers) => {
            findings.push(own_peers(facts, (node.own_peers, peers), flags));
            findings.extend(dial_slots(facts, peers, flags));
            findings.extend(super::direct::evaluate(&facts.wants.agent.direct, node, peers));
        }
        Err(fault) => findings.push(Finding::error("peers", &fault.message, &fault.hint)),
    }
    findings
}

/// No RPC call reports whether a node is closed to strangers.
fn strict(facts: &Facts, flags: ClientFlags) -> Option<Finding> {
    let text = "--strict-peers disconnects peers without a lease only after they connect, and they can reconnect. To keep \
                them out, restrict the node itself";
    facts.wants.agent.strict.then(|| Finding { hint: flags.close(), ..Finding::skipped("strict", text) })
}

fn slots(facts: &Facts, flags: ClientFlags) -> Option<Finding> {
    let host = facts.wants.agent.host.as_ref()?;
    let allowed = facts.wants.agent.direct.allowed();
    let needed = host.slots.saturating_add(allowed).saturating_add(host.reserve);
    let text = format!(
        "--slots {}{} and --reserve {} require {needed} peer slots; the node has {} (--node-max-peers)",
        host.slots,
        Allowed(allowed),
        host.reserve,
        host.node_max_peers
    );
    if needed <= host.node_max_peers {
        return Some(Finding::ok("slots", text));
    }
    let fit = host.node_max_peers.saturating_sub(host.reserve).saturating_sub(allowed);
    let fewer = if fit > 0 { format!("pass --slots {fit}") } else { "lower --reserve".to_owned() };
    let more = flags.max_peers(needed);
    Some(Finding::error("slots", text, format!("{more} and pass --node-max-peers {needed}, or {fewer}")))
}

/// No RPC call reports how many light nodes a node accepts.
fn light_slots(facts: &Facts, node: &NodeFound) -> Option<Finding> {
    let host = facts.wants.agent.host.as_ref()?;
    let serves_light = node.facts.full && node.facts.protocols.iter().any(|cap| cap.name() == "les");
    let text = || {
        format!(
            "The node also serves light nodes but does not report its limit for them. Trusted peers do not bypass \
             --light.maxpeers, so keep --slots {} at or below it",
            host.slots
        )
    };
    serves_light.then(|| Finding::skipped("light_slots", text()))
}

/// `counted` is the number of own peers by the agent that runs for the node. Without one, no peer has a lease, but trusted
/// peers can be what an agent left.
fn own_peers(facts: &Facts, (counted_own, peers): (Option<u32>, &[PeerFact]), flags: ClientFlags) -> Finding {
    let all = u32::try_from(peers.len()).unwrap_or(u32::MAX);
    let untrusted =
        || u32::try_from(peers.iter().filter(|peer| peer.trusted != Some(true)).count()).unwrap_or(u32::MAX);
    let own = counted_own.map_or_else(untrusted, |own| own.min(all));
    let text = format!("The node has {}, {own} of its own", counted(all.into(), "peer"));
    let most = facts.wants.node_max_peers;
    if all > most {
        return Finding::warning(
            "peers",
            format!("{text}, more than --node-max-peers {most}"),
            format!("Pass the node's own --maxpeers value: {}", facts.wants.pass_max_peers("N")),
        );
    }
    let reserve = facts.wants.agent.host.as_ref().map_or(0, |host| host.reserve);
    if all == most && own < reserve {
        let hint = format!("{}, or lower --slots", flags.max_peers(most.saturating_add(reserve)));
        return Finding::warning(
            "peers",
            format!("{text}. Its peer table is full, so --reserve {reserve} is not satisfied"),
            hint,
        );
    }
    Finding::ok("peers", text)
}

/// A client's node has to dial its hosts, and some clients dial few peers.
fn dial_slots(facts: &Facts, peers: &[PeerFact], flags: ClientFlags) -> Option<Finding> {
    let share = flags.dial_share.filter(|_| facts.wants.client)?;
    let most = facts.wants.node_max_peers;
    let slots = (most / share).max(1);
    let dialed = peers.iter().filter(|peer| peer.direction == Direction::Outbound).count();
    let dialed = u64::try_from(dialed).unwrap_or(u64::MAX);
    let text = format!("The node has dialed {} (maximum: {slots})", counted(dialed, "peer"));
    if dialed < slots.into() {
        return Some(Finding::ok("dial_slots", text));
    }
    let more = most.saturating_add(share.saturating_mul(3));
    let hint = format!("{} and pass {}", flags.max_peers(more), facts.wants.pass_max_peers(&more.to_string()));
    Some(Finding::warning("dial_slots", format!("{text}. It cannot dial a host until one of them disconnects"), hint))
}

fn pool(facts: &Facts, pool: &PoolFound) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("pool", format!("The pool at {} responds", pool.url))];
    findings.extend(identity(pool));
    match &pool.reached.reply {
        Ok(reply) => {
            findings.extend(admission(facts, reply));
            findings.extend(super::partners::evaluate(facts, reply));
            findings.extend(super::payment::evaluate(facts, reply));
            findings.push(clock(pool, reply));
            findings.extend(port(facts, reply));
        }
        Err(error) if error.is(ErrorCode::Busy) => {
            let text = format!("The pool did not check whether it accepts this node: {error}");
            findings.push(Finding::error("admission", text, error.hint().unwrap_or_default()));
        }
        Err(error) => {
            findings.extend(facts.wants.agent.protocol2.is_some().then(unsigned_admission));
            findings.push(Finding::skipped("port", format!("The pool does not support this check: {error}")));
        }
    }
    findings
}

/// The agent does not recognize pools on this machine, so an ID is not missed there.
fn identity(pool: &PoolFound) -> Option<Finding> {
    let Some(id) = pool.reached.pool_id.map(|id| id.short()) else {
        // Over HTTP, the ID comes with the answer to a connect.
        let text = if pool.url.starts_with("http") {
            "Over HTTP, only an agent that joins sees the pool's ID, so this check cannot compare it"
        } else {
            "The pool does not prove an ID, so the agent cannot recognize it"
        };
        return (pool.pin != PinFound::Never).then(|| Finding::skipped("pool_id", text));
    };
    let text = match pool.pin {
        PinFound::Same => format!("The pool's ID is {id}, as the agent remembers it"),
        PinFound::None => format!("The pool's ID is {id}; the agent remembers it from the first connection on"),
        PinFound::Never => format!("The pool's ID is {id}"),
    };
    Some(Finding::ok("pool_id", text))
}

/// Without a node, the pool judged none.
fn admission(facts: &Facts, reply: &ReachReply) -> Option<Finding> {
    let node = facts.node.as_ref().ok();
    let signed = node.is_some_and(|node| matches!(node.key, Some(Ok(_))));
    Some(match &reply.admission {
        Admission::Allowed | Admission::MembersOnly if node.is_none() => return None,
        Admission::Allowed | Admission::MembersOnly if facts.wants.agent.protocol2.is_some() => {
            let hint = "Start the agent, or run the check without --protocol 2".to_owned();
            Finding { hint, ..unsigned_admission() }
        }
        Admission::MembersOnly if signed => {
            let text = "The pool accepts only members, and did not evaluate the signed request, so this check cannot \
                        show whether the node is one";
            Finding::warning("admission", text, "Ask the pool's operator to update the pool, or start the agent to see")
        }
        Admission::Allowed => Finding::ok("admission", "The pool accepts this node"),
        Admission::MembersOnly => {
            let text = "The pool accepts only members, and does not disclose them. A signed request would show whether this node is one";
            Finding { hint: "Pass the node's key: --nodekey FILE".to_owned(), ..Finding::skipped("admission", text) }
        }
        Admission::Refused(error) => {
            let hint = error.data.as_ref().map(|data| data.hint.clone()).unwrap_or_default();
            Finding::error("admission", error.to_string(), hint)
        }
    })
}

/// What is not known over protocol 2. A pool that speaks only that has no other check.
fn unsigned_admission() -> Finding {
    let text = "Over protocol 2, this check signs nothing, so it cannot show whether the pool admits this node, accepts the \
                URL, and has hosts on the node's chain";
    Finding { hint: "Start the agent".to_owned(), ..Finding::skipped("admission", text) }
}

fn clock(pool: &PoolFound, reply: &ReachReply) -> Finding {
    let (here, there) = (pool.reached.heard, reply.time_ms);
    let (apart, way) = if here > there { (here.since(there), "ahead of") } else { (there.since(here), "behind") };
    if apart <= CLOCK_WELL_MS {
        return Finding::ok("clock", "This machine's clock agrees with the pool's");
    }
    let text = format!("This machine's clock is {} s {way} the pool's", apart / 1_000);
    let hint = "Synchronize the clock: timedatectl set-ntp true";
    if apart < CLOCK_BAD_MS { Finding::warning("clock", text, hint) } else { Finding::error("clock", text, hint) }
}

fn port(facts: &Facts, reply: &ReachReply) -> Vec<Finding> {
    let Ok(node) = &facts.node else { return Vec::new() };
    let flags = ClientFlags::of(&node.facts.client_version);
    let port = facts.wants.port.unwrap_or(node.facts.enode.port);
    let place = format!("port {port} at {}", reply.address);
    if let Some(error) = &reply.port_error {
        let text = format!("The pool did not test the port: {error}");
        return vec![Finding::warning("port", text, error.hint().unwrap_or_default())];
    }
    let trouble = match reply.port {
        None if facts.wants.sells() => {
            let text = "The node does not report a p2p port, so clients cannot dial it";
            let hint = "Start the node with a p2p port (geth --port 30303), or pass --enode enode://ID@HOST:PORT";
            return vec![Finding::error("port", text, hint)];
        }
        None => return vec![Finding::skipped("port", "The node does not report a p2p port")],
        Some(Reach::Open) => {
            let mut findings = vec![Finding::ok("port", format!("The pool can reach {place}"))];
            findings.extend(advertised_address(node, reply, flags));
            return findings;
        }
        Some(Reach::Refused) => format!("The pool cannot reach {place}: connection refused"),
        Some(Reach::Timeout) => format!("The pool cannot reach {place}: timed out"),
    };
    let hint = match reply.address.to_canonical() {
        // The pool is on this machine: no firewall or router is in between.
        ip if ip.is_loopback() => format!(
            "Check that the node listens on TCP port {port}. If other nodes reach this node at another address, pass \
             --enode.host HOST"
        ),
        ip => format!(
            "Open TCP port {port} (`ufw allow {port}`) and forward it from the router to this machine. {}. If other nodes \
             reach this node at another address, pass --enode.host HOST",
            flags.address(&ip.to_string())
        ),
    };
    if facts.wants.sells() {
        vec![Finding::error("port", trouble, hint)]
    } else if facts.wants.agent.host.is_some() && !facts.wants.client {
        vec![Finding::warning("port", format!("{trouble}; no slots are for sale, so no client has to dial it"), hint)]
    } else {
        vec![Finding::warning(
            "port",
            format!("{trouble}; hosts cannot dial this client, so it has to dial them"),
            hint,
        )]
    }
}

/// A pool replaces an address that others cannot use, but accepts another public one.
fn advertised_address(node: &NodeFound, reply: &ReachReply, flags: ClientFlags) -> Option<Finding> {
    let advertised: IpAddr = node.facts.enode.ip()?;
    if !is_public(advertised) || advertised == reply.address || reply.address.to_canonical().is_loopback() {
        return None;
    }
    let text = format!("The node advertises {advertised}, but the pool sees it at {}", reply.address);
    let hint = format!("{}, or pass --enode.host {}", flags.address(&reply.address.to_string()), reply.address);
    Some(Finding::warning("address", text, hint))
}
