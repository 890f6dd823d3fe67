//! Calls from the pool: admit, evict, and dial.

use vipnode_types::{
    Enode, Ms, NodeId, TypedError,
    wire::{AdmitCall, EvictCall, EvictReason, NoticeCall, PairFault, PriceCall, Side, WireError},
};

use crate::{
    Action, AdmitFailure, AgentCore, EvictionCause, FromPool, Notice, Refusal, RequestTag,
    host::{admission::refuses, offer::OfferedSlots, waiting_admits::WaitingAdmit},
    leases::{Lease, Terms},
    limits,
    policy::dialable::undialable,
};

impl AgentCore {
    pub(crate) fn pool_calls(&mut self, now: Ms, tag: RequestTag, call: FromPool, out: &mut Vec<Action>) {
        if let Err(error) = self.dialect.check_call(&call) {
            out.push(Action::Answer { tag, reply: Err(error) });
            return;
        }
        if call.names_direct() {
            if matches!(call, FromPool::Admit(_)) {
                self.counters.admit_failed(AdmitFailure::OtherLease);
            }
            out.push(Action::Answer { tag, reply: Err(Refusal::OtherLease.to_wire()) });
            return;
        }
        let full = self.pending_calls() >= limits::PENDING_CALLS;
        match call {
            // An ended lease is undone whether or not the call can wait for it.
            FromPool::Evict(call) => self.evict(tag, &call, full, out),
            FromPool::Notice(call) => {
                let payment = self.session.payment();
                match call {
                    NoticeCall::FundsLow(low) => out.push(Action::Notice(Notice::FundsLow { payment, low })),
                    NoticeCall::TrialEnds(ends) => {
                        self.session.trial_ends_at(now.plus(ends.left_ms));
                        out.push(Action::Notice(Notice::TrialEnds { payment, ends }));
                    }
                    NoticeCall::Payout(payout) => self.announce_payout(Some(payout), false, out),
                    NoticeCall::FundsChanged => self.asks.soon(now),
                    NoticeCall::Unknown => {}
                }
                out.push(Action::Answer { tag, reply: Ok(()) });
            }
            FromPool::Price(call) => {
                let reply = self.agree(now, &call);
                out.push(Action::Answer { tag, reply: reply.map_err(|why| why.to_wire()) });
            }
            FromPool::Admit(_) | FromPool::Dial(_) | FromPool::Whitelist(_) if full => {
                if !matches!(call, FromPool::Dial(_)) {
                    self.counters.admit_failed(AdmitFailure::Busy);
                }
                let error = Refusal::TooManyCalls { calls: limits::PENDING_CALLS, retry_ms: 1_000 };
                out.push(Action::Answer { tag, reply: Err(error.to_wire()) });
            }
            FromPool::Admit(call) => self.admit(now, tag, &call, out),
            FromPool::Dial(call) => self.dial(now, tag, call, out),
            FromPool::Whitelist(client) => self.whitelist(now, tag, client, out),
        }
    }

    /// Agrees to a price of a lease by the user's --max-price or --min-price, and meters the time from now on at it.
    fn agree(&mut self, now: Ms, call: &PriceCall) -> Result<(), Refusal> {
        let PriceCall { lease, price, fee_bps, .. } = *call;
        let held = self.leases.get(lease).filter(|lease| lease.runs()).ok_or(Refusal::NoLease)?;
        if let Some(refusal) = self.price_refusal(held.side(), price, fee_bps) {
            return Err(refusal);
        }
        if let Some(held) = self.leases.get_mut(lease) {
            held.set_price(price, now);
        }
        Ok(())
    }

    pub(crate) fn admit(&mut self, now: Ms, tag: RequestTag, call: &AdmitCall, out: &mut Vec<Action>) {
        let reply = match self.leases.get(call.lease) {
            Some(_) => self.admit_again(tag, call),
            None => self.admit_new(now, tag, call, now.plus(limits::ADMIT_WAIT_MS), out),
        };
        // Without a reply, the call is answered once the node is done.
        if let Some(reply) = reply {
            out.push(Action::Answer { tag, reply });
        }
    }

    /// Tries admits again that wait for a slot. Returns whether one of them got it.
    pub(crate) fn admit_waiting(&mut self, now: Ms, out: &mut Vec<Action>) -> bool {
        let before = self.leases.len();
        let waiting = self.waiting_admits.take();
        if waiting.is_empty() {
            return false;
        }
        let busy = self.leases.busy_peers();
        for WaitingAdmit { tag, call, until } in waiting {
            if until > now && busy.contains(&call.client) {
                // The node is letting this very client go: that comes first.
                self.waiting_admits.push(WaitingAdmit { tag, call, until });
                continue;
            }
            let reply = match self.leases.get(call.lease) {
                Some(_) => self.admit_again(tag, &call),
                None => self.admit_new(now, tag, &call, until, out),
            };
            out.extend(reply.map(|reply| Action::Answer { tag, reply }));
            self.role_is_clear(call.lease, out);
        }
        self.leases.len() > before
    }

    /// Calls of the pool that are not answered yet.
    pub(crate) fn pending_calls(&self) -> usize {
        self.leases.pending_calls().saturating_add(self.waiting_admits.len())
    }

    /// Whether a slot is being undone for which no admit waits.
    fn is_slot_coming(&self) -> bool {
        let undoing = |lease: &&Lease| lease.side() == Side::Host && !lease.runs() && !lease.is_direct();
        self.node.is_up() && self.leases.iter().filter(undoing).count() > self.waiting_admits.len()
    }

    /// Handles a repeated call, which gets the answer of the first.
    fn admit_again(&mut self, tag: RequestTag, call: &AdmitCall) -> Option<Result<(), WireError>> {
        let socket = self.session.socket();
        let lease = self.leases.get_mut(call.lease)?;
        if lease.side() != Side::Host || lease.peer_id() != call.client {
            self.counters.admit_failed(AdmitFailure::OtherLease);
            return Some(Err(Refusal::OtherLease.to_wire()));
        }
        if !lease.runs() {
            self.counters.admit_failed(AdmitFailure::Busy);
            return Some(Err(Refusal::BeingUndone { retry_ms: 1_000 }.to_wire()));
        }
        if !self.node.is_up() {
            self.counters.admit_failed(AdmitFailure::NodeOffline);
            return Some(Err(Refusal::NodeDown.to_wire()));
        }
        lease.named_on(socket);
        lease.confirm();
        if lease.is_in_effect() {
            return Some(Ok(()));
        }
        lease.wait(tag);
        None
    }

    fn admit_new(
        &mut self,
        now: Ms,
        tag: RequestTag,
        call: &AdmitCall,
        until: Ms,
        out: &mut Vec<Action>,
    ) -> Option<Result<(), WireError>> {
        let offer = self.offer(now);
        if let Some((failure, why)) = refuses(call, &self.config, offer, &self.leases, &self.node, &self.light_slots) {
            if failure == AdmitFailure::Full {
                self.make_room(out);
                if until > now && self.is_slot_coming() {
                    self.waiting_admits.push(WaitingAdmit { tag, call: call.clone(), until });
                    return None;
                }
            }
            self.counters.admit_failed(failure);
            return Some(Err(self.dialect.admit_refusal(&why)));
        }
        if let Some(why) = self.config.policy.rejects(&call.client_version) {
            self.counters.admit_failed(AdmitFailure::Unsuitable);
            out.push(Action::Notice(Notice::Unsuitable { side: Side::Host, peer: call.client, why: why.clone() }));
            return Some(Err(Refusal::ClientUnsuitable { why }.to_wire()));
        }
        let dialable = |peer: &Enode| undialable(peer, self.dialed_from()).is_none();
        let reported = call.client_enode.clone().filter(|peer| peer.id == call.client && dialable(peer));
        let client = reported.unwrap_or_else(|| Enode::id_only(call.client));
        let (price, peer_version) = (Some(call.price), call.client_version.clone());
        let terms = Terms { price, peer_version, light: call.light, redials: None };
        let mut lease = Lease::assigned(call.lease, Side::Host, client, terms, self.session.socket(), now);
        lease.wait(tag);
        self.leases.insert(lease);
        None
    }

    /// Ends a lease at the pool's request. An unknown lease is already undone.
    fn evict(&mut self, tag: RequestTag, call: &EvictCall, full: bool, out: &mut Vec<Action>) {
        if call.fault != Some(PairFault::LightSlots) {
            self.light_slots.not_thrown_out(call.lease);
        }
        for waiting in self.waiting_admits.take_of(call.lease) {
            self.counters.admit_failed(AdmitFailure::Ended);
            out.push(Action::Answer { tag: waiting, reply: Err(Refusal::EndedBefore.to_wire()) });
        }
        let Some(lease) = self.leases.get(call.lease) else {
            out.push(Action::Answer { tag, reply: Ok(()) });
            return;
        };
        // A pool that does not know the lease does not know the peer either, and sends zeros.
        if lease.peer_id() != call.peer && call.peer != NodeId::new([0; 64]) {
            out.push(Action::Answer { tag, reply: Err(Refusal::OtherLease.to_wire()) });
            return;
        }
        if lease.side() == Side::Client && lease.runs() {
            let (was_up, lease, host) = (lease.connection().was_ever_up(), lease.id(), lease.peer_id());
            if matches!(call.reason, EvictReason::NoFunds | EvictReason::NoPayer | EvictReason::TrialOver) {
                let (account, trial) = (call.account, call.reason == EvictReason::TrialOver);
                let payment = self.session.payment();
                out.push(Action::Notice(Notice::LeaseUnpaid { payment, lease, host, account, trial }));
            } else if was_up || call.reason == EvictReason::PayersFirst {
                out.push(Action::Notice(Notice::HostLost { lease, host, reason: Some(call.reason) }));
            }
        }
        let cause = eviction_cause(lease, call.reason);
        self.explain_eviction(call, out);
        self.end_because(call.lease, Some(cause), out);
        self.asks.soon(self.now);
        let Some(lease) = self.leases.get_mut(call.lease) else { return };
        let journaled = lease.is_journaled();
        match lease.undoing_mut() {
            Some(undoing) if self.node.is_up() && !full => undoing.wait(tag),
            _ if !journaled => out.push(Action::Answer { tag, reply: Ok(()) }),
            _ => out.push(Action::Answer { tag, reply: Err(Refusal::UndoneLater.to_wire()) }),
        }
    }

    /// Returns what the agent offers as a host.
    pub(crate) fn offer(&self, now: Ms) -> OfferedSlots {
        OfferedSlots::of(&self.config, &self.node, self.session.price_after_fee(), self.stopping.is_some(), now)
    }

    /// Notifies the user when the offer changes.
    pub(crate) fn announce_offer(&mut self, now: Ms, out: &mut Vec<Action>) {
        let unknown = self.node.facts().is_none() || self.stopping.is_some();
        if !self.config.pool || self.config.host.is_none() || unknown {
            return;
        }
        // The node just came up: its newest block follows in a moment, so a notice would be premature. So does the price by which
        // --min-price decides.
        let asks = self.config.host.as_ref().is_some_and(|host| host.min_price.is_some());
        if self.node.is_up() && (self.node.head().is_none() || asks && !self.session.was_accepted()) {
            return;
        }
        let offer = self.offer(now);
        out.extend(self.hosting.announce(offer).map(Action::Notice));
    }
}

/// Why the pool ended a lease, as the host's user reads it. A pool that reports that the nodes did not connect means that not both
/// sides reported it.
const fn eviction_cause(lease: &Lease, reason: EvictReason) -> EvictionCause {
    let connection = lease.connection();
    let connected = connection.was_ever_up() && connection.failing().is_none();
    match reason {
        EvictReason::NotConnected if connected => EvictionCause::Unreported,
        reason => EvictionCause::Ended(reason),
    }
}
