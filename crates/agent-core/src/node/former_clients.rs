use std::collections::{BTreeSet, VecDeque};

use vipnode_types::{Ms, NodeId, REDIAL_MS, wire::Side};

use super::state::NodeState;
use crate::{
    leases::{Lease, Leases},
    limits,
};

/// Former clients: nodes that our node trusted for a lease that is undone. If the node still trusts one of them,
/// undoing failed. A node that is trusted by the node's own settings is never among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct FormerClients(VecDeque<FormerClient>);

#[derive(Debug, Clone, Copy)]
struct FormerClient {
    id: NodeId,
    /// When it was last admitted, which is about when it dialed.
    admitted: Ms,
    /// When the node disconnected it; `None` for a client that was connected before its lease and stays.
    evicted: Option<Ms>,
    /// The node listed its peers without it since then.
    gone: bool,
    /// The user was notified that it came back.
    reported: bool,
}

/// A former client that is connected again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReturnedClient {
    pub(crate) id: NodeId,
    /// Whether this is new to the user.
    pub(crate) is_new: bool,
}

impl FormerClients {
    /// Adds a client, admitted and disconnected at these times. At the limit the client that left first is forgotten.
    pub(crate) fn add(&mut self, id: NodeId, admitted: Ms, evicted: Option<Ms>) {
        self.0.retain(|other| other.id != id);
        self.0.push_back(FormerClient { id, admitted, evicted, gone: false, reported: false });
        if self.0.len() > limits::FORMER_CLIENTS {
            self.0.pop_front();
        }
    }

    /// Whether this client dialed our node so recently that its node may not dial it again yet.
    pub(crate) fn dialed_recently(&self, client: NodeId, now: Ms) -> bool {
        self.0.iter().any(|former| former.id == client && now.since(former.admitted) < REDIAL_MS)
    }

    /// Returns the clients among these peers that the node disconnected, and whose nodes may have connected again by
    /// themselves: geth dials a host once more after it was made to forget it.
    pub(crate) fn returned(&mut self, now: Ms, peers: &BTreeSet<NodeId>) -> Vec<ReturnedClient> {
        let mut returned = Vec::new();
        for former in &mut self.0 {
            let recently = former.evicted.is_some_and(|evicted| now.since(evicted) < REDIAL_MS);
            let listed = peers.contains(&former.id);
            if recently && listed && former.gone {
                let is_new = !std::mem::replace(&mut former.reported, true);
                returned.push(ReturnedClient { id: former.id, is_new });
            }
            former.gone |= !listed;
        }
        returned
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Returns how many nodes are still trusted because of the agent although their lease has ended: those whose lease is
/// not undone yet, and those that the node lists as trusted after it confirmed the undoing.
pub(crate) fn trusted_without_lease(leases: &Leases, node: &NodeState, former: &FormerClients) -> u32 {
    let hosts = || leases.iter().filter(|lease| lease.side() == Side::Host);
    let leased: BTreeSet<NodeId> = hosts().filter(|lease| lease.runs()).map(Lease::peer_id).collect();
    let over = hosts().filter(|lease| lease.is_journaled() && !lease.runs() && !lease.is_untrusted());
    let shown = |client: &NodeId| node.peer(*client).is_some_and(|peer| peer.trusted);
    let former = former.0.iter().map(|former| former.id).filter(shown);
    let all: BTreeSet<NodeId> = over.map(Lease::peer_id).chain(former).collect();
    u32::try_from(all.difference(&leased).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_left_first_is_forgotten_at_the_limit() {
        let node = |number: usize| {
            let mut bytes = [0; 64];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            NodeId::new(bytes)
        };
        let mut former = FormerClients::default();
        for number in 0..=limits::FORMER_CLIENTS {
            former.add(node(number), Ms::ZERO, None);
            former.add(node(number), Ms::ZERO, None);
        }
        assert_eq!(former.len(), limits::FORMER_CLIENTS);
        let knows = |number| former.dialed_recently(node(number), Ms::ZERO);
        assert!(!knows(0) && knows(1));
    }
}
