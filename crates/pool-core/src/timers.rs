use vipnode_types::{
    LeaseId, Ms,
    wire::{DialCall, Side},
};

use crate::{Core, collections::deadlines::Deadlines, collections::slab::Handle, output::Output};

/// What comes later. The deadlines of calls, silences and rollovers stand with those.
#[derive(Debug)]
pub(crate) struct Timers {
    /// Offers that both sides have to have seen.
    pub(crate) offers: Deadlines<LeaseId>,
    /// Pairs that should be connected by then.
    pub(crate) dials: Deadlines<LeaseId>,
    /// Hosts that said "gone".
    pub(crate) half_downs: Deadlines<LeaseId>,
    /// Requests for hosts: the client and the number of its request.
    pub(crate) asks: Deadlines<(u32, u64)>,
    /// Hosts that did not admit.
    pub(crate) rests: Deadlines<Handle>,
    /// Clients for which no host was found.
    pub(crate) back_offs: Deadlines<Handle>,
    /// Where the search for nodes to forget goes on.
    pub(crate) sweep_at: u32,
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {
            offers: Deadlines::new(),
            dials: Deadlines::new(),
            half_downs: Deadlines::new(),
            asks: Deadlines::new(),
            rests: Deadlines::new(),
            back_offs: Deadlines::new(),
            sweep_at: 0,
        }
    }
}

impl Core {
    /// When the mind is to be called with [`crate::Command::Tick`] at the latest; a moment that is past
    /// means at once, because a bounded step left work.
    #[must_use]
    pub fn next_wake(&self) -> Option<Ms> {
        [
            self.timers.offers.next(),
            self.timers.dials.next(),
            self.timers.half_downs.next(),
            self.timers.asks.next(),
            self.timers.rests.next(),
            self.timers.back_offs.next(),
            self.presences.silences.next(),
            self.agent_calls.next_deadline(),
            self.next_rollover(),
            self.wait_queue.serve_at,
            Some(self.presences.flush_at),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn tick(&mut self, output: &mut Output) {
        self.recent_pairs.expire(output.now);
        let mut budget = self.limits.expiries_a_handle.max(1) as usize;
        while budget > 0 {
            let leases = self.leases.len();
            if !self.expire_one(output) {
                break;
            }
            // One agent's silence may end a thousand leases: each counts.
            let ended = leases.saturating_sub(self.leases.len());
            budget = budget.saturating_sub(ended.max(1));
        }
        self.serve_waiting(output);
        self.flush(output);
        self.sweep(output, self.limits.swept_a_tick);
    }

    /// Works off one deadline; false where none is due.
    fn expire_one(&mut self, output: &mut Output) -> bool {
        let now = output.now;
        if self.give_up_a_call(output) {
            return true;
        }
        if let Some((client, number)) = self.timers.asks.pop_due(now) {
            self.ask_due(output, client, number);
        } else if let Some(id) = self.timers.dials.pop_due(now) {
            self.dial_due(output, id);
        } else if let Some(lease) = self.timers.half_downs.pop_due(now) {
            if let Some(index) = self.leases.find(lease) {
                self.half_down_due(output, index);
            }
        } else if let Some(lease) = self.timers.offers.pop_due(now) {
            if let Some(index) = self.leases.find(lease) {
                self.offer_due(output, index);
            }
        } else if let Some(host) = self.timers.rests.pop_due(now) {
            self.rest_over(host);
        } else if let Some(client) = self.timers.back_offs.pop_due(now) {
            self.back_off_over(client);
        } else if let Some(node) = self.presences.silences.pop_due(now) {
            self.silence_due(output, node);
        } else {
            return self.roll_over(output);
        }
        true
    }

    /// A pair should be connected by now: else its host dials, where the client can be dialed.
    fn dial_due(&mut self, output: &mut Output, id: LeaseId) {
        let Some(lease) = self.leases.find(id).and_then(|index| self.leases.get(index)) else { return };
        if lease.paired {
            return;
        }
        let (index, host, price) =
            (lease.client, lease.host, self.prices.get(lease.price).copied().unwrap_or_default());
        let client = self.nodes.get(index).filter(|client| client.peer.is_some());
        if let Some(peer) = client.and_then(|client| client.dialed_at(self.limits.closed)) {
            let client_version = self.client_version(index);
            self.call_dial(output, host, DialCall { lease: id, side: Side::Host, peer, price, client_version });
        }
    }

    fn rest_over(&mut self, handle: Handle) {
        let Some(index) = self.nodes.live(handle) else { return };
        if let Some(node) = self.nodes.get_mut(index) {
            node.resting = false;
        }
        self.refresh_open_hosts(index);
    }
}
