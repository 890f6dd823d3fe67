//! The price of slots: announced ahead, and taken by a lease with a new row once both of its sides agreed.

use vipnode_types::{
    Ms, Price,
    wire::{EvictReason, NextPrice, PriceCall, Side},
};

use crate::{
    CallOutcome, ConnectionId, Core, PricingRow, Reply, RequestId, Row,
    core_error::CoreError,
    leases::{
        calls_in_flight::{CallInFlight, CallKind},
        lease::Lease,
        pricing::{NextPricing, Pricing},
    },
    output::Output,
    protocol2::dialect::AgentProtocol,
};

impl Core {
    /// The price that counts now.
    pub(crate) const fn pricing(&self) -> Pricing {
        Pricing::new(self.limits.price, self.limits.fee_bps)
    }

    /// Announces the price of the settings if it changed. While nobody pays, it counts at once.
    pub(crate) fn follow_settings(&mut self, output: &mut Output) {
        let (settings, followed) = (self.prices.settings, self.prices.followed);
        if self.ledger.is_none() {
            self.set_pricing(settings, output.now);
            self.prices.followed = settings;
        } else if followed != settings {
            // What was announced for a time when the pool did not run counts first.
            self.price_due(output);
            // What the settings say as before is left as the operator announced it meanwhile.
            let mut pricing = self.prices.next.map_or(self.pricing(), |next| next.pricing);
            if settings.price != followed.price {
                pricing.price = settings.price;
            }
            if settings.fee_bps != followed.fee_bps {
                pricing.fee_bps = settings.fee_bps;
            }
            self.prices.followed = settings;
            self.announce(output, pricing);
        }
    }

    /// What slots cost, and what was announced; `None` while nobody pays.
    #[must_use]
    pub fn prices(&self) -> Option<PricingRow> {
        self.ledger.as_ref().map(|_| self.prices.row(self.pricing()))
    }

    /// Begins with the price of the settings, as a pool whose clients have just begun to pay. If they paid before, it goes on with the
    /// price and the fee of that time: accounts are still linked, and another price needs its notice.
    pub(crate) fn begin_pricing(&mut self, output: &mut Output) {
        if self.prices.restored {
            // What was announced then is announced again: nobody heard of it meanwhile.
            if let Some(next) = self.prices.next.take() {
                self.announce(output, next.pricing);
            }
            self.follow_settings(output);
            return self.persist_pricing(output);
        }
        self.prices.next = None;
        self.prices.followed = self.prices.settings;
        self.prices.announced = output.now;
        self.set_pricing(self.prices.settings, output.now);
        self.persist_pricing(output);
    }

    /// Announces a price. The present one withdraws what was announced, and the announced one keeps its time.
    fn announce(&mut self, output: &mut Output, pricing: Pricing) {
        if self.prices.next.is_some_and(|next| next.pricing == pricing) {
            self.persist_pricing(output);
            return;
        }
        let (now, from) = (output.now, output.now.plus(self.limits.price_notice_ms));
        let next = Some(NextPricing { pricing, from, announced: now }).filter(|_| pricing != self.pricing());
        if next.is_none() && self.prices.next.is_some() {
            self.prices.withdrawn = now;
        }
        self.prices.next = next;
        self.persist_pricing(output);
    }

    /// Answers the operator, who announces a price.
    pub(crate) fn set_price(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        (price, fee_bps): (Price, Option<u16>),
    ) {
        let asset = self.limits.price.asset();
        if self.ledger.is_none() {
            output.reply(connection, request, Err(CoreError::NoLedger.into()));
        } else if price.asset() != asset {
            output.reply(connection, request, Err(CoreError::OtherAsset { given: price.asset(), asset }.into()));
        } else {
            self.price_due(output);
            self.announce(output, Pricing::new(price, fee_bps.unwrap_or(self.limits.fee_bps)));
            let prices = self.prices.row(self.pricing());
            output.reply_durably(connection, request, Reply::Pricing(Box::new(prices)));
        }
    }

    /// Makes an announced price count. Returns false if none is due.
    pub(crate) fn price_due(&mut self, output: &mut Output) -> bool {
        let Some(next) = self.prices.next.filter(|next| next.from <= output.now) else { return false };
        self.prices.next = None;
        self.prices.announced = next.announced;
        self.set_pricing(next.pricing, output.now);
        self.persist_pricing(output);
        true
    }

    fn set_pricing(&mut self, pricing: Pricing, now: Ms) {
        if pricing != self.pricing() {
            self.prices.since = now;
        }
        (self.limits.price, self.limits.fee_bps) = (pricing.price, pricing.fee_bps);
    }

    fn persist_pricing(&self, output: &mut Output) {
        output.persist(Row::Pricing(Box::new(self.prices.row(self.pricing()))));
    }

    /// The price that was announced and has not taken effect.
    pub(crate) fn next_price(&self) -> Option<NextPrice> {
        self.prices.next.map(NextPrice::from)
    }

    /// The price and the fee, if one of them changed since the agent of a node connected, or an announced price was withdrawn.
    pub(crate) fn newer_pricing(&self, index: u32) -> Option<Pricing> {
        let connected = self.agents.get(index)?.since();
        (self.prices.since.max(self.prices.withdrawn) >= connected).then(|| self.pricing())
    }

    /// As [`Self::next_price`], if it was announced since the agent of a node connected.
    pub(crate) fn newer_next_price(&self, index: u32) -> Option<NextPrice> {
        // First what is nothing most of the time: the node is somewhere else in memory.
        let announced = self.prices.next?.announced;
        let connected = self.agents.get(index)?.since();
        self.next_price().filter(|_| announced >= connected)
    }

    /// The price that a lease whose row begins at `at` takes if both sides agree; `None` if it has that price, the price counts
    /// only since a later time, or nobody pays.
    fn price_to_agree(&self, lease: &Lease, at: Ms) -> Option<Pricing> {
        let pricing = Some(self.pricing()).filter(|_| self.ledger.is_some() && at >= self.prices.since);
        pricing.filter(|pricing| self.leases.pricing(lease) != Some(*pricing))
    }

    /// Asks both sides of a lease whether they agree to the present price, if a row began since it counts. That is not only so
    /// at a rollover: a lease that often begins a row for another reason never rolls over.
    pub(crate) fn ask_price(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get(index).filter(|lease| lease.is_running() && lease.row() > 0) else { return };
        if self.leases.is_trial(lease) {
            return self.ask_to_pay_again(output, index);
        }
        let (id, asked) = (lease.id(), self.price_to_agree(lease, lease.both_up()));
        // An agreement about an earlier row, or about an earlier price, decides nothing.
        let Some(pricing) = asked else { return self.leases.end_consent(id) };
        let since = self.leases.begin_consent(id, pricing, output.now);
        if self.is_unanswered(since, output.now) {
            return self.end_lease(output, index, EvictReason::Price, None, None);
        }
        self.ask_sides(output, index);
    }

    /// Asks the agent of a node that connected about the prices that wait for its answer. What waited in a core before this one
    /// is not stored, so a lease is asked again if its row could be at the present price and is not.
    pub(crate) fn ask_prices_again(&mut self, output: &mut Output, node: u32) {
        if self.ledger.is_none() {
            return;
        }
        for (index, side) in self.leases.of(node) {
            let lease = self.leases.get(index).map(Lease::id);
            match lease.and_then(|lease| self.leases.consent(lease)) {
                Some(consent) if consent.pricing == self.pricing() => {
                    if self.is_unanswered(consent.since, output.now) {
                        self.end_lease(output, index, EvictReason::Price, None, None);
                    } else if !consent.of(side) {
                        self.ask_side(output, index, side);
                    }
                }
                _ => self.ask_price(output, index),
            }
        }
    }

    /// Asks both sides of each lease of a host again, in a core that knows no questions.
    pub(crate) fn ask_prices_of_host(&mut self, output: &mut Output, host: u32) {
        let leases: Vec<u32> = self.leases.of_host(host).map(|(index, _)| index).collect();
        for index in leases {
            self.ask_price(output, index);
        }
    }

    /// Whether a price was not agreed to for so long that the lease ends. A side whose calls are lost, because it is not
    /// connected or disconnects each time, keeps the old price no longer than a row lasts.
    const fn is_unanswered(&self, since: Ms, now: Ms) -> bool {
        now.since(since) >= self.limits.rollover_ms
    }

    /// Asks one side, if it can be asked. A side that is not connected is asked once it is.
    pub(crate) fn ask_side(&mut self, output: &mut Output, index: u32, side: Side) {
        let Some(lease) = self.leases.get(index) else { return };
        let (id, row, node) = (lease.id(), lease.row(), lease.node(side));
        // A trial stays free until both agreed.
        let begun = if self.leases.is_trial(lease) { output.now } else { lease.both_up() };
        let Some(consent) = self.leases.consent(id) else { return };
        let Some(agent) = self.agents.get(node).filter(|agent| agent.is_connected()) else { return };
        let Pricing { price, fee_bps, trial: _ } = consent.pricing;
        let informed = agent.since() >= self.prices.announced;
        let agrees = match (agent.dialect(), agent.callable()) {
            // Its welcome text named the price.
            (AgentProtocol::Protocol2, _) => informed,
            // The answers to its reports named the price, and its connect the highest one that it accepts.
            (AgentProtocol::Protocol3, false) => agent.accepts(price),
            (AgentProtocol::Protocol3, true) => {
                let call = PriceCall { lease: id, row, price, fee_bps, from_ms: begun };
                return self.call_price(output, node, side, call);
            }
        };
        if agrees {
            self.agreed(output, index, side);
        } else {
            self.end_lease(output, index, EvictReason::Price, None, None);
        }
    }

    /// Handles a side's answer, or the lack of one.
    pub(crate) fn price_done(
        &mut self,
        output: &mut Output,
        call: &CallInFlight,
        (side, row): (Side, u32),
        outcome: &CallOutcome,
    ) {
        let Some(index) = self.leases.find(call.lease) else { return };
        let Some(consent) = self.leases.consent(call.lease).filter(|consent| !consent.of(side)) else { return };
        let is_earlier = self.leases.get(index).is_none_or(|lease| lease.row() != row);
        let is_ended = match outcome {
            CallOutcome::Done if is_earlier => false,
            CallOutcome::Done => return self.agreed(output, index, side),
            // The agent is asked again when it connects.
            CallOutcome::Lost => self.is_unanswered(consent.since, output.now),
            CallOutcome::Refused(_) => !is_earlier,
            // A side that begins row after row does not get more time with each.
            CallOutcome::Expired => !is_earlier || output.now.since(consent.since) >= self.limits.admit_deadline_ms,
        };
        if is_ended {
            self.end_lease(output, index, EvictReason::Price, None, None);
        }
    }

    fn agreed(&mut self, output: &mut Output, index: u32, side: Side) {
        let Some(lease) = self.leases.get(index).map(Lease::id) else { return };
        let Some(pricing) = self.leases.agree(lease, side) else { return };
        if self.leases.get(index).is_some_and(|lease| self.leases.is_trial(lease)) {
            return self.begin_to_pay(output, index, pricing);
        }
        if self.leases.get(index).is_some_and(|lease| self.lacks_payer(lease, Some(pricing.price))) {
            return self.end_lease(output, index, EvictReason::NoPayer, None, None);
        }
        self.end_row_at(output, index, Some(pricing));
        self.begin_charges(index);
        self.persist_lease(output, index);
    }

    /// Calls one side of a lease about a price.
    fn call_price(&mut self, output: &mut Output, node: u32, side: Side, message: PriceCall) {
        let kind = CallKind::Price { side, row: message.row };
        self.call(output, node, message.lease, kind, crate::PoolCall::Price(message));
    }
}
