use vipnode_types::{
    Account, Ms, Price,
    wire::{EvictReason, FundsLow, NoticeCall},
};

use crate::{
    Core,
    leases::lease::Lease,
    ledger::{
        burn::{BurnRate, EARLY_MS},
        notice_times::NoticeTimes,
        shortage::Shortage,
    },
    output::Output,
};

/// Clients of one payer whose search resumes at once when it has funds again; the others resume when their back-off is over.
const RESUMED: usize = 1_000;

impl Core {
    /// Returns why a client cannot pay for one more lease; `None` if it can or need not.
    pub(crate) fn shortage(&self, client: u32) -> Option<Shortage> {
        self.context().shortage(client)
    }

    /// Returns who pays for a client's node.
    pub(crate) fn payer(&self, client: u32) -> Option<Account> {
        self.ledger.as_ref()?.payer_of(&self.agents.id(client)?)
    }

    /// Returns who pays for a running lease, how much, and since when; `None` if nobody pays, or nobody earns.
    pub(crate) fn running_charge(&self, lease: &Lease) -> Option<(Account, BurnRate, Ms)> {
        let ledger = self.ledger.as_ref()?;
        let payer = ledger.payer_of(&self.agents.id(lease.client())?)?;
        self.agents.get(lease.host())?.payout()?;
        let price = self.leases.price(lease).filter(|price| lease.is_running() && !price.is_free())?;
        Some((payer, BurnRate::of(price), lease.both_up()))
    }

    /// Whether a lease costs something, at this price or else at its own, and no account pays for its client. Such a lease ends:
    /// otherwise its client would be served for nothing.
    pub(crate) fn lacks_payer(&self, lease: &Lease, price: Option<Price>) -> bool {
        let Some(ledger) = &self.ledger else { return false };
        let payer = self.agents.id(lease.client()).and_then(|client| ledger.payer_of(&client));
        let price = price.or_else(|| self.leases.price(lease));
        payer.is_none() && price.is_some_and(|price| !price.is_free())
    }

    /// Counts the running period of a lease to what its payer spends.
    pub(crate) fn begin_charges(&mut self, index: u32) {
        let charge = self.leases.get(index).and_then(|lease| self.running_charge(lease));
        if let (Some((payer, rate, since)), Some(ledger)) = (charge, &mut self.ledger) {
            ledger.lease_runs(payer, (rate, since), NoticeTimes::of(&self.limits), self.clock.now());
        }
    }

    /// Counts the running period of a lease no longer, because it ends.
    pub(crate) fn end_charges(&mut self, index: u32) {
        let charge = self.leases.get(index).and_then(|lease| self.running_charge(lease));
        if let (Some((payer, rate, since)), Some(ledger)) = (charge, &mut self.ledger) {
            ledger.lease_ended(payer, rate, since, self.clock.now());
        }
    }

    /// Checks the funds of a payer if that is due. Returns false if none is.
    pub(crate) fn funds_due(&mut self, output: &mut Output) -> bool {
        let Some(payer) = self.ledger.as_mut().and_then(|ledger| ledger.pop_check(output.now)) else { return false };
        let (now, times) = (output.now, NoticeTimes::of(&self.limits));
        let Some(ledger) = &mut self.ledger else { return true };
        if ledger.lasts_ms(payer, BurnRate::default(), now) > EARLY_MS {
            let left_ms = ledger.take_notice(payer, times, now);
            ledger.plan_check(payer, times, now);
            if let Some(left_ms) = left_ms {
                self.notify_low_funds(output, payer, left_ms);
            }
        } else {
            self.end_unfunded(output, payer);
        }
        true
    }

    /// Returns what a client with leases that cost something has left, if a notice of that is due or was sent.
    pub(crate) fn funds_low(&self, client: u32) -> Option<FundsLow> {
        let spends = self.leases.of_client(client).any(|(_, lease)| self.running_charge(lease).is_some());
        let (ledger, account, now) = (self.ledger.as_ref()?, self.payer(client)?, self.clock.now());
        let left_ms = ledger.low_funds_ms(account, NoticeTimes::of(&self.limits), now).filter(|_| spends)?;
        let (asset, available) = (self.limits.price.asset(), ledger.left(account, now));
        Some(FundsLow { account, asset, available, left_ms })
    }

    /// Notifies the clients of a payer with leases that cost something that its funds last only for `left_ms`.
    fn notify_low_funds(&mut self, output: &mut Output, payer: Account, left_ms: u64) {
        let Some(ledger) = &self.ledger else { return };
        let (asset, available) = (self.limits.price.asset(), ledger.left(payer, output.now));
        let notice = NoticeCall::FundsLow(FundsLow { account: payer, asset, available, left_ms });
        let nodes = ledger.nodes_of(payer).filter_map(|node| self.agents.find(&node));
        let spends = |node: &u32| self.leases.of_client(*node).any(|(_, lease)| self.running_charge(lease).is_some());
        let nodes: Vec<u32> = nodes.filter(spends).collect();
        for node in nodes {
            self.call_notice(output, node, notice);
        }
    }

    /// Ends leases of a payer without funds, the newest first, until what is left covers the rest for a while; at most so many in a
    /// step. In the reconnect window, those from before it stay: an agent that could not report yet may lead to a lower cost.
    fn end_unfunded(&mut self, output: &mut Output, payer: Account) {
        let nodes: Vec<u32> = match &self.ledger {
            Some(ledger) => ledger.nodes_of(payer).filter_map(|node| self.agents.find(&node)).collect(),
            None => return,
        };
        let of_node =
            |node: &u32| self.leases.of_client(*node).filter(|(_, lease)| self.running_charge(lease).is_some());
        let window = self.clock.in_window_since();
        let may_end = |lease: &Lease| window.is_none_or(|began| lease.offered() >= began);
        let running = nodes.iter().flat_map(of_node).filter(|(_, lease)| may_end(lease));
        let running = running.map(|(index, lease)| (lease.id(), index));
        let mut running: Vec<_> = running.collect();
        running.sort_unstable();
        let mut budget = self.limits.unfunded_a_tick;
        while let Some((_, index)) = running.pop() {
            let lasts_ms = |core: &Self| {
                let ledger = core.ledger.as_ref()?;
                Some(ledger.lasts_ms(payer, BurnRate::default(), core.clock.now()))
            };
            if lasts_ms(self).is_some_and(|lasts_ms| lasts_ms > EARLY_MS && lasts_ms >= self.limits.funds_last_ms) {
                if let Some(ledger) = &mut self.ledger {
                    ledger.plan_check(payer, NoticeTimes::of(&self.limits), output.now);
                }
                return;
            }
            if budget == 0 {
                if let Some(ledger) = &mut self.ledger {
                    ledger.check_at(payer, output.now);
                }
                return;
            }
            budget = budget.saturating_sub(1);
            self.end_lease(output, index, EvictReason::NoFunds, None, None);
        }
        if let Some(ledger) = &mut self.ledger {
            ledger.check_at(payer, self.clock.window_ends().max(output.now));
        }
    }

    /// Collects earlier costs that a step before did not reach.
    pub(crate) fn collect_rest(&mut self, output: &mut Output) {
        let most = self.limits.collected_a_tick;
        if let Some(ledger) = &mut self.ledger {
            ledger.collect_rest(output, most);
        }
    }

    /// As [`Self::funded`], and its clients ask again.
    pub(crate) fn funds_changed_of(&mut self, output: &mut Output, payer: Account) {
        for client in self.funded(payer) {
            self.funds_changed(output, client);
        }
    }

    /// Has a client that lacks hosts ask again: it was refused, or may be, for a reason that no longer holds, and would ask only after
    /// a while.
    pub(crate) fn funds_changed(&mut self, output: &mut Output, client: u32) {
        let lacks_hosts = self.matching.missing(client, self.context()) > 0;
        if lacks_hosts && !self.matching.asks().contains(client) {
            self.call_notice(output, client, NoticeCall::FundsChanged);
        }
    }

    /// The funds of a payer changed, or the nodes for which it pays: its clients get hosts again. Returns them.
    pub(crate) fn funded(&mut self, payer: Account) -> Vec<u32> {
        let (times, now) = (NoticeTimes::of(&self.limits), self.clock.now());
        let Some(ledger) = &mut self.ledger else { return Vec::new() };
        ledger.reset_notices(payer, times, now);
        ledger.plan_check(payer, times, now);
        let nodes: Vec<u32> = ledger.nodes_of(payer).take(RESUMED).filter_map(|node| self.agents.find(&node)).collect();
        for &node in &nodes {
            let (matching, context) = self.matching();
            matching.back_off_over(node, context);
        }
        nodes
    }
}
