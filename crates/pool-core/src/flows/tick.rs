use vipnode_types::{
    LeaseId,
    wire::{DialCall, Side},
};

use crate::{Core, agents::node::Node, output::Output};

impl Core {
    pub(crate) fn tick(&mut self, output: &mut Output) {
        self.matching.expire_pairs(output.now);
        self.follow_settings(output);
        let mut budget = self.limits.expiries_a_handle.max(1) as usize;
        while budget > 0 && output.steps() < self.limits.steps_a_tick {
            let leases = self.leases.len();
            if !self.expire_one(output) {
                break;
            }
            // The silence of one agent may end a thousand leases: each counts.
            let ended = leases.saturating_sub(self.leases.len());
            budget = budget.saturating_sub(ended.max(1));
        }
        for _ in 0..self.limits.expiries_a_handle {
            if !self.metering.write_changed_period(output) {
                break;
            }
        }
        self.collect_rest(output);
        self.serve_opened_hosts(output);
        self.serve_waiting(output);
        self.agents.flush(output, &self.limits);
        self.sweep(output, self.limits.swept_a_tick);
    }

    /// Processes one deadline. Returns false if none is due.
    fn expire_one(&mut self, output: &mut Output) -> bool {
        let now = output.now;
        if self.give_up_a_call(output) || self.timed_slot_due(output) {
            return true;
        }
        if let Some((client, waits)) = self.matching.asks_mut().pop_due(now) {
            if waits {
                self.ask_due(output, client);
            }
        } else if let Some(id) = self.leases.pop_dial(now) {
            self.dial_due(output, id);
        } else if let Some(slow) = self.matching.pop_slow(now) {
            self.extra_host_due(output, slow);
        } else if let Some(lease) = self.leases.pop_half_down(now) {
            if let Some(index) = self.leases.find(lease) {
                self.host_gone_due(output, index);
            }
        } else if let Some(lease) = self.leases.pop_offer(now) {
            if let Some(index) = self.leases.find(lease) {
                self.offer_due(output, index);
            }
        } else if let Some(host) = self.matching.pop_backed_off_host(now) {
            if let Some(host) = self.agents.live(host) {
                let (matching, context) = self.matching();
                matching.host_back_off_over(host, context);
            }
        } else if let Some(client) = self.matching.pop_backed_off(now) {
            if let Some(client) = self.agents.live(client) {
                let (matching, context) = self.matching();
                matching.back_off_over(client, context);
            }
        } else if let Some(node) = self.agents.pop_silence(now) {
            self.silence_due(output, node);
        } else {
            return self.funds_due(output)
                || self.chain_silent(output)
                || self.epoch_due(output)
                || self.trial_due(output)
                || self.payout_due(output)
                || self.price_due(output)
                || self.forget_delegation(output)
                || self.never_paired_due(output)
                || self.proof_due(output)
                || self.roll_over(output);
        }
        true
    }

    /// Asks the host to dial if the pair is not connected by now and the client can be dialed.
    fn dial_due(&mut self, output: &mut Output, id: LeaseId) {
        let Some(lease) = self.leases.find(id).and_then(|index| self.leases.get(index)) else { return };
        if lease.is_running() {
            return;
        }
        let (client, host, price) = (lease.client(), lease.host(), self.leases.price(lease).unwrap_or_default());
        let connected = self.agents.get(client).is_some_and(Node::is_connected);
        if let Some(peer) = self.agents.dialed_by(client, host, &self.limits).filter(|_| connected) {
            let client_version = self.agents.client_version(client);
            let call = DialCall { lease: id, side: Side::Host, peer, price, client_version, redial_ms: None };
            self.call_dial(output, host, call);
        }
    }
}
