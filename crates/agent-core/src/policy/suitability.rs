use vipnode_types::{Capability, PeerFact, PeerRules, wire::Side};

use crate::PeerPolicy;

/// What a host has to serve: what the user says, and `les` where our node is a light one.
pub(crate) fn needs(policy: &PeerPolicy, light: bool) -> Vec<Capability> {
    let mut need = policy.rules.need.clone();
    if light && !need.iter().any(|need| need.name() == "les") {
        need.push(Capability::les());
    }
    need
}

/// What is wrong with a connected peer, as the end of a sentence. One that says nothing of what it serves is taken at
/// its agent's word.
pub(crate) fn misfit(policy: &PeerPolicy, light: bool, side: Side, fact: &PeerFact) -> Option<String> {
    if side == Side::Client && !fact.caps.is_empty() {
        let rules = PeerRules { need: needs(policy, light), ..PeerRules::default() };
        if let Some(misfit) = rules.misses(&fact.caps) {
            return Some(misfit.to_string());
        }
    }
    policy.rejects(&fact.client_version)
}
