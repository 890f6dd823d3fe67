use vipnode_types::wire::{AskReply, AskRequest, Grant};

use crate::{
    Core, Peer, Reply, RequestId,
    errors::{self, NoHost},
    slab::Handle,
    turn::Turn,
};

/// A client's request that no host has said yes to yet.
#[derive(Debug)]
pub(crate) struct PendingAsk {
    pub(crate) number: u64,
    peer: Peer,
    request: RequestId,
    tries: u32,
}

impl Core {
    pub(crate) fn ask(&mut self, turn: &mut Turn, peer: Peer, request: RequestId, ask: &AskRequest) {
        let Some(index) = self.nodes.at_peer(peer) else {
            turn.reply(peer, request, Err(errors::not_connected()));
            return;
        };
        if self.asks.contains_key(&index) {
            self.answer_ask(turn, index, Vec::new(), Some(errors::NEWER_ASK.to_owned()));
        }
        let avoid = self.known(&ask.avoid);
        let want = ask.want.min(self.limits.leases_a_client);
        let Some(node) = self.nodes.get_mut(index) else { return };
        if !node.consuming {
            turn.reply(peer, request, Err(errors::no_client()));
            return;
        }
        node.want = want;
        node.avoid = avoid;
        let (chain, has, address) = (node.chain, node.client_leases, node.address);
        let in_flight = node.admitting > 0;
        if has < want && self.past_unpaired(index) {
            turn.reply(peer, request, Err(self.unpaired_error()));
        } else if has < want && !in_flight && self.outstanding.of(address) >= self.limits.offers_a_block {
            let error = errors::offers_in_block(self.limits.offers_a_block, self.limits.offer_ms);
            turn.reply(peer, request, Err(error));
        } else {
            self.next_ask = self.next_ask.saturating_add(1);
            let pending = PendingAsk { number: self.next_ask, peer, request, tries: 0 };
            self.asks.insert(index, pending);
            self.refresh_hunger(index);
            if has >= want && !in_flight {
                self.answer_ask(turn, index, Vec::new(), None);
            } else {
                self.timers.asks.push(turn.now.plus(self.limits.ask_deadline_ms), (index, self.next_ask));
                if has > 0 && !in_flight && self.scarce(chain) {
                    self.answer_without(turn, index, NoHost::Scarce);
                } else if !in_flight {
                    self.go_on_asking(turn, index);
                }
            }
        }
        self.refresh_hunger(index);
    }

    /// Asks the next host for a client whose request waits. One that does not wait is hungry again.
    pub(crate) fn go_on_asking(&mut self, turn: &mut Turn, client: u32) {
        if let Some(pending) = self.asks.get_mut(&client) {
            let exhausted = pending.tries >= self.limits.tries_an_ask;
            pending.tries = pending.tries.saturating_add(1);
            let offered = if exhausted { Err(NoHost::NoneFits) } else { self.offer_a_place(turn, client) };
            if let Err(why) = offered {
                self.answer_without(turn, client, why);
            }
        }
        self.refresh_hunger(client);
    }

    fn answer_without(&mut self, turn: &mut Turn, client: u32, why: NoHost) {
        let chain = self.nodes.get(client).and_then(|node| self.chains.get(node.chain));
        let why = chain.map(|chain| why.why(chain));
        self.answer_ask(turn, client, Vec::new(), why);
    }

    /// Answers a waiting request, if there is one.
    pub(crate) fn answer_ask(&mut self, turn: &mut Turn, client: u32, hosts: Vec<Grant>, why: Option<String>) {
        let Some(pending) = self.asks.remove(&client) else { return };
        let missing = self
            .nodes
            .get(client)
            .map_or(0, |node| node.want.saturating_sub(node.client_leases.saturating_sub(node.admitting)));
        let why = why.filter(|_| missing > 0);
        let reply = Reply::Ask(AskReply { hosts, missing, why });
        turn.reply(pending.peer, pending.request, Ok(reply));
        self.refresh_hunger(client);
    }

    /// A request has waited for as long as it may.
    pub(crate) fn ask_due(&mut self, turn: &mut Turn, client: u32, number: u64) {
        if self.asks.get(&client).is_none_or(|pending| pending.number != number) {
            return;
        }
        self.answer_ask(turn, client, Vec::new(), Some(errors::NO_ANSWER.to_owned()));
        if self.nodes.get(client).is_some_and(|node| !node.callable) {
            // Nobody could tell it of a late yes.
            self.end_unanswered(turn, client);
        }
    }

    /// The nodes among these ids that are known; the rest cannot be given anyway.
    fn known(&self, ids: &[vipnode_types::NodeId]) -> Box<[Handle]> {
        let known = ids.iter().take(self.limits.avoid as usize).filter_map(|id| self.nodes.find(id));
        known.filter_map(|index| self.nodes.handle(index)).collect()
    }
}
