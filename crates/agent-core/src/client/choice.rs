use vipnode_types::{
    Enode, EnodeHost, Ms, Price,
    wire::{LeaveReason, Side},
};

use super::seeking::Seeking;
use crate::{
    AgentConfig, Refusal,
    leases::{Lease, Leases},
    limits,
    node::state::NodeState,
};

/// Why a host that the pool gave is not taken, as the pool is told, and in words; nothing where it is.
pub(crate) fn declines(
    now: Ms,
    host: &Enode,
    price: Price,
    config: &AgentConfig,
    leases: &Leases,
    node: &NodeState,
    seeking: &Seeking,
) -> Option<(LeaveReason, Refusal)> {
    let running = leases.running(Side::Client);
    let most = config.min_peers.saturating_add(limits::SURPLUS);
    let leased = |lease: &Lease| {
        lease.side() == Side::Client && lease.runs() && !lease.is_leftover() && lease.peer_id() == host.id
    };
    if !node.is_up() {
        Some((LeaveReason::Lost, Refusal::NodeDown))
    } else if config.min_peers == 0 || running >= most || leases.len() >= limits::LEASES {
        Some((LeaveReason::Surplus, Refusal::EnoughHosts))
    } else if config.max_price.is_some_and(|most| price > most) {
        Some((LeaveReason::Price, Refusal::TooExpensive))
    } else if node.id() == Some(host.id) {
        Some((LeaveReason::Surplus, Refusal::Itself))
    } else if leases.iter().any(leased) {
        Some((LeaveReason::Surplus, Refusal::HeldAlready))
    } else if seeking.avoids(host.id, now) {
        Some((LeaveReason::NotConnected, Refusal::Avoided))
    } else if host.host == EnodeHost::None || host.port == 0 {
        Some((LeaveReason::NotConnected, Refusal::NoHostAddress))
    } else {
        None
    }
}
