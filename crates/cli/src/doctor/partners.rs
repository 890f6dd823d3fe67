//! The hosts that a pool has for the node, and their price.

use vipnode_agent_core::Preview;
use vipnode_types::wire::{HostSupply, ReachReply};

use super::{Facts, Finding, payment};
use crate::output::{
    format::{capitalized, counted},
    price_here,
};

/// Whether a client would get a host. The pool judges it as it would after a connect, and the price also as the agent does.
pub(super) fn evaluate(facts: &Facts, reply: &ReachReply) -> Vec<Finding> {
    let Some(supply) = &reply.supply else { return Vec::new() };
    let own = too_cheap(facts, supply);
    if facts.wants.client {
        return [price(facts, supply), own, hosts(facts, supply)].into_iter().flatten().collect();
    }
    // A host may be the first one on its chain.
    let price = Finding::ok("price", format!("A slot costs {} here", supply.price));
    let price = (!supply.price.is_free()).then_some(price);
    let drained = (supply.drained && facts.wants.sells()).then(drained);
    [price, own, drained].into_iter().flatten().collect()
}

/// Why a host would offer no slots at this price, judged by the code of the agent.
fn too_cheap(facts: &Facts, supply: &HostSupply) -> Option<Finding> {
    let why = Preview::why_too_cheap(&facts.wants.agent, supply.price, supply.fee_bps)?;
    let text = format!("A host would offer no slots: {why}");
    facts.wants.sells().then(|| Finding::error("min_price", text, "Pass another --min-price, or another pool"))
}

fn drained() -> Finding {
    let text =
        "The operator of this pool has paused new leases, for this node or for all, so a host gets no new clients";
    Finding::warning("partners", text, "Ask the pool's operator")
}

fn price(facts: &Facts, supply: &HostSupply) -> Option<Finding> {
    let price = supply.price;
    let most = facts.wants.agent.max_price.as_ref();
    if facts.wants.agent.pays(price) {
        return Some(match most {
            _ if price.is_free() => Finding::ok("price", "The pool does not charge for slots"),
            Some(most) => {
                Finding::ok("price", format!("A slot costs {}, at most {most} (--max-price)", price_here(price, most)))
            }
            None => Finding::ok("price", format!("A slot costs {price} here")),
        });
    }
    let most = most?;
    let text = format!("A slot costs {}, more than --max-price {most}", price_here(price, most));
    let hint = format!("Pass --max-price \"{price}\", or another pool");
    Some(unserved(facts, "price", text, hint))
}

fn hosts(facts: &Facts, supply: &HostSupply) -> Option<Finding> {
    let HostSupply { hosts, candidates, served, .. } = *supply;
    // Its own hosts may have no further slot.
    if served > 0 && served >= facts.wants.agent.min_peers {
        return Some(Finding::ok(
            "partners",
            format!("This node is connected with {}", counted(served.into(), "host")),
        ));
    }
    let on_chain = facts.node.as_ref().map_or_else(|_| String::new(), |node| format!(" on {}", node.facts.chain));
    let Some(reason) = &supply.reason else {
        let then = match (payment::refusal(supply), candidates) {
            (None, _) => "can be assigned to this node now",
            // What stands in the way is the next finding.
            (Some(_), 1) => "fits this node",
            (Some(_), _) => "fit this node",
        };
        let text = format!("{candidates} of {}{on_chain} {then}", counted(hosts.into(), "host"));
        // Of more hosts than the pool examines, others may be on the chain.
        return (candidates > 0).then(|| Finding::ok("partners", text));
    };
    if !facts.wants.agent.pays(supply.price) {
        return None;
    }
    if hosts == 0 {
        let hint = "Wait for a host on the node's chain, or pass another pool. If there should be one, compare the node's \
                    network and genesis block with the pool's";
        return Some(unserved(facts, "partners", capitalized(reason), hint));
    }
    let runs = facts.node.as_ref().is_ok_and(|node| node.own_peers.is_some());
    let hint = match runs {
        true => "To see the reason, run `vipnode status --why`; the client waits until a host can be assigned",
        false => "Start the client; it waits until a host can be assigned, and `vipnode status --why` shows the reason",
    };
    Some(Finding::warning("partners", capitalized(reason), hint))
}

/// A client cannot work like this; an agent that is also a host can sell.
pub(super) fn unserved(facts: &Facts, check: &'static str, text: String, hint: impl Into<String>) -> Finding {
    if facts.wants.sells() { Finding::warning(check, text, hint) } else { Finding::error(check, text, hint) }
}
