use vipnode_types::wire::{AdmitCall, Side};

use super::offer::OfferedSlots;
use crate::{
    AdmitFailure, AgentConfig, Refusal,
    leases::{Lease, Leases},
    limits,
    node::{light_slots::LightSlots, state::NodeState},
};

/// Returns why the client is not admitted. The agent relies on its own count of slots, whatever the pool requests.
pub(crate) fn refuses(
    call: &AdmitCall,
    config: &AgentConfig,
    offer: OfferedSlots,
    leases: &Leases,
    node: &NodeState,
    light_slots: &LightSlots,
) -> Option<(AdmitFailure, Refusal)> {
    let Some(host) = &config.host else {
        return Some((AdmitFailure::NoHost, Refusal::NotHost));
    };
    if let Some(why) = offer.why_none {
        let failure = if node.is_up() { AdmitFailure::NotOffering } else { AdmitFailure::NodeOffline };
        return Some((failure, Refusal::NotOffering { why }));
    }
    if call.light && light_slots.are_taken() {
        return Some((AdmitFailure::LightFull, Refusal::LightFull));
    }
    let slots = host.sellable(config.direct.allowed());
    // A client whose lease the pool forgot already has a slot.
    let same = |lease: &Lease| lease.side() == Side::Host && lease.is_unreleased() && lease.peer_id() == call.client;
    let same = u32::from(leases.iter().any(same));
    let held = leases.held(Side::Host).saturating_sub(same);
    if held >= slots || leases.len() >= limits::LEASES {
        return Some((AdmitFailure::Full, Refusal::Full { slots }));
    }
    let itself = node.id()? == call.client;
    itself.then_some((AdmitFailure::Unsuitable, Refusal::Itself))
}
