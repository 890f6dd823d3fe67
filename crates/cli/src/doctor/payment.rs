//! Who pays for the node's slots, and who is paid for those that it sells.

use vipnode_types::{
    PaymentMode,
    wire::{HostSupply, ReachReply, WireError},
};

use super::{Facts, Finding, partners::unserved};
use crate::output::{
    format::{counted, span},
    funds_low_text, link, pay,
};

/// What a pool that charges needs from each role. The pool judges a client as it would judge its request for hosts.
pub(super) fn evaluate(facts: &Facts, reply: &ReachReply) -> Vec<Finding> {
    let Some(supply) = reply.supply.as_ref().filter(|supply| charges(supply)) else { return Vec::new() };
    let client = facts.wants.client.then(|| client(facts, supply));
    client.into_iter().chain(facts.wants.sells().then(|| host(facts)).flatten()).collect()
}

fn charges(supply: &HostSupply) -> bool {
    !supply.terms.payment.is_none() && !supply.price.is_free()
}

/// Why nobody pays for one more host of the node.
pub(super) fn refusal(supply: &HostSupply) -> Option<&WireError> {
    supply.unpaid.as_ref().filter(|_| charges(supply))
}

/// What is most urgent: the end of a trial, of the funds, or a refusal of one more host.
fn client(facts: &Facts, supply: &HostSupply) -> Finding {
    let (served, wanted, payment) = (supply.served, facts.wants.agent.min_peers, supply.terms.payment);
    if let Some(left_ms) = supply.trial_left_ms {
        return in_trial(payment, left_ms);
    }
    if let Some(low) = supply.funds_low.as_ref().filter(|_| served > 0) {
        return Finding::warning("payment", funds_low_text(payment, low), pay(payment));
    }
    // The pool judges a request for one more host than the node has. The agent of a client with a payment channel signs for more only
    // when it needs that.
    let suffices = served > 0 && served >= wanted && payment == PaymentMode::X402;
    match supply.unpaid.as_ref().filter(|_| !suffices) {
        None => {
            let payer = if payment == PaymentMode::X402 { "payment channel" } else { "account" };
            let slots = match served {
                0 => "a slot",
                _ if served >= wanted => "the slots that it has",
                _ => "one more slot",
            };
            Finding::ok("payment", format!("The {payer} that pays for this node has enough funds for {slots}"))
        }
        Some(error) if served == 0 => {
            let text = format!("This node gets no host: {}", error.message);
            unserved(facts, "payment", text, error.hint().unwrap_or_default())
        }
        Some(error) => {
            let text = format!("This node has {}, and gets no more: {}", counted(served.into(), "host"), error.message);
            Finding::warning("payment", text, error.hint().unwrap_or_default())
        }
    }
}

/// Nobody pays for the node, which the pool serves for free for so long.
fn in_trial(payment: PaymentMode, left_ms: u64) -> Finding {
    let payer = if payment == PaymentMode::X402 { "payment channel" } else { "account" };
    let left = span(left_ms);
    let text = format!(
        "No {payer} with enough funds pays for this node: it has one host for free, for {left} more (free trial)"
    );
    Finding::warning("payment", text, link(payment))
}

fn host(facts: &Facts) -> Option<Finding> {
    let host = facts.wants.agent.host.as_ref()?;
    Some(match host.payout {
        Some(payout) => Finding::ok("payout", format!("What this host earns is paid to {payout}")),
        None => Finding::warning(
            "payout",
            "Clients of this pool pay, but no --payout was given: the host earns nothing, unless the pool has an account from an earlier \
             start",
            "Pass the account that receives the earnings: --payout 0x…",
        ),
    })
}
