use vipnode_types::{
    Enode, Ms, Price,
    wire::{LeaveReason, Side},
};

use super::failed_hosts::FailedHosts;
use crate::{
    AgentConfig, Refusal,
    leases::{Lease, Leases},
    limits,
    node::state::NodeState,
};

/// Returns why a host that the pool assigned is rejected, as a reason for the pool and as an error; `None` if it is
/// accepted.
pub(crate) fn why_rejected(
    now: Ms,
    host: &Enode,
    price: Price,
    config: &AgentConfig,
    leases: &Leases,
    node: &NodeState,
    failed_hosts: &FailedHosts,
) -> Option<(LeaveReason, Refusal)> {
    let running = leases.running(Side::Client);
    let most = config.min_peers.saturating_add(limits::EXTRA_HOSTS);
    let leased = |lease: &Lease| {
        lease.side() == Side::Client && lease.runs() && !lease.is_unreleased() && lease.peer_id() == host.id
    };
    if !node.is_up() {
        Some((LeaveReason::Lost, Refusal::NodeDown))
    } else if config.min_peers == 0 || running >= most || leases.len() >= limits::LEASES {
        Some((LeaveReason::Surplus, Refusal::EnoughHosts))
    } else if !config.pays(price) {
        Some((LeaveReason::Price, Refusal::TooExpensive))
    } else if node.id() == Some(host.id) {
        Some((LeaveReason::Surplus, Refusal::Itself))
    } else if leases.iter().any(leased) {
        Some((LeaveReason::Surplus, Refusal::HeldAlready))
    } else if failed_hosts.avoids(host.id, now) {
        Some((LeaveReason::NotConnected, Refusal::Avoided))
    } else {
        None
    }
}
