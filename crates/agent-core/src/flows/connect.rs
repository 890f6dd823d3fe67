//! The session with the pool: sockets open and close, the agent sends its hello, and the pool accepts or rejects it.

use vipnode_types::{
    Failure, LeaseId, Ms, Price, TypedError,
    wire::{EvictReason, LeaseView, LeaveReason, NextPrice, PairFault, PayoutView, Side, WireError},
};

use crate::{
    Action, AgentCore, Notice, PoolAnswer, PoolState, RequestTag,
    host::offer::too_cheap,
    leases::Lease,
    limits,
    pool::{
        dialect::ConnectAccepted,
        hello::hello,
        session::{Request, retry_ms},
    },
};

impl AgentCore {
    pub(crate) fn pool_open(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            return;
        }
        self.forget_socket(now);
        self.session.opened();
        self.present(now, false, out);
    }

    /// Sends the hello as soon as both socket and node are there, and again if `another` is set.
    pub(crate) fn present(&mut self, now: Ms, another: bool, out: &mut Vec<Action>) {
        if self.session.is_open() {
            let Some(facts) = self.node.facts_if_up() else { return };
            let slots = self.offer(now).slots;
            let hello = hello(&self.config, facts, slots);
            let request = self.dialect.connect(hello, &self.config, facts);
            let tag = self.new_tag();
            self.session.connect_sent(Request { tag, sent: now });
            self.reports.slots_sent(self.config.host.as_ref().map(|_| slots));
            out.push(Action::Pool { tag, request });
        } else if another && !self.session.is_disconnected() {
            self.reconnect(now, 0, out);
        }
    }

    /// Handles a lost socket. It ends no lease (fail static).
    pub(crate) fn pool_lost(&mut self, now: Ms, why: Failure, out: &mut Vec<Action>) {
        self.forget_socket(now);
        let state = if self.session.was_accepted() { PoolState::Disconnected } else { PoolState::Unreachable };
        self.session.disconnected_because(now, state, &why.to_string());
        let retry_ms = self.stopping.is_none().then(|| self.session.wait_after_loss_ms(now, &mut self.rng));
        self.announce_loss(state, why, retry_ms, out);
        if let Some(after_ms) = retry_ms {
            self.reconnect_in(after_ms, out);
        }
    }

    /// Handles a pool that is not the one that the agent remembers. Nothing was signed, and no lease ends: the agent tries
    /// again, because the pool may come back. At the start, while there is nothing to keep, it stops with the error.
    pub(crate) fn pool_untrusted(&mut self, now: Ms, why: Failure, out: &mut Vec<Action>) {
        self.forget_socket(now);
        if self.session.was_accepted() || !self.leases.is_empty() {
            self.session.disconnected_because(now, PoolState::Untrusted, &why.to_string());
            self.session.announce_loss(PoolState::Untrusted, &why);
            out.push(Action::Notice(Notice::PoolUntrusted { why }));
            self.reconnect_later(out);
        } else {
            self.stop_because(now, Some(why.to_wire()), out);
        }
    }

    pub(crate) fn pool_answers(
        &mut self,
        now: Ms,
        tag: RequestTag,
        answer: Result<PoolAnswer, WireError>,
        out: &mut Vec<Action>,
    ) {
        if self.session.connecting().is_some_and(|request| request.tag == tag) {
            let current_leases = || self.current_leases();
            match answer.and_then(|answer| self.dialect.connect_reply(answer, current_leases)) {
                Ok(welcome) => self.accepted(now, welcome, out),
                Err(error) => self.not_accepted(now, error, out),
            }
        } else if self.reports.is(tag) {
            let answer = answer.and_then(|answer| self.dialect.report_reply(answer));
            self.report_answered(now, answer, out);
        } else if self.asks.is(tag) {
            self.ask_answered(now, answer, out);
        } else if self.payments.answered(tag) {
            self.payment_answered(now, answer, out);
        } else if !self.leaving.answered(tag) {
            // An answer to a request on an old socket matches nothing and changes nothing.
            self.bye_answered(tag);
        }
    }

    /// Notifies the user of a price other than the one `before`, and if a client does not pay the price.
    pub(crate) fn announce_price(&self, before: Option<Price>, out: &mut Vec<Action>) {
        let Some(price) = self.session.price().filter(|price| before != Some(*price)) else { return };
        if let Some(old) = before {
            out.push(Action::Notice(Notice::PriceChanged { old, new: price }));
        }
        let most = self.config.max_price.as_ref().filter(|_| self.config.min_peers > 0 && !self.config.pays(price));
        if let Some(most) = most {
            out.push(Action::Notice(Notice::PriceAboveMaximum { price, most: most.clone() }));
        }
    }

    /// Notifies the user once of a host that earns nothing at a pool whose clients pay.
    fn announce_no_payout(&mut self, out: &mut Vec<Action>) {
        let charged = self.session.terms().is_some_and(|terms| !terms.payment.is_none());
        let price = self.session.price().filter(|price| charged && !price.is_free());
        let unpaid = self.config.host.as_ref().is_some_and(|host| host.slots > 0 && host.payout.is_none());
        let unpaid = unpaid && !self.session.has_payout();
        if let Some(price) = price.filter(|_| unpaid && self.hosting.announce_unpaid()) {
            out.push(Action::Notice(Notice::NoPayout { price }));
        }
    }

    /// Notifies the user of a price or fee that the pool announced, or that it withdrew before it counted.
    pub(crate) fn announce_next_price(&mut self, now: Ms, next: Option<NextPrice>, out: &mut Vec<Action>) {
        let before = self.session.set_next_price(next);
        match (before, next) {
            (_, Some(next)) if before != Some(next) => {
                let refused_by = self.refuses(&next);
                let old_fee_bps = (self.session.price() == Some(next.price)).then(|| self.session.fee_bps());
                out.push(Action::Notice(Notice::PriceAnnounced { next, old_fee_bps, refused_by }));
            }
            (Some(before), None) if now < before.from_ms => {
                let (price, fee_bps) = (self.session.price().unwrap_or_default(), self.session.fee_bps());
                // By the pool's clock, it may count already.
                if (price, fee_bps) != (before.price, before.fee_bps) {
                    let fees_bps = (price == before.price).then_some((before.fee_bps, fee_bps));
                    out.push(Action::Notice(Notice::PriceWithdrawn { announced: before.price, price, fees_bps }));
                }
            }
            _ => {}
        }
    }

    /// The role in which this agent does not accept a price that the pool announced; `None` if it accepts it.
    pub(crate) fn refuses(&self, next: &NextPrice) -> Option<Side> {
        if self.config.min_peers > 0 && !self.config.pays(next.price) {
            return Some(Side::Client);
        }
        let host = self.config.host.as_ref();
        host.and_then(|host| too_cheap(host, next.price.less_fee(next.fee_bps))).map(|_| Side::Host)
    }

    /// Returns the leases that stay without confirmation by the pool, except ambiguous ones.
    fn current_leases(&self) -> Vec<LeaseView> {
        let goes_on = |lease: &&Lease| lease.runs() && !lease.is_direct() && !self.leases.is_unclear(lease);
        let view = |lease: &Lease| LeaseView {
            lease: lease.id(),
            side: lease.side(),
            peer: lease.peer().clone(),
            price: vipnode_types::Price::FREE,
        };
        self.leases.iter().filter(goes_on).map(view).collect()
    }

    fn accepted(&mut self, now: Ms, welcome: ConnectAccepted, out: &mut Vec<Action>) {
        let ConnectAccepted { text, price, fee_bps, terms, pool_id, .. } = welcome;
        let (before, first) = (self.session.price(), !self.session.was_accepted());
        let paid_by = self.session.terms().map(|terms| terms.payment);
        self.session.accepted(now, welcome.report_interval_ms, (price, fee_bps, terms), pool_id);
        out.push(Action::Notice(Notice::Connected { welcome: text, price, pool_id }));
        self.keep_first_price(out);
        self.announce_price(before, out);
        self.announce_next_price(now, welcome.next_price, out);
        if let Some(address) = self.session.replaced(now, welcome.replaced) {
            out.push(Action::Notice(Notice::Displaced { address, wait_ms: limits::DISPLACED_WAIT_MS }));
        }
        if let Some(why) = welcome.no_hosts {
            out.push(Action::Notice(Notice::OtherChains { why }));
        }
        if !welcome.unconfirmed {
            self.announce_payout(welcome.payout, first, out);
        }
        self.announce_no_payout(out);
        self.reports.new_socket(now);
        self.asks.new_socket(now);
        // Then the pool ended all leases while it was restarted. Otherwise it ended some, or its data is older than they are.
        let payment_changed = paid_by.is_some_and(|before| before != self.session.payment());
        let reason = if payment_changed { EvictReason::PaymentChanged } else { EvictReason::Unknown };
        self.reconcile(now, &welcome.leases, welcome.unconfirmed, reason, out);
    }

    /// Notifies the user of a host of each change of the account that the pool pays, and if it is not that of the settings.
    pub(crate) fn announce_payout(&mut self, payout: Option<PayoutView>, first: bool, out: &mut Vec<Action>) {
        let before = self.session.set_payout(payout);
        let Some(host) = self.config.host.as_ref().filter(|_| before != payout || first) else { return };
        let (paid, next) = (payout.map(|payout| payout.account), payout.and_then(|payout| payout.next));
        match (paid, next, before) {
            (Some(paid), Some(next), _) => {
                out.push(Action::Notice(Notice::PayoutChanges { paid, next: next.account, from: next.from_ms }));
            }
            (Some(paid), None, Some(PayoutView { account, next: Some(ordered) })) if account == paid => {
                out.push(Action::Notice(Notice::PayoutKept { paid, canceled: ordered.account }));
            }
            // Otherwise the notice below names the account.
            (Some(paid), None, Some(_)) if host.payout.is_none_or(|wanted| wanted == paid) => {
                out.push(Action::Notice(Notice::PayoutChanged { paid }));
            }
            _ => {}
        }
        let follows = next.map(|next| next.account);
        let wanted = host.payout.filter(|wanted| paid != Some(*wanted) && follows != Some(*wanted));
        out.extend(wanted.map(|wanted| Action::Notice(Notice::OtherPayout { wanted, paid })));
    }

    /// Handles a pool that rejected the agent itself.
    pub(crate) fn not_accepted(&mut self, now: Ms, error: WireError, out: &mut Vec<Action>) {
        let (error, lasting) = self.dialect.refusal(error);
        if lasting && !self.session.was_accepted() {
            // The user reads the error when the agent stops.
            self.forget_socket(now);
            self.stop_because(now, Some(error), out);
            return;
        }
        out.push(Action::Notice(Notice::PoolRefused(error.clone())));
        self.session.disconnected_because(now, PoolState::Refused, &error.message);
        self.session.announce_loss(PoolState::Refused, &error);
        if lasting {
            self.reconnect(now, limits::REFUSED_MS, out);
        } else if let Some(retry_ms) = retry_ms(&error) {
            let further_ms = self.session.next_wait_ms(&mut self.rng);
            self.reconnect(now, retry_ms.saturating_add(further_ms), out);
        } else {
            self.forget_socket(now);
            self.reconnect_later(out);
        }
    }

    /// Closes the socket if a request gets no answer in time: it is half-open (fault D40, docs/faults.md).
    pub(crate) fn session_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.requests().any(|request| request.due(self.config.request_ms) <= now) {
            let why = format!("no answer within {} s", self.config.request_ms / 1_000);
            self.pool_lost(now, why.as_str().into(), out);
        }
    }

    /// Returns every request that waits for its answer.
    fn requests(&self) -> impl Iterator<Item = Request> {
        let all = [
            self.session.connecting(),
            self.reports.in_flight(),
            self.asks.in_flight(),
            self.payments.in_flight(),
            self.leaving.in_flight(),
        ];
        all.into_iter().flatten()
    }

    /// Returns when something for the pool is due.
    pub(crate) fn pool_due(&self) -> impl Iterator<Item = Ms> {
        let requests = self.requests().map(|request| request.due(self.config.request_ms));
        requests.chain(self.report_due()).chain(self.pay_due()).chain(self.ask_due())
    }

    /// Sends the pool what is due, in an order in which it can handle it.
    pub(crate) fn speak(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.stopping.is_none() && self.session.is_live() {
            self.send_report(now, out);
            self.send_leave(now, out);
            self.send_payment(now, out);
            self.send_ask(now, out);
        }
    }

    /// Notifies the user that the pool is not connected: once for each state and kind of error that follows another one.
    fn announce_loss(&mut self, state: PoolState, why: Failure, retry_ms: Option<u64>, out: &mut Vec<Action>) {
        if self.session.announce_loss(state, &why) {
            out.push(Action::Notice(match retry_ms {
                Some(retry_ms) if state == PoolState::Unreachable => Notice::PoolUnreachable { why, retry_ms },
                _ => Notice::PoolDisconnected { why },
            }));
        }
    }

    fn reconnect(&mut self, now: Ms, after_ms: u64, out: &mut Vec<Action>) {
        self.forget_socket(now);
        if self.stopping.is_none() {
            self.reconnect_in(after_ms, out);
        }
    }

    fn reconnect_in(&mut self, after_ms: u64, out: &mut Vec<Action>) {
        self.session.retries_at(self.now.plus(after_ms));
        out.push(Action::Reconnect { after_ms });
    }

    fn reconnect_later(&mut self, out: &mut Vec<Action>) {
        if self.stopping.is_none() {
            let after_ms = self.session.next_wait_ms(&mut self.rng);
            self.reconnect_in(after_ms, out);
        }
    }

    /// Drops requests and calls of the old socket.
    pub(crate) fn forget_socket(&mut self, now: Ms) {
        if self.session.closed(now) {
            self.counters.pool_lost();
        }
        let lost = self.reports.lose_socket();
        self.set_flapped(&lost, true);
        self.asks.lose_socket();
        self.payments.lose_socket(now);
        self.leaving.clear();
        self.bye_lost();
        self.leases.iter_mut().for_each(Lease::forget_calls);
        self.waiting_admits.clear();
    }

    /// Leaves a lease at the pool, at the next chance.
    pub(crate) fn leave(&mut self, lease: LeaseId, reason: LeaveReason) {
        self.leave_because(lease, reason, None);
    }

    /// As [`Self::leave`], with what the node saw. Of two reasons for one lease the first counts.
    pub(crate) fn leave_because(&mut self, lease: LeaseId, reason: LeaveReason, fault: Option<PairFault>) {
        if !lease.is_direct() && self.session.is_live() && self.stopping.is_none() {
            self.leaving.add(lease, reason, fault);
        }
    }

    fn send_leave(&mut self, now: Ms, out: &mut Vec<Action>) {
        let Some(request) = self.leaving.next(|leave| self.dialect.leave(leave)) else { return };
        let tag = self.new_tag();
        self.leaving.sent(Request { tag, sent: now });
        out.push(Action::Pool { tag, request });
    }
}
