use vipnode_types::{
    Ms,
    wire::{EvictReason, Side},
};

use crate::{Core, agents::node::Node, leases::lease::Lease, output::Output};

// How long an offer holds its slot. A client that is offered a slot and never connects holds it for so long, so the times are as
// short as honest pairs allow. Two agents of protocol 3 report a peer at once. An agent of protocol 2 reports it with its
// next update, and nobody knows when that comes but from its updates before.

impl Core {
    /// The time within which the sides of an offer must connect to each other, in milliseconds.
    fn offer_ms(&self, client: u32, host: u32) -> u64 {
        let of_side = |node: u32| {
            if self.agents.dialect(node).reports_at_once() {
                return self.limits.offer_ms;
            }
            let gap_ms = self.agents.longest_update_gap_ms(node, &self.limits);
            gap_ms.saturating_add(self.limits.offer_update_ms)
        };
        of_side(client).max(of_side(host))
    }

    /// How long it takes until an offer is judged first, in milliseconds.
    pub(crate) fn first_offer_ms(&self, client: u32, host: u32) -> u64 {
        let all = self.offer_ms(client, host);
        if self.agents.dialect(client) == self.agents.dialect(host) {
            all
        } else {
            all.min(self.limits.offer_unseen_ms)
        }
    }

    /// From when an offer counts; `None` while it was offered before the pool's own downtime and a side may still reconnect.
    ///
    /// Once both sides are connected again, they have as long as for a new offer. The attack: after a restart a client
    /// connects, never reports its host, and is served until all others have had their time to reconnect. One that connects
    /// again and again gains no more than that.
    fn offer_counts_from(&self, lease: &Lease) -> Option<Ms> {
        if lease.offered() > self.clock.resumed() {
            return Some(lease.offered());
        }
        let connected = |node: u32| self.agents.get(node).filter(|node| node.is_connected()).map(Node::since);
        match (connected(lease.client()), connected(lease.host())) {
            (Some(client), Some(host)) => {
                Some(client.max(host).max(self.clock.resumed()).min(self.clock.offers_wait().max(lease.offered())))
            }
            _ => (!self.awaits_sides(lease)).then(|| lease.offered()),
        }
    }

    /// Whether a side of an offer from before the pool's own downtime may still connect again.
    ///
    /// The attack: new ids hold the offers of a host when the pool restarts, never come back, and keep its slots until all
    /// others have had their time to reconnect. A client's own word that it is connected changes nothing.
    fn awaits_sides(&self, lease: &Lease) -> bool {
        let free = !lease.sees(Side::Host) && self.agents.is_limited(lease.client(), &self.limits);
        let most = self.clock.resumed().plus(self.limits.restored_offer_ms);
        self.clock.awaits_sides(lease.offered()) && !(free && self.clock.now() >= most)
    }

    /// When an offer ends that is judged now and counts `from` a moment. A side of protocol 3 would report the other at
    /// once: where it has not, no later update of the other side can change that.
    fn offer_ends(&self, lease: &Lease, from: Ms) -> Ms {
        let unseen = |side: Side| self.agents.dialect(lease.node(side)).reports_at_once() && !lease.sees(side);
        let ms = if unseen(Side::Client) || unseen(Side::Host) {
            self.first_offer_ms(lease.client(), lease.host())
        } else {
            self.offer_ms(lease.client(), lease.host())
        };
        from.plus(ms)
    }

    /// Handles the deadline of an offer that not both sides have seen.
    pub(crate) fn offer_due(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get(index).filter(|lease| !lease.is_running()) else { return };
        let Some(from) = self.offer_counts_from(lease) else {
            self.leases.arm_offer(lease.id(), output.now.plus(self.limits.offer_ms));
            return;
        };
        let (id, client, host, offered) = (lease.id(), lease.client(), lease.host(), lease.offered());
        // Nodes that may not dial yet have as long as for a new offer from when one of them may.
        let redials = self.redial_ms(client, host).filter(|_| self.may_await_redial(client));
        if redials.is_some_and(|ms| ms > self.limits.offer_ms) {
            // Others may need the slot by then.
            self.leases.arm_offer(id, output.now.plus(self.limits.offer_ms));
            return;
        }
        let ends = self.offer_ends(lease, redials.map_or(from, |ms| output.now.plus(ms)));
        if ends > output.now {
            self.leases.arm_offer(id, ends);
            return;
        }
        let never_connected = !lease.sees(Side::Host);
        let (matching, context) = self.matching();
        matching.never_connected(host, client, offered, context);
        if never_connected {
            self.strike(host, client);
        }
        self.end_lease(output, index, EvictReason::NotConnected, None, None);
    }

    /// Whether an offer to a client may hold its slot until one of the two nodes may dial again.
    ///
    /// The attack: free ids connect and leave, and the next offers to the same pairs hold the slots more than twice as long as
    /// others. So those of a client that is not proven do only while more slots are free than waiting clients need.
    fn may_await_redial(&self, client: u32) -> bool {
        let spare = |node| self.matching.has_slots_to_spare(node, self.context());
        !self.agents.is_limited(client, &self.limits) || self.agents.get(client).is_some_and(spare)
    }

    /// Counts against a host that it did not connect with a client, or that its agent described it wrongly.
    pub(crate) fn strike(&mut self, host: u32, client: u32) {
        let (matching, context) = self.matching();
        matching.strike(host, client, context);
    }
}
