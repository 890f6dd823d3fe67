use vipnode_types::{Capability, PeerFact, PeerRules, wire::Side};

use crate::PeerPolicy;

/// What a host has to support: the capabilities that the user requires, and `les` if our node is a light node.
pub(crate) fn needs(policy: &PeerPolicy, light: bool) -> Vec<Capability> {
    let mut need = policy.rules.need.clone();
    if light && !need.iter().any(|need| need.name() == "les") {
        need.push(Capability::les());
    }
    need
}

/// Returns why a connected peer is unsuitable, as the end of a sentence. For a peer that reports no capabilities, the
/// report of its agent counts.
pub(crate) fn why_unsuitable(policy: &PeerPolicy, light: bool, side: Side, fact: &PeerFact) -> Option<String> {
    if side == Side::Client && !fact.caps.is_empty() {
        let rules = PeerRules { need: needs(policy, light), ..PeerRules::default() };
        if let Some(why) = rules.misses(&fact.caps) {
            return Some(why.to_string());
        }
    }
    policy.rejects(&fact.client_version)
}
