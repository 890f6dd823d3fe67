use vipnode_agent::AgentNotice;
use vipnode_agent_core::Notice;
use vipnode_types::{
    Failure, TypedError, Wei,
    wire::{EvictReason, Side},
};

use crate::output::{
    Line, Tone,
    connect_failure::{Hearer, not_connected_words},
    format::place_costs,
};

/// Characters that are shown of what a pool says.
const WORDS: usize = 1_000;

/// An amount of wei, with its sign.
fn amount(wei: i128) -> String {
    let sign = if wei < 0 { "-" } else { "" };
    format!("{sign}{}", Wei::new(wei.unsigned_abs()))
}

/// A failure, and its hint on a line of its own.
fn with_hint(failure: &Failure) -> String {
    match failure.hint() {
        Some(hint) => format!("{failure}\n  -> {hint}"),
        None => failure.to_string(),
    }
}

/// What an agent tells, in words.
pub(crate) fn told_line(told: &AgentNotice) -> Line {
    match told {
        AgentNotice::WaitingForNode(why) => {
            Line::new("waiting_for_node", Tone::Warning, format!("waiting for the node: {}", with_hint(why)))
        }
        AgentNotice::Node { facts, at, state_dir } => {
            let text = format!(
                "node {} ({}) on {} at {at}; what is done to it is written down in {}",
                facts.id.short(),
                facts.client_version,
                facts.chain,
                state_dir.display()
            );
            Line::new("node", Tone::Good, text)
                .with("node", facts.id.to_string())
                .with("client_version", facts.client_version.as_str())
        }
        AgentNotice::Exposed { at } => {
            let text = format!(
                "the node's admin calls answer at {at}, beyond this machine: anybody who reaches it controls the node\n  \
                 -> take admin out of its API list there, and use the IPC file"
            );
            Line::new("exposed", Tone::Warning, text).with("at", at.as_str())
        }
        AgentNotice::Released { grants } => {
            let text = format!("undid {grants} grants that an earlier run for another pool had left on the node");
            Line::new("released", Tone::Plain, text).with("grants", *grants)
        }
        AgentNotice::Fault(failure) => Line::new("fault", Tone::Warning, with_hint(failure)),
        AgentNotice::NotRenewed { days, why } => {
            let text =
                format!("the agent's delegation ends in {days} days and could not be renewed: {}", with_hint(why));
            Line::new("fault", Tone::Warning, text)
        }
        AgentNotice::Delegated { key_file } => {
            let text = format!(
                "the node's key in {} signed a delegation to this agent, for a year; the file is not needed again until then",
                key_file.display()
            );
            Line::new("delegated", Tone::Good, text)
        }
        AgentNotice::SignsEachCall { key_file } => {
            let text = format!(
                "protocol 2: the node's key in {} signs every call and is kept while this agent runs",
                key_file.display()
            );
            Line::new("signs_each_call", Tone::Plain, text)
        }
        AgentNotice::Notice(notice) => notice_line(notice),
    }
}

fn notice_line(notice: &Notice) -> Line {
    match notice {
        Notice::Connected { welcome, price } => {
            let mut text = match price {
                Some(price) => format!("joined the pool; {}", place_costs(*price)),
                None => "joined the pool, which tells no price over protocol 2".to_owned(),
            };
            if let Some(welcome) = welcome {
                text = format!("{text}\n  “{}”", plain(welcome));
            }
            let line = Line::new("joined", Tone::Good, text);
            match price {
                Some(price) => line.with("price", price.minute().get().to_string()),
                None => line,
            }
        }
        Notice::Behind { blocks, latest } => {
            let text = format!(
                "the node is {blocks} blocks behind the newest the pool knows, {latest}\n  \
                 -> check that it is in sync and has peers"
            );
            Line::new("behind", Tone::Warning, text).with("blocks", *blocks).with("latest", *latest)
        }
        Notice::CaughtUp { latest } => {
            let text = format!("the node caught up with the newest block the pool knows, {latest}");
            Line::new("caught_up", Tone::Good, text).with("latest", *latest)
        }
        Notice::Balance { credit_wei, deposit_wei } => {
            let text = format!("the pool says: credit {}, deposit {}", amount(*credit_wei), amount(*deposit_wei));
            let line = Line::new("balance", Tone::Plain, text);
            line.with("credit_wei", credit_wei.to_string()).with("deposit_wei", deposit_wei.to_string())
        }
        Notice::PoolAway { why } => {
            Line::new("pool_away", Tone::Warning, format!("the pool is away ({why}); leases go on, trying again"))
        }
        Notice::PoolRefused(error) => {
            let hint = error.data.as_ref().map(|data| plain(&data.hint)).unwrap_or_default();
            let text = format!("the pool says no: {}", plain(&error.message));
            let text = if hint.is_empty() { text } else { format!("{text}\n  -> {hint}") };
            Line::new("pool_refused", Tone::Warning, text).with("code", error.code)
        }
        Notice::NodeAway { why } => {
            Line::new("node_away", Tone::Warning, format!("the node is away ({why}); trying again"))
        }
        Notice::NodeBack => Line::new("node_back", Tone::Good, "the node is back; what is due was done again"),
        Notice::Offering { slots, why } => offering(*slots, why.as_deref()),
        Notice::OwnPeersFalling { now, reserve } => {
            let text = format!(
                "the node has only {now} peers of its own while places are sold (reserve {reserve})\n  \
                 -> sell fewer: --slots, or raise --reserve"
            );
            Line::new("own_peers_falling", Tone::Warning, text).with("own_peers", *now)
        }
        Notice::Unsuitable { side, peer, why } => {
            let (who, then) = match side {
                Side::Client => ("host", "another is sought"),
                Side::Host => ("client", "it is not let in"),
            };
            let text = format!("{who} {} {}; {then}", peer.short(), plain(why));
            Line::new("unsuitable", Tone::Warning, text).with("peer", peer.to_string())
        }
        _ => direct_line(notice),
    }
}

/// What is said of peers that the user named.
fn direct_line(notice: &Notice) -> Line {
    match notice {
        Notice::DirectRefused { side, peer, why } => {
            let what = match side {
                Side::Client => "dial host",
                Side::Host => "let in client",
            };
            let text = format!("the node does not {what} {}: {}; trying again", peer.short(), plain(why));
            Line::new("direct_refused", Tone::Warning, text).with("peer", peer.to_string())
        }
        Notice::NameUnresolved { name, why } => {
            let text = format!(
                "the name {name} of a host points nowhere ({}); its last address, if there was one, is used; trying again",
                plain(why)
            );
            Line::new("name_unresolved", Tone::Warning, text).with("name", &**name)
        }
        Notice::StrangerDropped { peer } => {
            let text = format!(
                "disconnected {}, which is on no lease (--strict-peers); further ones are only counted\n  \
                 -> who is disconnected may come back: `vipnode doctor --strict-peers` says what closes the node",
                peer.short()
            );
            Line::new("stranger_dropped", Tone::Plain, text).with("peer", peer.to_string())
        }
        Notice::LastListKept { leases } => {
            let text = format!(
                "the pool knows none of the {leases} leases any more; the peers stay until it gives others \
                 (--strict-peers)"
            );
            Line::new("last_list_kept", Tone::Warning, text).with("leases", *leases)
        }
        _ => lease_line(notice),
    }
}

fn offering(slots: u32, why: Option<&str>) -> Line {
    match why {
        None => Line::new("offering", Tone::Good, format!("offering {slots} places")),
        Some(why) => Line::new("offering", Tone::Warning, format!("offering no place: {why}")),
    }
    .with("slots", slots)
}

fn lease_line(notice: &Notice) -> Line {
    let (line, lease, peer) = match notice {
        Notice::HostGiven { lease, host } => {
            (Line::new("host_given", Tone::Plain, format!("host {} lets us in, dialling", host.short())), lease, host)
        }
        Notice::HostConnected { lease, host, after_ms } => {
            let text = format!("host {} connected after {after_ms} ms", host.short());
            (Line::new("host_connected", Tone::Good, text).with("after_ms", *after_ms), lease, host)
        }
        Notice::HostGone { lease, host } => {
            let then = if lease.is_direct() { "dialling it on" } else { "seeking another" };
            let text = format!("host {} is gone, {then}", host.short());
            (Line::new("host_gone", Tone::Warning, text), lease, host)
        }
        Notice::HostNotConnected { lease, host, version, cause } => {
            let (what, to) = match lease.is_direct() {
                true => ("is not connected", Hearer::Direct),
                false => ("let us in and was not connected", Hearer::Client),
            };
            let words = not_connected_words(to, *cause, &plain(version));
            let text = format!("host {} {what}: {words}", host.short());
            (Line::new("host_not_connected", Tone::Warning, text), lease, host)
        }
        Notice::ClientNotConnected { lease, client, version, cause } => {
            let words = not_connected_words(Hearer::Host, *cause, &plain(version));
            let text = format!("client {} was let in and was not connected: {words}", client.short());
            (Line::new("client_not_connected", Tone::Warning, text), lease, client)
        }
        Notice::ClientAdmitted { lease, client } => {
            (Line::new("client_admitted", Tone::Plain, format!("client {} may come", client.short())), lease, client)
        }
        Notice::ClientConnected { lease, client } => {
            let then = if lease.is_direct() { "let in by --allow" } else { "its meter runs" };
            let text = format!("client {} connected, {then}", client.short());
            (Line::new("client_connected", Tone::Good, text), lease, client)
        }
        Notice::ClientEvicted { lease, client, reason } => {
            let text = format!("client {} is out: {}", client.short(), why_ended(*reason));
            (Line::new("client_evicted", Tone::Plain, text), lease, client)
        }
        Notice::HostsMissing { missing, why } => {
            let text = format!("{missing} hosts are still missing: {}", plain(why));
            return Line::new("hosts_missing", Tone::Warning, text).with("missing", *missing);
        }
        other => return Line::new("notice", Tone::Plain, format!("{other:?}")),
    };
    line.with("lease", lease.get()).with("peer", peer.to_string())
}

fn why_ended(reason: EvictReason) -> &'static str {
    match reason {
        EvictReason::Left => "it left",
        EvictReason::Disconnected => "the connection is gone",
        EvictReason::NoReports => "its agent fell silent",
        EvictReason::NotConnected => "it did not connect in time",
        EvictReason::Unsuitable => "one side takes no peer like the other, by its version or by what it serves",
        EvictReason::Drained => "the host takes its places back",
        EvictReason::Price => "the price rose beyond what it takes",
        EvictReason::Unpaired => "its agent did not report while its node used the place",
        EvictReason::NoFunds => "nothing is left to pay with",
        EvictReason::TooLate => "it has other places already",
        EvictReason::Unknown => "the pool does not know this lease",
    }
}

/// Words of the pool.
fn plain(text: &str) -> String {
    vipnode_types::sanitize(text, WORDS)
}

#[cfg(test)]
mod tests {
    use vipnode_types::Price;

    use super::*;

    #[test]
    fn a_welcome_cannot_paint_on_the_terminal() {
        let welcome = Some("hi\u{1b}[2Jthere".to_owned());
        let line = told_line(&AgentNotice::Notice(Notice::Connected { welcome, price: Some(Price::FREE) }));
        assert!(line.text.contains("hi [2Jthere"), "{}", line.text);
    }
}
