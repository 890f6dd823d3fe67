use vipnode_types::{NodeId, PeerCommand, wire::Side};

use super::state::NodeState;
use crate::leases::{DialState, Lease, Leases, Work};

/// What is next for a lease at the node.
pub(crate) enum Plan {
    /// Nothing, or not now.
    Nothing,
    /// The node is told.
    Tell(Work, PeerCommand),
    /// It is over and the node has nothing to undo: another lease needs all that stands.
    Covered,
    /// It is over, and nothing was ever done.
    Remove,
}

/// What is next for `lease`, one of `leases`.
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
        return Plan::Tell(Work::Apply, call);
    }
    match lease.dial() {
        Some(dial) if dial.state == DialState::Due => Plan::Tell(Work::HostDial, PeerCommand::Dial(dial.peer.clone())),
        _ => Plan::Nothing,
    }
}

/// Takes back no more than no other lease with the same node needs.
fn plan_undo(lease: &Lease, leases: &Leases, node: &NodeState) -> Plan {
    let runs = |fits: fn(&Lease) -> bool| leases.siblings(lease).any(|other| other.runs() && fits(other));
    let as_host = runs(|other| other.side() == Side::Host && !other.is_nodes_own());
    let as_client = runs(|other| other.side() == Side::Client && !other.is_nodes_own());
    let nodes_own = runs(Lease::is_nodes_own);
    if runs(|other| !other.is_nodes_own() && !other.is_journaled()) {
        // Only what the journal has may take over what is to be undone one day.
        return Plan::Nothing;
    }
    let peer = lease.peer().clone();
    let dials = lease.dial().is_some();
    match lease.side() {
        // To stop dialing would cut a connection that is the node's own: that waits for the other lease's end. Trust
        // must not outlive its own lease.
        Side::Host if nodes_own && dials && lease.is_untrusted() => Plan::Nothing,
        Side::Host if nodes_own && dials => Plan::Tell(Work::Untrust, PeerCommand::Untrust(peer)),
        Side::Host if as_host => Plan::Covered,
        Side::Host if as_client || nodes_own || lease.was_linked_before() || is_kept_static(lease, node) => {
            Plan::Tell(Work::Undo, PeerCommand::Untrust(peer))
        }
        Side::Host => Plan::Tell(Work::Undo, PeerCommand::Evict(peer)),
        Side::Client if nodes_own => Plan::Nothing,
        // Evicting will drop it too.
        Side::Client if as_client || as_host => Plan::Covered,
        Side::Client => Plan::Tell(Work::Undo, PeerCommand::Drop(peer)),
    }
}

/// The node dials and keeps a peer that the agent never had it dial.
fn is_kept_static(lease: &Lease, node: &NodeState) -> bool {
    !lease.was_dialed() && node.peer(lease.peer_id()).is_some_and(|peer| peer.is_static)
}

/// Whether the node is connected to that peer without any doing of the agent.
pub(crate) fn is_own_link(peer: NodeId, leases: &Leases, node: &NodeState) -> bool {
    let ours = |lease: &Lease| lease.peer_id() == peer && lease.is_journaled() && !lease.was_linked_before();
    node.is_linked(peer) && !leases.iter().any(ours)
}
