use vipnode_types::{
    Enode, Ms, NodeId,
    wire::{AdmitCall, ErrorCode, EvictCall, Side, WireError},
};

use crate::{
    Action, AdmitFailure, AgentCore, FromPool, Notice, RequestTag, leases::lease::Lease, limits, node::tasks::refused,
};

impl AgentCore {
    pub(crate) fn pool_calls(&mut self, now: Ms, tag: RequestTag, call: FromPool, out: &mut Vec<Action>) {
        if let Some(error) = self.is_of_other_protocol(&call) {
            out.push(Action::Answer { tag, reply: Err(error) });
            return;
        }
        if call.names_direct() {
            if matches!(call, FromPool::Admit(_)) {
                self.counters.admit_failed(AdmitFailure::OtherLease);
            }
            out.push(Action::Answer { tag, reply: Err(other_lease()) });
            return;
        }
        let full = self.leases.pending_calls() >= limits::PENDING_CALLS;
        match call {
            // What is over ends whether or not there is room to say so later.
            FromPool::Evict(call) => self.evict(tag, &call, full, out),
            FromPool::Admit(_) | FromPool::Dial(_) | FromPool::Whitelist(_) if full => {
                if !matches!(call, FromPool::Dial(_)) {
                    self.counters.admit_failed(AdmitFailure::Busy);
                }
                let why = format!("{} calls wait for this node already", limits::PENDING_CALLS);
                out.push(Action::Answer { tag, reply: Err(WireError::busy(why, 1_000)) });
            }
            FromPool::Admit(call) => self.admit(now, tag, &call, out),
            FromPool::Dial(call) => self.dial(now, tag, call, out),
            FromPool::Whitelist(client) => self.whitelist(now, tag, client, out),
        }
    }

    pub(crate) fn admit(&mut self, now: Ms, tag: RequestTag, call: &AdmitCall, out: &mut Vec<Action>) {
        let reply = match self.leases.get(call.lease) {
            Some(_) => self.admit_again(tag, call),
            None => self.admit_new(now, tag, call, out),
        };
        // Without a reply yet it is answered once the node is done.
        if let Some(reply) = reply {
            out.push(Action::Answer { tag, reply });
        }
    }

    /// A repeated call: the answer is that of the first.
    fn admit_again(&mut self, tag: RequestTag, call: &AdmitCall) -> Option<Result<(), WireError>> {
        let socket = self.link.socket;
        let lease = self.leases.get_mut(call.lease)?;
        if lease.side != Side::Host || lease.peer.id != call.client {
            self.counters.admit_failed(AdmitFailure::OtherLease);
            return Some(Err(other_lease()));
        }
        if !lease.runs() {
            self.counters.admit_failed(AdmitFailure::Busy);
            return Some(Err(WireError::busy("this lease has ended and is being undone", 1_000)));
        }
        if !self.node.up {
            self.counters.admit_failed(AdmitFailure::NodeAway);
            return Some(Err(refused("the host's node is away")));
        }
        lease.socket = socket;
        if std::mem::take(&mut lease.leftover) {
            lease.applied = false;
        }
        if lease.nodes_own || lease.applied {
            return Some(Ok(()));
        }
        lease.waiting.push(tag);
        None
    }

    fn admit_new(
        &mut self,
        now: Ms,
        tag: RequestTag,
        call: &AdmitCall,
        out: &mut Vec<Action>,
    ) -> Option<Result<(), WireError>> {
        if let Some((failure, why)) = self.refuses(now, call) {
            // No room helps a light node that the host's node has no place for.
            if failure == AdmitFailure::Full && !(call.light && self.light_places.are_taken()) {
                self.make_room(out);
            }
            self.counters.admit_failed(failure);
            return Some(Err(refused(why)));
        }
        if let Some(why) = self.config.policy.rejects(&call.client_version) {
            self.counters.admit_failed(AdmitFailure::Unsuitable);
            out.push(Action::Notice(Notice::Unsuitable { side: Side::Host, peer: call.client, why: why.clone() }));
            let hint = "update your node, or take another host";
            return Some(Err(WireError::new(ErrorCode::Unsuitable, format!("the client {why}"), hint)));
        }
        let told = call.client_enode.clone().filter(|peer| peer.id == call.client);
        let client = told.unwrap_or_else(|| Enode::id_only(call.client));
        let mut lease = Lease::new(call.lease, Side::Host, client, now);
        lease.price = Some(call.price);
        lease.peer_version.clone_from(&call.client_version);
        lease.light = call.light;
        lease.socket = self.link.socket;
        lease.waiting.push(tag);
        self.leases.insert(lease);
        None
    }

    /// Why no client is let in now; the agent keeps to its own count whatever the pool says.
    fn refuses(&self, now: Ms, call: &AdmitCall) -> Option<(AdmitFailure, String)> {
        let Some(host) = &self.config.host else {
            return Some((AdmitFailure::NoHost, "this agent sells no places".to_owned()));
        };
        if let Some(why) = self.offer(now).1 {
            let failure = if self.node.up { AdmitFailure::NotOffering } else { AdmitFailure::NodeAway };
            return Some((failure, why));
        }
        let slots = host.places(self.config.direct.allowed());
        // Whose lease the pool forgot has that place still.
        let same = |lease: &Lease| lease.side == Side::Host && lease.leftover && lease.peer.id == call.client;
        let same = u32::from(self.leases.iter().any(same));
        let held = self.leases.held(Side::Host).saturating_sub(same);
        if held >= slots || self.leases.len() >= limits::LEASES {
            return Some((AdmitFailure::Full, format!("all {slots} places are taken")));
        }
        if call.light && self.light_places.are_taken() {
            return Some((AdmitFailure::Full, "all places of the host's node for light nodes are taken".to_owned()));
        }
        let itself = self.node.facts.as_ref()?.id == call.client;
        itself.then(|| (AdmitFailure::Unsuitable, "a node is no client of itself".to_owned()))
    }

    /// A lease that is not known is undone already.
    fn evict(&mut self, tag: RequestTag, call: &EvictCall, full: bool, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(call.lease) else {
            out.push(Action::Answer { tag, reply: Ok(()) });
            return;
        };
        // A pool that does not know the lease does not know the peer either, and says zeros.
        if lease.peer.id != call.peer && call.peer != NodeId::new([0; 64]) {
            out.push(Action::Answer { tag, reply: Err(other_lease()) });
            return;
        }
        if lease.side == Side::Client && lease.runs() && lease.ever_up {
            out.push(Action::Notice(Notice::HostGone { lease: lease.id, host: lease.peer.id }));
        }
        self.explain_eviction(call, out);
        self.end(call.lease, Some(call.reason), out);
        self.asks.soon(self.now);
        let now_undone = "it is over and will be undone as soon as the node can be told";
        let Some(lease) = self.leases.get_mut(call.lease) else { return };
        let journaled = lease.is_journaled();
        match &mut lease.over {
            Some(over) if self.node.up && !full => over.waiting.push(tag),
            _ if !journaled => out.push(Action::Answer { tag, reply: Ok(()) }),
            _ => out.push(Action::Answer { tag, reply: Err(refused(now_undone)) }),
        }
    }
}

pub(crate) fn other_lease() -> WireError {
    WireError::new(ErrorCode::InvalidParams, "this lease is held with another peer or from the other side", "")
}
