//! The trial of a client that cannot pay: one free lease at a time, until it has used as much as the pool gives. Its use is added
//! when a row of the lease ends, and computed from the row while it runs, so a crash loses none of it.

use vipnode_types::{
    Ms,
    wire::{EvictReason, NoticeCall, Side, TrialEnds},
};

use crate::{
    Core, Row,
    leases::{
        lease::{FirstSeen, Lease, UNSEEN},
        pricing::Pricing,
    },
    metering::billed_period::Ends,
    output::Output,
};

impl Core {
    /// Adds to what a client used of its trial, in milliseconds.
    pub(crate) fn add_trial_use(&mut self, output: &mut Output, client: u32, ms: u64) {
        if ms == 0 {
            return;
        }
        self.agents.add_trial_use(client, ms, &self.limits);
        if let Some(row) = self.agents.row(client) {
            output.persist(Row::Node(Box::new(row)));
        }
    }

    /// The client of a lease that costs something is no longer new: it has no trial left for the time when its funds are used up. A
    /// trial that runs goes on.
    pub(crate) fn paid_instead(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get(index).filter(|lease| self.running_charge(lease).is_some()) else { return };
        let client = lease.client();
        let used_ms = self.agents.get(client).map_or(u32::MAX, |node| node.trial_used_ms());
        let is_new = self.limits.trial_ms > u64::from(used_ms);
        if is_new && self.leases.trial_of(client).is_none() {
            self.add_trial_use(output, client, u64::from(u32::MAX));
        }
    }

    /// Plans the next check of a client's trial, if one runs.
    pub(crate) fn watch_trial(&mut self, client: u32) {
        let Some((_, lease)) = self.leases.trial_of(client).filter(|(_, lease)| lease.is_running()) else { return };
        let left_ms = self.trial_left_ms(lease);
        let notice_ms = self.limits.trial_notice_ms;
        let next_ms = if left_ms <= notice_ms && !self.agents.is_trial_notified(client) {
            left_ms
        } else {
            [notice_ms, self.trial_ask_ms(), 0].into_iter().filter(|before| *before < left_ms).max().unwrap_or(0)
        };
        let wait_ms = left_ms.saturating_sub(next_ms).max(self.limits.tick_ms);
        self.agents.watch_trial(client, self.clock.now().plus(wait_ms));
    }

    /// Checks the trial of a client if that is due. Returns false if none is.
    pub(crate) fn trial_due(&mut self, output: &mut Output) -> bool {
        let Some(client) = self.agents.pop_trial(output.now) else { return false };
        let Some(client) = client else { return true };
        let running = self.leases.trial_of(client).filter(|(_, lease)| lease.is_running());
        let Some((index, lease)) = running else { return true };
        // An agent that could not report yet may show that less was used.
        if self.clock.in_window_since().is_some_and(|began| lease.offered() < began) {
            self.agents.watch_trial(client, self.clock.window_ends());
            return true;
        }
        match self.trial_left_ms(lease) {
            0 => self.end_lease(output, index, EvictReason::TrialOver, None, None),
            left_ms => {
                if left_ms <= self.limits.trial_notice_ms {
                    self.notify_trial_ends(output, client, left_ms);
                }
                if left_ms <= self.trial_ask_ms() {
                    self.ask_to_pay(output, index);
                }
                self.watch_trial(client);
            }
        }
        true
    }

    /// How long before the end of a trial both sides are asked to go on at the present price, in milliseconds: they have twice as
    /// long as for any call.
    const fn trial_ask_ms(&self) -> u64 {
        self.limits.admit_deadline_ms.saturating_mul(2)
    }

    /// How much is left of the trial that a lease is, in milliseconds.
    fn trial_left_ms(&self, lease: &Lease) -> u64 {
        let used_ms = self.agents.get(lease.client()).map_or(0, |node| node.trial_used_ms());
        let ends = Ends::of(lease, &self.agents);
        let running_ms = self.trial_row_ms(lease, ends, self.host_saw_until(lease).max(ends.host));
        self.limits.trial_ms.saturating_sub(used_ms.into()).saturating_sub(running_ms)
    }

    /// How much is left of the trial of a client, which is `None` if the pool does not know it, in milliseconds.
    pub(crate) fn client_trial_left_ms(&self, client: Option<u32>) -> u64 {
        if let Some((_, lease)) = client.and_then(|client| self.leases.trial_of(client)) {
            return self.trial_left_ms(lease);
        }
        let used_ms = client.and_then(|client| self.agents.get(client)).map_or(0, |node| node.trial_used_ms());
        self.limits.trial_ms.saturating_sub(used_ms.into())
    }

    /// How much of its client's trial the row of a lease uses until its sides were last connected to each other, and
    /// the host the client, in milliseconds: what both saw, or what the host alone saw, if that is more. So a client
    /// that does not report gains nothing.
    pub(crate) fn trial_row_ms(&self, lease: &Lease, ends: Ends, host_until: Ms) -> u64 {
        let host_saw_ms = if lease.host_up() == UNSEEN { 0 } else { host_until.since(lease.host_up()) };
        let both_ms = if lease.is_running() { ends.common().since(lease.both_up()) } else { 0 };
        both_ms.max(host_saw_ms.saturating_sub(self.lost_ms(lease, ends, host_until)))
    }

    /// Notifies a client once that its trial ends in `left_ms`.
    fn notify_trial_ends(&mut self, output: &mut Output, client: u32, left_ms: u64) {
        if self.agents.trial_notified(client) {
            return;
        }
        let (price, pays) = (self.limits.price, self.shortage(client).is_none());
        let minimum_balance = self.payment_terms().minimum_balance;
        self.call_notice(output, client, NoticeCall::TrialEnds(TrialEnds { left_ms, price, minimum_balance, pays }));
    }

    /// Asks both sides of a trial whether they agree to the present price, if the client can pay it. Otherwise the trial ends when it
    /// is used up.
    fn ask_to_pay(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get(index).filter(|lease| lease.is_running()) else { return };
        let (id, pricing) = (lease.id(), self.pricing());
        let asked = self.leases.consent(id).is_some_and(|consent| consent.pricing == pricing);
        if asked || self.shortage(lease.client()).is_some() {
            return;
        }
        self.leases.begin_consent(id, pricing, output.now);
        self.ask_sides(output, index);
    }

    /// Asks both sides of a trial again if they were asked before, because its row is another one.
    pub(crate) fn ask_to_pay_again(&mut self, output: &mut Output, index: u32) {
        let Some(id) = self.leases.get(index).map(Lease::id) else { return };
        if let Some(consent) = self.leases.consent(id) {
            self.leases.begin_consent(id, consent.pricing, output.now);
            self.ask_sides(output, index);
        }
    }

    /// Both sides of a trial agreed to a price: it goes on as a lease at that price, from now on. Without enough funds it ends.
    pub(crate) fn begin_to_pay(&mut self, output: &mut Output, index: u32, pricing: Pricing) {
        let Some(lease) = self.leases.get(index).filter(|lease| lease.is_running()) else { return };
        if self.shortage(lease.client()).is_some() {
            return self.end_lease(output, index, EvictReason::TrialOver, None, None);
        }
        let (now, down) = (output.now, lease.host_down() != UNSEEN);
        let end = Ends::of(lease, &self.agents).common().max(lease.both_up());
        // Until now is the trial: nobody pays for what was before both agreed.
        let carry = self.close_period(output, index, Ends::at(end), now);
        let seen = FirstSeen { client_up: now, host_up: now, host_down: if down { now } else { UNSEEN } };
        self.leases.next_period(index, seen, carry, Some(pricing));
        self.begin_charges(index);
        self.persist_lease(output, index);
        self.paid_instead(output, index);
        if let Some(client) = self.leases.get(index).map(Lease::client) {
            self.refresh_waiting(client);
        }
    }

    /// Asks both sides of a lease about the price that they are to agree to.
    pub(crate) fn ask_sides(&mut self, output: &mut Output, index: u32) {
        for side in [Side::Client, Side::Host] {
            self.ask_side(output, index, side);
        }
    }
}
