use vipnode_agent::{AgentNotice, PinChange, PinReason};
use vipnode_agent_core::{Notice, PoolState};
use vipnode_types::{
    Amount, Asset, EnodeHost, PoolId, Price, TypedError,
    wire::{EvictReason, Side},
};

use crate::output::{
    Line, Tone,
    connect_failure::{Perspective, connect_failure},
    evict_reasons::{why_evicted, why_lost},
    format::{capitalized, counted, slot_costs, span},
    host_slow::HostSlow,
    payment_notices::LINK,
    price_notices::price_line,
};

/// Characters that are shown of a text from a pool.
const WORDS: usize = 1_000;

/// An amount of wei, with its sign.
fn amount(wei: i128) -> String {
    let sign = if wei < 0 { "-" } else { "" };
    format!("{sign}{}", Asset::ETHER.show(Amount::new(wei.unsigned_abs())))
}

/// A warning with the message and the hint of a failure.
fn failed(event: &'static str, message: impl Into<String>, failure: &dyn TypedError) -> Line {
    Line::new(event, Tone::Warning, message).hint(&failure.hint().unwrap_or_default())
}

/// A notice of an agent as a line for its user.
pub(crate) fn agent_notice_line(notice: &AgentNotice) -> Line {
    match notice {
        AgentNotice::WaitingForNode(why) => failed("waiting_for_node", format!("Waiting for the node: {why}"), why),
        AgentNotice::Node { agent, facts, at, state_dir } => {
            let text = format!(
                "Node {} ({}) on {} at {at}; agent key address: {agent}; state directory: {}",
                facts.id.short(),
                facts.client_version,
                facts.chain,
                state_dir.display()
            );
            Line::new("node", Tone::Good, text)
                .with("node", facts.id.to_string())
                .with("client_version", facts.client_version.as_str())
                .with("chain_id", facts.chain.chain_id)
                .with("genesis", facts.chain.genesis.to_string())
                .with("agent", agent.to_string())
        }
        AgentNotice::NoBlock(why) => failed("no_block", "The node has no block yet", why),
        AgentNotice::Exposed { at } => {
            let text = format!(
                "The node's admin API is reachable from other machines at {at}. Anyone who can reach it controls the node."
            );
            Line::new("exposed", Tone::Warning, text)
                .with("at", at.as_str())
                .hint("Remove admin from the node's API list at that address, and use the IPC file.")
        }
        AgentNotice::NotDialable => {
            let text = "No other node can dial this host: its node does not accept connections (port 0 in its enode)";
            let hint = "Give the node a p2p port (geth --port 30303), or pass the enode at which it can be reached: --enode \
                        enode://ID@HOST:PORT.";
            Line::new("not_dialable", Tone::Warning, text).hint(hint)
        }
        AgentNotice::Released { changes } => {
            let text = format!(
                "Undid {} that an earlier run with another pool left on the node",
                counted(u64::try_from(*changes).unwrap_or(u64::MAX), "change")
            );
            Line::new("released", Tone::Plain, text).with("leases", *changes)
        }
        AgentNotice::PoolPinned { url, change } => pinned(url, *change),
        AgentNotice::Fault(failure) => failed("fault", failure.to_string(), failure),
        AgentNotice::NotRenewed { days, why } => {
            let text =
                format!("The agent's delegation expires in {} and could not be renewed: {why}", counted(*days, "day"));
            failed("fault", text, why)
        }
        AgentNotice::Delegated { key_file } => {
            let text = format!(
                "The node key in {} signed a delegation to this agent, valid for one year. The file is not needed again \
                 until then.",
                key_file.display()
            );
            Line::new("delegated", Tone::Good, text)
        }
        AgentNotice::SignsEachCall { key_file } => {
            let text = format!(
                "Protocol 2: the node key in {} signs every call and stays in memory while this agent is running",
                key_file.display()
            );
            Line::new("signs_each_call", Tone::Plain, text)
        }
        AgentNotice::Notice(notice) => notice_line(notice),
        AgentNotice::Repeated { notice, times, ago_s } => repeated(notice, *times, *ago_s),
        AgentNotice::Omitted { notice, count } => omitted(notice, *count),
    }
}

/// Of a notice that was shown before and came again.
fn repeated(notice: &AgentNotice, times: u64, ago_s: u64) -> Line {
    let mut line = agent_notice_line(notice);
    let ago = span(ago_s.saturating_mul(1_000));
    line.text = match times {
        1 => format!("{} (again, {ago} ago)", line.text),
        _ => format!("{} ({times} times more, the last one {ago} ago)", line.text),
    };
    line.with("repeated", times).with("ago_s", ago_s)
}

/// The newest of the notices of one kind that are not shown.
fn omitted(notice: &AgentNotice, count: u64) -> Line {
    let mut line = agent_notice_line(notice);
    if count > 1 {
        line.text = format!("{} (the newest of {} of this kind)", line.text, counted(count, "notice"));
    }
    line.with("omitted", count)
}

fn pinned(url: &str, change: PinChange) -> Line {
    let short = |id: Option<PoolId>| id.map(|id| id.short()).unwrap_or_default();
    let (old, new) = (short(change.old), short(change.new));
    let text = match (change.reason, change.old, change.new) {
        (PinReason::FirstUse, ..) => {
            format!("Remembered the ID of the pool at {url}: {new}. From now on, any other pool there is refused.")
        }
        (PinReason::Signed, ..) => {
            format!("The pool at {url} has a new ID, {new}. The key of its old ID, {old}, signed the change.")
        }
        (PinReason::Accepted, _, None) => {
            format!("Accepted that the pool at {url} has no ID, and forgot the ID {old} (--accept-pool-key none).")
        }
        (PinReason::Accepted, None, _) => {
            format!("Remembered the ID of the pool at {url}: {new} (--accept-pool-key).")
        }
        (PinReason::Accepted, ..) => {
            format!("Accepted the pool at {url} with the ID {new} in place of {old} (--accept-pool-key).")
        }
    };
    let line = Line::new("pool_pinned", Tone::Plain, text).with("url", url);
    match change.new {
        Some(id) => line.with("pool_id", id.to_string()),
        None => line,
    }
}

fn notice_line(notice: &Notice) -> Line {
    match notice {
        Notice::Connected { welcome, price, pool_id } => joined(welcome.as_deref(), *price, *pool_id),
        Notice::PoolUntrusted { why } => {
            let then = "Nothing was signed; existing leases stay active.";
            lost_pool(PoolState::Untrusted, &format!("{why}. {then}"), why)
        }
        Notice::Behind { blocks, latest } => behind(*blocks, *latest),
        Notice::CaughtUp { latest } => {
            let text = format!("The node has caught up with the pool's newest known block ({latest})");
            Line::new("caught_up", Tone::Good, text).with("latest", *latest)
        }
        Notice::Balance { credit_wei, deposit_wei } => {
            let text = format!("Balance at the pool: credit {}, deposit {}", amount(*credit_wei), amount(*deposit_wei));
            let line = Line::new("balance", Tone::Plain, text);
            line.with("credit_wei", credit_wei.to_string()).with("deposit_wei", deposit_wei.to_string())
        }
        Notice::PoolDisconnected { why } => {
            let then = "The node keeps its peers; reconnecting.";
            lost_pool(PoolState::Disconnected, &format!("{why}. {then}"), why)
        }
        Notice::PoolUnreachable { why, retry_ms } => {
            let then = format!("trying again in {} s", retry_ms.div_ceil(1_000).max(1));
            lost_pool(PoolState::Unreachable, &format!("{why}; {then}"), why)
        }
        Notice::Displaced { address, wait_ms } => {
            let text = format!(
                "Another agent is using this node's key, from {address} (as the pool sees it). Each connection of one disconnects the \
                 other, so this agent waits at least {} after it is disconnected",
                span(*wait_ms)
            );
            Line::new("displaced", Tone::Warning, text)
                .with("address", address.to_string())
                .hint(
                    "Stop one of the two agents. If another machine may use the same node key, such as a clone of this one, \
                     delete the node key of the clone's node, and restart that node and its agent",
                )
        }
        Notice::PoolRefused(error) => {
            let hint = error.data.as_ref().map(|data| plain(&data.hint)).unwrap_or_default();
            let line = pool_line(PoolState::Refused, &plain(&error.message));
            line.with("code", error.code).hint(&hint)
        }
        Notice::NodeDisconnected { why } => {
            failed("node_disconnected", format!("Lost connection to the node ({why}); reconnecting."), why)
        }
        Notice::NodeReconnected => {
            Line::new("node_reconnected", Tone::Good, "Node reconnected; reapplied all active leases.")
        }
        Notice::Offering { slots, why } => offering(*slots, why.as_deref()),
        Notice::OwnPeersFalling { now, reserve } => {
            let text = format!(
                "The node has only {} of its own while selling slots (--reserve {reserve})",
                counted((*now).into(), "peer")
            );
            Line::new("own_peers_falling", Tone::Warning, text)
                .with("own_peers", *now)
                .hint("Lower --slots, or raise the node's --maxpeers and pass the same number with --node-max-peers.")
        }
        Notice::Unsuitable { side, peer, why } => {
            let (who, then) = match side {
                Side::Client => ("Host", "asking for another"),
                Side::Host => ("Client", "not admitted"),
            };
            let text = format!("{who} {} {}; {then}", peer.short(), plain(why));
            Line::new("unsuitable", Tone::Warning, text).with("peer", peer.to_string())
        }
        _ => direct_line(notice),
    }
}

/// The connection to the pool is in another state, whose name the text begins with, as in the status and on the live line.
fn pool_line(state: PoolState, why: &str) -> Line {
    Line::new(state.event(), Tone::Warning, format!("Pool {}: {why}", state.name())).with("state", state.name())
}

/// The same with the hint of a failure.
fn lost_pool(state: PoolState, text: &str, failure: &dyn TypedError) -> Line {
    pool_line(state, text).hint(&failure.hint().unwrap_or_default())
}

fn joined(welcome: Option<&str>, price: Option<Price>, pool_id: Option<PoolId>) -> Line {
    let id = pool_id.map(|id| format!(" {}", id.short())).unwrap_or_default();
    let mut text = match price {
        Some(price) => format!("Joined the pool{id}; {}", slot_costs(price)),
        None => "Joined the pool (protocol 2 does not report prices)".to_owned(),
    };
    if let Some(welcome) = welcome {
        text = format!("{text}\n  “{}”", plain(welcome));
    }
    let mut line = Line::new(PoolState::Joined.event(), Tone::Good, text).with("state", PoolState::Joined.name());
    if let Some(id) = pool_id {
        line = line.with("pool_id", id.to_string());
    }
    match price {
        Some(price) => line.with("price", serde_json::to_value(price).unwrap_or_default()),
        None => line,
    }
}

/// Notices about peers that the user named.
fn direct_line(notice: &Notice) -> Line {
    match notice {
        Notice::DirectRefused { side, peer, why } => {
            let what = match side {
                Side::Client => "dial host",
                Side::Host => "admit client",
            };
            let text = format!("The node did not {what} {}: {why}; retrying", peer.short());
            failed("direct_refused", text, why).with("peer", peer.to_string())
        }
        Notice::NameUnresolved { name, why } => {
            let text = format!(
                "Cannot resolve the host name {name} ({why}); using its last known address, if any, and retrying"
            );
            failed("name_unresolved", text, why).with("name", &**name)
        }
        Notice::UnleasedPeerDisconnected { peer } => {
            let text = format!(
                "Disconnected peer {}, which has no lease (--strict-peers). Further disconnects are counted but not reported.",
                peer.short()
            );
            Line::new("unleased_peer_disconnected", Tone::Plain, text)
                .with("peer", peer.to_string())
                .hint("Set the node flags that `vipnode doctor --strict-peers` prints. Without them, such peers can reconnect.")
        }
        Notice::ClientReturned { client, disconnected } => {
            let then =
                if *disconnected { "disconnecting it" } else { "it stays, as an ordinary peer that is not metered" };
            let text = format!("Client {} connected again after its lease ended; {then}", client.short());
            Line::new("client_returned", Tone::Plain, text)
                .with("client", client.to_string())
                .with("disconnected", *disconnected)
        }
        Notice::LastListKept { leases } => {
            let text = format!(
                "The pool no longer knows {} that the agent holds. Their peers stay connected until the pool assigns \
                 others (--strict-peers).",
                counted((*leases).into(), "lease")
            );
            Line::new("last_list_kept", Tone::Warning, text).with("leases", *leases)
        }
        Notice::PrivateAddress { host, at } => {
            let text = format!(
                "Host {} has the address {}. For this pool, the node dials neither host names nor addresses that are nearer \
                 than the pool's own; asking for another host",
                host.short(),
                host_text(at)
            );
            Line::new("private_address", Tone::Warning, text).with("peer", host.to_string()).hint(
                "Pass --dial-private if you trust this pool to have your node dial addresses of your own network.",
            )
        }
        _ => lease_line(notice),
    }
}

fn behind(blocks: u64, latest: u64) -> Line {
    let text = format!("The node is {} behind the pool's newest known block ({latest})", counted(blocks, "block"));
    let line = Line::new("behind", Tone::Warning, text).with("blocks", blocks).with("latest", latest);
    line.hint("Check that the node is in sync and has peers.")
}

fn host_text(host: &EnodeHost) -> String {
    match host {
        EnodeHost::None => "none".to_owned(),
        EnodeHost::Ip(ip) => ip.to_string(),
        EnodeHost::Dns(name) => plain(name),
    }
}

fn offering(slots: u32, why: Option<&str>) -> Line {
    match why {
        None => Line::new("offering", Tone::Good, format!("Offering {}", counted(slots.into(), "slot"))),
        Some(why) => Line::new("offering", Tone::Warning, format!("Offering no slots: {why}")),
    }
    .with("slots", slots)
}

fn lease_line(notice: &Notice) -> Line {
    let (line, lease, peer) = match notice {
        Notice::HostAssigned { lease, host } => (
            Line::new("host_assigned", Tone::Plain, format!("Host {} admitted this node; dialing", host.short())),
            lease,
            host,
        ),
        Notice::HostConnected { lease, host, after_ms } => {
            let line = match after_ms {
                Some(after_ms) => {
                    let text = format!("Host {} connected after {after_ms} ms", host.short());
                    Line::new("host_connected", Tone::Good, text).with("after_ms", *after_ms)
                }
                None => Line::new("host_connected", Tone::Good, format!("Host {} is still connected", host.short())),
            };
            (line, lease, host)
        }
        Notice::HostSlow { lease, host, redial_ms, left_ms, last } => {
            let slow = HostSlow { host: *host, redial_ms: *redial_ms, left_ms: *left_ms, last: *last };
            (slow.line(), lease, host)
        }
        Notice::HostLost { lease, host, reason } => {
            let then = if lease.is_direct() { "redialing" } else { "asking for another" };
            let why = reason.map(|reason| format!(": {}", why_lost(reason))).unwrap_or_default();
            let text = format!("Lost host {}{why}; {then}", host.short());
            let line = Line::new("host_lost", Tone::Warning, text).with("reason", reason.map(EvictReason::name));
            (if *reason == Some(EvictReason::PayersFirst) { line.hint(LINK) } else { line }, lease, host)
        }
        Notice::HostNotConnected { lease, host, version, cause } => {
            let (what, perspective) = match lease.is_direct() {
                true => ("is not connected", Perspective::Direct),
                false => ("admitted this node but is not connected", Perspective::Client),
            };
            let failure = connect_failure(perspective, *cause, &plain(version));
            let text = format!("Host {} {what}: {}", host.short(), failure.text);
            (Line::new("host_not_connected", Tone::Warning, text).hint(failure.hint), lease, host)
        }
        Notice::ClientNotConnected { lease, client, version, cause } => {
            let failure = connect_failure(Perspective::Host, *cause, &plain(version));
            let text = format!("Client {} was admitted but is not connected: {}", client.short(), failure.text);
            (Line::new("client_not_connected", Tone::Warning, text).hint(failure.hint), lease, client)
        }
        Notice::ClientAdmitted { lease, client } => {
            (Line::new("client_admitted", Tone::Plain, format!("Admitted client {}", client.short())), lease, client)
        }
        Notice::ClientConnected { lease, client } => {
            // Whether the meter runs is up to the pool: the client's agent must report the connection too.
            let then = if lease.is_direct() { "; admitted by --allow" } else { "" };
            let text = format!("Client {} connected{then}", client.short());
            (Line::new("client_connected", Tone::Good, text), lease, client)
        }
        Notice::ClientEvicted { lease, client, cause } => {
            let text = format!("Evicted client {}: {}", client.short(), why_evicted(*cause));
            (Line::new("client_evicted", Tone::Plain, text), lease, client)
        }
        Notice::HostsMissing { missing, why, late, retry_ms } => {
            return hosts_missing(*missing, why.as_deref(), *late, *retry_ms);
        }
        Notice::OtherChains { why } => return other_chains(why),
        _ => return price_line(notice).unwrap_or_else(unknown),
    };
    line.with("lease", lease.get()).with("peer", peer.to_string())
}

fn hosts_missing(missing: u32, why: Option<&str>, late: bool, retry_ms: Option<u64>) -> Line {
    let (tone, what, noun) = match late {
        true => (Tone::Warning, "Still missing", "host"),
        false => (Tone::Plain, "Looking for", "more host"),
    };
    let why = match (why, late, retry_ms) {
        (Some(why), ..) => format!(": {}", plain(why)),
        (None, true, Some(_)) => ": the last host failed to connect to your node".to_owned(),
        (None, true, None) => ": the pool has not given a reason".to_owned(),
        (None, false, _) => String::new(),
    };
    let next = retry_ms.map(|ms| format!("; next try of a host that failed in {} s", ms.div_ceil(1_000)));
    let text = format!("{what} {}{why}{}", counted(missing.into(), noun), next.unwrap_or_default());
    Line::new("hosts_missing", tone, text).with("missing", missing).with("retry_ms", retry_ms)
}

fn other_chains(why: &str) -> Line {
    let text = format!("{}. The pool's clients on other chains get no slots on this host", capitalized(&plain(why)));
    let hint = "If this is not intended, compare the node's network and genesis block with the pool's.";
    Line::new("other_chains", Tone::Warning, text).hint(hint)
}

fn unknown() -> Line {
    Line::new("notice", Tone::Plain, "The agent sent a notice that this command does not support")
}

/// Sanitizes a text from a pool.
fn plain(text: &str) -> String {
    vipnode_types::sanitize(text, WORDS)
}

#[cfg(test)]
mod tests {
    use vipnode_types::Price;

    use super::*;

    #[test]
    fn missing_hosts_are_a_warning_only_if_that_lasts() {
        let missing_with = |why: Option<&str>, late, retry_ms| {
            let line = notice_line(&Notice::HostsMissing { missing: 2, why: why.map(str::to_owned), late, retry_ms });
            (line.text, line.tone)
        };
        let missing = |why: Option<&str>, late| missing_with(why, late, None);
        let why = Some("no host has a free slot");
        assert_eq!(missing(None, false), ("Looking for 2 more hosts".to_owned(), Tone::Plain));
        assert_eq!(missing(why, false), ("Looking for 2 more hosts: no host has a free slot".to_owned(), Tone::Plain));
        assert_eq!(missing(why, true), ("Still missing 2 hosts: no host has a free slot".to_owned(), Tone::Warning));
        // A warning never lacks a reason.
        assert_eq!(missing(None, true).0, "Still missing 2 hosts: the pool has not given a reason");
        assert_eq!(
            missing_with(None, true, Some(42_100)).0,
            "Still missing 2 hosts: the last host failed to connect to your node; next try of a host that failed in 43 s"
        );
    }

    #[test]
    fn a_pool_that_was_never_reached_is_not_a_lost_connection() {
        let why = vipnode_types::Failure::from("cannot reach ws://127.0.0.1:1/: connection refused");
        let line = notice_line(&Notice::PoolUnreachable { why, retry_ms: 1_200 });
        assert_eq!(line.event, "pool_unreachable");
        assert_eq!(
            line.text,
            "Pool unreachable: cannot reach ws://127.0.0.1:1/: connection refused; trying again in 2 s"
        );
    }

    #[test]
    fn a_repeated_notice_has_its_count() {
        let notice = Box::new(AgentNotice::Notice(Notice::NodeReconnected));
        let shown = |times| {
            let line = agent_notice_line(&AgentNotice::Repeated { notice: notice.clone(), times, ago_s: 61 });
            assert_eq!((&line.fields["repeated"], &line.fields["ago_s"]), (&times.into(), &61.into()));
            line.text
        };
        assert!(shown(12).ends_with(" (12 times more, the last one 1m 1s ago)"), "{}", shown(12));
        assert!(shown(1).ends_with(" (again, 1m 1s ago)"), "{}", shown(1));
    }

    #[test]
    fn omitted_notices_have_their_count() {
        let notice = Box::new(AgentNotice::Notice(Notice::NodeReconnected));
        let line = agent_notice_line(&AgentNotice::Omitted { notice: notice.clone(), count: 12 });
        assert!(line.text.ends_with("(the newest of 12 notices of this kind)"), "{}", line.text);
        assert_eq!(line.fields["omitted"], 12);
        let only = agent_notice_line(&AgentNotice::Omitted { notice: notice.clone(), count: 1 });
        assert_eq!(only.text, agent_notice_line(&notice).text);
    }

    #[test]
    fn a_welcome_cannot_paint_on_the_terminal() {
        let welcome = Some("hi\u{1b}[2Jthere".to_owned());
        let line = agent_notice_line(&AgentNotice::Notice(Notice::Connected {
            welcome,
            price: Some(Price::FREE),
            pool_id: None,
        }));
        assert!(line.text.contains("hi [2Jthere"), "{}", line.text);
    }
}
