use vipnode_types::wire::{EvictReason, Side};

use crate::{
    Core,
    agents::node::Node,
    matching::{host_search::Apart, unpaired_offers::UnpairedOffer},
    output::Output,
};

/// The number of clients that a host is offered to once it has a free slot again: some of them may not fit it. In the rule of
/// `retry_ms`.
const OFFERED_TO: usize = 4;

impl Core {
    /// A client's host should be connected by now: else the client gets further ones of other address blocks.
    pub(crate) fn extra_host_due(&mut self, output: &mut Output, slow: UnpairedOffer) {
        let Some((client, slow)) = self.still_slow(slow) else { return };
        for _ in 0..slow.extra_hosts() {
            // A client that gets none keeps those that it has; nothing else follows from it.
            if !self.may_have_further_host(client) || !self.offer_further_host(output, client) {
                break;
            }
        }
        self.matching.await_pair_again(slow, output.now.plus(self.limits.extra_host_ms));
        self.set_slow(client);
    }

    /// The client of an offer that is not paired, with the offer: if it ended, with another one that its client has. A client whose
    /// other offers are awaited too has no use for it.
    fn still_slow(&self, slow: UnpairedOffer) -> Option<(u32, UnpairedOffer)> {
        let client = self.agents.live(slow.client)?;
        if let Some(lease) = self.leases.find(slow.lease).and_then(|index| self.leases.get(index)) {
            return (!lease.is_running()).then_some((client, slow));
        }
        if self.matching.unpaired_offers().any_of(slow.client) {
            return None;
        }
        let (_, pending) = self.leases.of_client(client).find(|(_, lease)| !lease.is_running())?;
        Some((client, slow.of(pending.id())))
    }

    fn set_slow(&mut self, client: u32) {
        let (matching, context) = self.matching();
        matching.set_slow(client, context);
    }

    /// Offers hosts that have a free slot again to clients whose search is suspended, or whose hosts stay silent, in turn.
    /// Otherwise, a client that asks at the right moment would get the slot, and one of a flood always does.
    pub(crate) fn serve_opened_hosts(&mut self, output: &mut Output) {
        for host in self.matching.take_opened() {
            let Some(host) = self.agents.live(host) else { continue };
            let Some(chain) = self.agents.get(host).map(Node::chain) else { continue };
            for chain in [Some(chain), self.context().joined_chain(chain)].into_iter().flatten() {
                self.serve_opened_host(output, host, chain);
            }
        }
    }

    fn serve_opened_host(&mut self, output: &mut Output, host: u32, chain: u32) {
        // A new host costs a client no second offer of the address block of a host that stays silent.
        let known = self.matching.counts_to_share(host, chain, self.context());
        let apart = if known { Apart::Nothing } else { Apart::Block };
        for _ in 0..OFFERED_TO {
            if self.matching.free_slots(host, self.context()) == 0 {
                return;
            }
            let (matching, context) = self.matching();
            let Some(client) = matching.next_suspended(chain, context) else { return };
            let further = self.leases.client_count(client) >= self.matching.want(client);
            if !further || self.may_have_further_host(client) {
                // One that does not get it waits for the next.
                let _none = self.offer_host(output, client, (host, apart)).is_err();
            }
        }
    }

    /// Offers a client one more host: in another wide block than its hosts, because silent hosts of one provider may be in
    /// many blocks, or else in another block.
    fn offer_further_host(&mut self, output: &mut Output, client: u32) -> bool {
        [Apart::WideBlock, Apart::Block].into_iter().any(|apart| self.offer_slot_of(output, client, apart).is_ok())
    }

    fn may_have_further_host(&self, client: u32) -> bool {
        let Some(node) = self.agents.get(client).filter(|node| node.can_dial() && node.is_client()) else {
            return false;
        };
        let (count, want) = (self.leases.client_count(client), self.matching.want(client));
        let room = count < self.limits.leases_a_client && count.saturating_sub(want) < self.limits.extra_offers;
        // A host that its node is connected with may report it later than the client: nothing else is needed.
        let seen = self.leases.of_client(client).filter(|(_, lease)| lease.is_running() || lease.sees(Side::Client));
        // One that did not ask on this connection may want as many as it has.
        let wanted = if self.matching.wanted(client).is_some() { want.max(1) } else { count };
        let connected = seen.count() >= wanted as usize;
        let (matching, context) = (&self.matching, self.context());
        let spare = matching.has_slots_to_spare(node, context) && matching.may_have_spare_offer(client, context);
        room && self.matching.may_want(client) && !connected && spare
    }

    /// Ends the offers of a client that is paired with as many hosts as it wants.
    pub(crate) fn end_extra_offers(&mut self, output: &mut Output, client: u32) {
        let want = self.matching.want(client);
        if want == 0 || self.leases.client_count(client) <= want || !self.agents.get(client).is_some_and(Node::can_dial)
        {
            return;
        }
        let (running, pending): (Vec<_>, Vec<_>) = self
            .leases
            .of_client(client)
            .map(|(index, lease)| (index, lease.is_running()))
            .partition(|(_, runs)| *runs);
        if running.len() >= want as usize {
            for (index, _) in pending {
                self.end_lease(output, index, EvictReason::TooLate, None, None);
            }
        }
    }

    /// Whether a client's request waits for hosts that were already asked.
    pub(crate) fn waits_for_hosts_asked(&self, client: u32) -> bool {
        let enough = self.leases.client_count(client) >= self.matching.want(client);
        enough && self.leases.admitting(client) > 0 && self.agents.get(client).is_some_and(Node::can_dial)
    }
}
