use vipnode_types::wire::{AskReply, AskRequest, LeasedHost, WireError};

use crate::{
    ConnectionId, Core, Reply, RequestId,
    agents::node::Node,
    collections::slab::Handle,
    core_error::{CoreError, NEWER_ASK, NO_ANSWER, NO_LONGER_CLIENT},
    matching::{
        Matching,
        funding::Funding,
        no_host::NoHost,
        pending_asks::{AskForm, PendingAsk},
    },
    metering::{budget_day::BudgetDay, period_merger::next_hour},
    output::Output,
};

impl Core {
    /// Handles a client's request for hosts.
    pub(crate) fn ask(&mut self, output: &mut Output, connection: ConnectionId, request: RequestId, ask: &AskRequest) {
        let Some(index) = self.agents.at(connection) else {
            output.reply(connection, request, Err(CoreError::NotConnected.into()));
            return;
        };
        let avoid = self.known(&ask.avoid);
        let want = ask.want.min(self.limits.leases_a_client);
        if !self.agents.get(index).is_some_and(Node::is_client) {
            self.end_ask(output, index, NO_LONGER_CLIENT);
            output.reply(connection, request, Err(CoreError::NoClient.into()));
            return;
        }
        let at = (connection, request);
        let form = AskForm::Protocol3 { asked: ask.want };
        if let Err(error) = self.begin_ask(output, index, at, want, avoid, form) {
            output.reply(connection, request, Err(error));
        }
        self.refresh_waiting(index);
    }

    /// Answers a client's pending request, which ends for this reason.
    pub(crate) fn end_ask(&mut self, output: &mut Output, index: u32, why: &str) {
        if self.matching.asks().contains(index) {
            self.answer_ask(output, index, Some(why.to_owned()));
        }
    }

    /// Starts a request for `want` hosts in total.
    pub(crate) fn begin_ask(
        &mut self,
        output: &mut Output,
        index: u32,
        (connection, request): (ConnectionId, RequestId),
        want: u32,
        avoid: Box<[Handle]>,
        form: AskForm,
    ) -> Result<(), WireError> {
        self.end_ask(output, index, NEWER_ASK);
        self.matching.set_want(index, want, avoid);
        let has = self.leases.client_count(index);
        let in_flight = self.leases.admitting(index) > 0;
        if has < want && self.past_unpaired(index) {
            return Err(CoreError::Unpaired {
                limit_ms: self.limits.unpaired_ms_a_day,
                retry_ms: BudgetDay::renewed_in(output.now),
            }
            .into());
        }
        if has < want && self.lacks_periods(index) {
            return Err(CoreError::PeriodsOfBlock { retry_ms: next_hour(output.now).since(output.now) }.into());
        }
        // Protocol 2 gets an empty list: an error ends the run of its agents.
        let pays = matches!(form, AskForm::Protocol3 { .. });
        if pays
            && has < want
            && !in_flight
            && let Funding::Short(shortage) = self.context().funding(index)
        {
            return Err(shortage.lasting_error(self.limits.unfunded_retry_ms).into());
        }
        if has < want && !in_flight && self.matching.offers_exhausted(index, self.context()) {
            return Err(CoreError::OffersInBlock { retry_ms: self.limits.retry_ms }.into());
        }
        let number = self.matching.asks_mut().insert(index, connection, request, form);
        self.refresh_waiting(index);
        if has >= want && !in_flight {
            self.answer_ask(output, index, None);
            return Ok(());
        }
        let due = output.now.plus(self.limits.ask_deadline_ms);
        self.matching.asks_mut().arm(index, number, due);
        if has > 0 && !in_flight && self.matching.scarce(index, self.context()) {
            let scarce = self.matching.scarcity(index, self.context());
            self.answer_without(output, index, scarce);
        } else if !in_flight {
            self.go_on_asking(output, index);
        }
        Ok(())
    }

    /// Adds a host that admitted a client to the client's pending request.
    pub(crate) fn add_host_to_answer(&mut self, output: &mut Output, client: u32, leased: LeasedHost) {
        let Some(pending) = self.matching.asks_mut().get_mut(client) else { return };
        let enough = pending.take(leased);
        if enough || self.matching.scarce(client, self.context()) {
            let (why, steps) = self.matching.explain_rest(client, self.context());
            output.count_steps(self.agents.address(client), steps);
            self.answer_ask(output, client, why);
        } else {
            self.go_on_asking(output, client);
        }
    }

    /// Tries the next host for a client with a pending request. A client without one may return to the queue.
    pub(crate) fn go_on_asking(&mut self, output: &mut Output, client: u32) {
        if self.matching.asks().contains(client) && self.waits_for_hosts_asked(client) {
            return;
        }
        let most = self.limits.tries_an_ask;
        if let Some(pending) = self.matching.asks_mut().get_mut(client) {
            let goes_on = pending.try_again(most);
            let offered = if goes_on { self.offer_slot(output, client) } else { Err(NoHost::NoneFits) };
            if let Err(why) = offered {
                self.displace_for(output, client, &why);
                self.answer_without(output, client, why);
            }
        }
        self.refresh_waiting(client);
    }

    fn answer_without(&mut self, output: &mut Output, client: u32, why: NoHost) {
        let (words, steps) = self.matching.explain_no_host(client, why, self.context());
        output.count_steps(self.agents.address(client), steps);
        self.answer_ask(output, client, words);
    }

    /// Answers a pending request, if there is one, with the hosts found so far.
    fn answer_ask(&mut self, output: &mut Output, client: u32, why: Option<String>) {
        let Some(pending) = self.matching.asks_mut().remove(client) else { return };
        match pending.form {
            AskForm::Protocol3 { asked } => self.answer_protocol3(output, client, (pending, asked), why),
            AskForm::Protocol2 { older, .. } => self.answer_protocol2(output, client, &pending, older),
        }
        self.refresh_waiting(client);
    }

    fn answer_protocol3(
        &self,
        output: &mut Output,
        client: u32,
        (pending, asked): (PendingAsk, u32),
        why: Option<String>,
    ) {
        // Of more hosts than the pool assigns, too.
        let beyond = asked.saturating_sub(self.limits.leases_a_client);
        let missing = self.matching.missing(client, self.context()).saturating_add(beyond);
        let most = || (beyond > 0).then(|| Matching::most_hosts_text(self.context()));
        let reason = why.or_else(most).filter(|_| missing > 0);
        let reply = Reply::Ask(AskReply { hosts: pending.got, missing, reason });
        output.reply(pending.connection, pending.request, Ok(reply));
    }

    /// Answers a request whose time is up.
    pub(crate) fn ask_due(&mut self, output: &mut Output, client: u32) {
        self.answer_ask(output, client, Some(NO_ANSWER.to_owned()));
        if !self.agents.get(client).is_some_and(Node::can_dial) {
            // The pool could not pass a late answer of a host on to it.
            self.end_unanswered(output, client);
        }
    }

    /// Returns the known nodes among these ids; the pool cannot offer the rest anyway.
    fn known(&self, ids: &[vipnode_types::NodeId]) -> Box<[Handle]> {
        let known = ids.iter().take(self.limits.avoid as usize).filter_map(|id| self.agents.find(id));
        known.filter_map(|index| self.agents.handle(index)).collect()
    }
}
