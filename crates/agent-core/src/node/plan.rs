use vipnode_types::{NodeId, PeerCommand, wire::Side};

use super::state::NodeState;
use crate::leases::{DialState, Lease, Leases, TaskKind};

/// The next step for a lease at the node.
pub(crate) enum Plan {
    /// Nothing to do, or not yet.
    Nothing,
    /// Send this command to the node.
    Send(TaskKind, PeerCommand),
    /// The lease has ended, and the node has nothing to undo: another lease needs everything that was done for it.
    Covered,
    /// The lease has ended, and nothing was done for it.
    Remove,
}

/// Returns the next step for `lease`, which is one of `leases`.
pub(crate) fn plan(lease: &Lease, leases: &Leases, node: &NodeState) -> Plan {
    if !lease.runs() {
        return if lease.is_journaled() { plan_undo(lease, leases, node) } else { Plan::Remove };
    }
    if !lease.is_applied() {
        let peer = lease.peer().clone();
        let call = match lease.side() {
            Side::Host => PeerCommand::Admit(peer),
            Side::Client => PeerCommand::Dial(peer),
        };
        return Plan::Send(TaskKind::Apply, call);
    }
    match lease.dial() {
        Some(dial) if dial.state == DialState::Due => {
            Plan::Send(TaskKind::HostDial, PeerCommand::Dial(dial.peer.clone()))
        }
        _ => Plan::Nothing,
    }
}

/// Undoes only what no other lease with the same node needs.
fn plan_undo(lease: &Lease, leases: &Leases, node: &NodeState) -> Plan {
    let runs = |fits: fn(&Lease) -> bool| leases.siblings(lease).any(|other| other.runs() && fits(other));
    let as_host = runs(|other| other.side() == Side::Host && !other.is_kept_by_node());
    let as_client = runs(|other| other.side() == Side::Client && !other.is_kept_by_node());
    let nodes_own = runs(Lease::is_kept_by_node);
    if runs(|other| !other.is_kept_by_node() && !other.is_journaled()) {
        // Another lease may take over what has to be undone only once it is in the journal itself.
        return Plan::Nothing;
    }
    let peer = lease.peer().clone();
    let dials = lease.dial().is_some();
    match lease.side() {
        // Removing the peer would cut a connection of the node itself, so that waits until the other lease ends. Trust
        // must not outlive its own lease.
        Side::Host if nodes_own && dials && lease.is_untrusted() => Plan::Nothing,
        Side::Host if nodes_own && dials => Plan::Send(TaskKind::Untrust, PeerCommand::Untrust(peer)),
        Side::Host if as_host => Plan::Covered,
        Side::Host if as_client || nodes_own || lease.was_connected_before() || is_kept_static(lease, node) => {
            Plan::Send(TaskKind::Undo, PeerCommand::Untrust(peer))
        }
        Side::Host => Plan::Send(TaskKind::Undo, PeerCommand::Evict(peer)),
        Side::Client if nodes_own => Plan::Nothing,
        // Evicting the other lease drops the peer as well.
        Side::Client if as_client || as_host => Plan::Covered,
        Side::Client => Plan::Send(TaskKind::Undo, PeerCommand::Drop(peer)),
    }
}

/// Whether the node keeps a static peer that the agent never asked it to dial.
fn is_kept_static(lease: &Lease, node: &NodeState) -> bool {
    !lease.was_dialed() && node.peer(lease.peer_id()).is_some_and(|peer| peer.is_static)
}

/// Whether the node connected to that peer on its own.
pub(crate) fn is_own_connection(peer: NodeId, leases: &Leases, node: &NodeState) -> bool {
    let ours = |lease: &Lease| lease.peer_id() == peer && lease.is_journaled() && !lease.was_connected_before();
    node.is_connected(peer) && !leases.iter().any(ours)
}
