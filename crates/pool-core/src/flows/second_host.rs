use vipnode_types::{LeaseId, wire::EvictReason};

use crate::{Core, agents::node::Node, leases::lease::Lease, output::Output};

impl Core {
    /// A client's host should be connected by now: else the client gets a second one of another address block.
    pub(crate) fn second_host_due(&mut self, output: &mut Output, first: LeaseId) {
        let lease = self.leases.find(first).and_then(|index| self.leases.get(index));
        let Some(client) = lease.filter(|lease| !lease.is_running()).map(Lease::client) else { return };
        let Some(node) = self.agents.get(client).filter(|node| node.can_dial() && node.consuming()) else { return };
        let room = self.leases.client_count(client) < self.limits.leases_a_client;
        if !room || !self.matching.has_slots_to_spare(node.chain(), self.context()) || self.matching.want(client) == 0 {
            return;
        }
        // A client that gets none keeps its first one; nothing else follows from it.
        if let Ok(second) = self.offer_slot_of(output, client, true) {
            self.matching.join_offers(first, second);
        }
    }

    /// Ends the lease that was offered together with one that is paired now.
    pub(crate) fn end_other_offer(&mut self, output: &mut Output, paired: LeaseId) {
        let other = self.matching.part_offers(paired).and_then(|other| self.leases.find(other));
        if let Some(other) = other {
            self.end_lease(output, other, EvictReason::TooLate, None, None);
        }
    }

    /// Whether a client's request waits for hosts that were already asked.
    pub(crate) fn waits_for_hosts_asked(&self, client: u32) -> bool {
        let enough = self.leases.client_count(client) >= self.matching.want(client);
        enough && self.leases.admitting(client) > 0 && self.agents.get(client).is_some_and(Node::can_dial)
    }
}
