use vipnode_types::{
    protocol2::Kind,
    wire::{AskReply, AskRequest, LeasedHost, WireError},
};

use crate::{
    ConnectionId, Core, Reply, RequestId,
    agents::node::{Avoided, Node},
    collections::slab::Handle,
    error::{self, NoHost},
    output::Output,
};

/// A client's request that waits for hosts to say yes.
#[derive(Debug)]
pub(crate) struct PendingAsk {
    pub(crate) number: u64,
    pub(crate) peer: ConnectionId,
    pub(crate) request: RequestId,
    tries: u32,
    pub(crate) form: AskForm,
    /// Hosts that said yes already, where more than one is waited for.
    pub(crate) got: Vec<LeasedHost>,
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskForm {
    /// With the first host; the pool tops up by itself.
    Protocol3,
    /// With all that it wants, for it hears of no later one.
    Protocol2 {
        wanted: u32,
        kind: Kind,
        /// By the older `vipnode_client`.
        older: bool,
    },
}

impl PendingAsk {
    /// Which execution client the hosts have to be.
    pub(crate) const fn kind(&self) -> Kind {
        match self.form {
            AskForm::Protocol3 => Kind::Unknown,
            AskForm::Protocol2 { kind, .. } => kind,
        }
    }

    const fn wanted(&self) -> usize {
        match self.form {
            AskForm::Protocol3 => 1,
            AskForm::Protocol2 { wanted, .. } => wanted as usize,
        }
    }
}

impl Core {
    pub(crate) fn ask(&mut self, output: &mut Output, peer: ConnectionId, request: RequestId, ask: &AskRequest) {
        let Some(index) = self.nodes.at_peer(peer) else {
            output.reply(peer, request, Err(error::not_connected()));
            return;
        };
        let avoid = self.known(&ask.avoid);
        let want = ask.want.min(self.limits.leases_a_client);
        if !self.nodes.get(index).is_some_and(|node| node.consuming) {
            self.answer_older(output, index);
            output.reply(peer, request, Err(error::no_client()));
            return;
        }
        if let Err(error) = self.begin_ask(output, index, (peer, request), want, avoid, AskForm::Protocol3) {
            output.reply(peer, request, Err(error));
        }
        self.refresh_waiting(index);
    }

    pub(crate) fn answer_older(&mut self, output: &mut Output, index: u32) {
        if self.asks.contains_key(&index) {
            self.answer_ask(output, index, Some(error::NEWER_ASK.to_owned()));
        }
    }

    /// Takes up a request for `want` hosts in all.
    pub(crate) fn begin_ask(
        &mut self,
        output: &mut Output,
        index: u32,
        (peer, request): (ConnectionId, RequestId),
        want: u32,
        avoid: Box<[Handle]>,
        form: AskForm,
    ) -> Result<(), WireError> {
        self.answer_older(output, index);
        let Some(node) = self.nodes.get_mut(index) else { return Err(error::not_connected()) };
        node.want = want;
        node.avoid = Avoided::new(avoid);
        let (chain, has, address) = (node.chain, node.client_leases, node.address);
        let in_flight = node.admitting > 0;
        if has < want && self.past_unpaired(index) {
            return Err(self.unpaired_error());
        }
        if has < want && !in_flight && self.pending_offers.of(address) >= self.limits.offers_a_block {
            return Err(error::offers_in_block(self.limits.offers_a_block, self.limits.offer_ms));
        }
        self.next_ask = self.next_ask.saturating_add(1);
        let pending = PendingAsk { number: self.next_ask, peer, request, tries: 0, form, got: Vec::new() };
        self.asks.insert(index, pending);
        self.refresh_waiting(index);
        if has >= want && !in_flight {
            self.answer_ask(output, index, None);
            return Ok(());
        }
        self.timers.asks.push(output.now.plus(self.limits.ask_deadline_ms), (index, self.next_ask));
        if has > 0 && !in_flight && self.scarce(chain) {
            self.answer_without(output, index, NoHost::Scarce);
        } else if !in_flight {
            self.go_on_asking(output, index);
        }
        Ok(())
    }

    /// A host said yes to a client whose request waits.
    pub(crate) fn granted(&mut self, output: &mut Output, client: u32, grant: LeasedHost) {
        let Some(pending) = self.asks.get_mut(&client) else { return };
        pending.got.push(grant);
        let enough = pending.got.len() >= pending.wanted();
        let chain = self.nodes.get(client).map(|node| node.chain);
        if enough || chain.is_none_or(|chain| self.scarce(chain)) {
            self.answer_ask(output, client, None);
        } else {
            self.go_on_asking(output, client);
        }
    }

    /// Asks the next host for a client whose request waits. One that does not wait is hungry again.
    pub(crate) fn go_on_asking(&mut self, output: &mut Output, client: u32) {
        if let Some(pending) = self.asks.get_mut(&client) {
            let got = u32::try_from(pending.got.len()).unwrap_or(u32::MAX);
            let exhausted = pending.tries >= self.limits.tries_an_ask.saturating_add(got);
            pending.tries = pending.tries.saturating_add(1);
            let offered = if exhausted { Err(NoHost::NoneFits) } else { self.offer_slot(output, client) };
            if let Err(why) = offered {
                self.answer_without(output, client, why);
            }
        }
        self.refresh_waiting(client);
    }

    fn answer_without(&mut self, output: &mut Output, client: u32, why: NoHost) {
        let words = self.no_host_words(client, why);
        self.answer_ask(output, client, words);
    }

    /// Answers a waiting request, if there is one, with what it got.
    fn answer_ask(&mut self, output: &mut Output, client: u32, why: Option<String>) {
        let Some(pending) = self.asks.remove(&client) else { return };
        if let AskForm::Protocol2 { older, .. } = pending.form {
            self.answer_protocol2(output, client, &pending, older);
            return;
        }
        let missing = self
            .nodes
            .get(client)
            .map_or(0, |node| node.want.saturating_sub(node.client_leases.saturating_sub(node.admitting)));
        let why = why.filter(|_| missing > 0);
        let reply = Reply::Ask(AskReply { hosts: pending.got, missing, reason: why });
        output.reply(pending.peer, pending.request, Ok(reply));
        self.refresh_waiting(client);
    }

    /// A request has waited for as long as it may.
    pub(crate) fn ask_due(&mut self, output: &mut Output, client: u32, number: u64) {
        if self.asks.get(&client).is_none_or(|pending| pending.number != number) {
            return;
        }
        self.answer_ask(output, client, Some(error::NO_ANSWER.to_owned()));
        if !self.nodes.get(client).is_some_and(Node::can_dial) {
            // Nobody could tell it of a late yes.
            self.end_unanswered(output, client);
        }
    }

    /// The nodes among these ids that are known; the rest cannot be given anyway.
    fn known(&self, ids: &[vipnode_types::NodeId]) -> Box<[Handle]> {
        let known = ids.iter().take(self.limits.avoid as usize).filter_map(|id| self.nodes.find(id));
        known.filter_map(|index| self.nodes.handle(index)).collect()
    }
}
