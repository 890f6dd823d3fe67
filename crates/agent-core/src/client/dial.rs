use vipnode_types::{
    Enode, EnodeHost, LeaseId, Ms, Price,
    wire::{DialCall, ErrorCode, LeasedHost, LeaveReason, Side, WireError},
};

use crate::{
    Action, AgentCore, Notice, RequestTag,
    host::admit::other_lease,
    leases::lease::{DialState, HostDial, Lease},
    limits,
    node::tasks::refused,
};

impl AgentCore {
    pub(crate) fn dial(&mut self, now: Ms, tag: RequestTag, call: DialCall, out: &mut Vec<Action>) {
        let reply = match call.side {
            Side::Client => {
                let DialCall { lease, peer: host, price, client_version, .. } = call;
                Some(self.take_host(now, LeasedHost { lease, host, price, client_version }, out))
            }
            Side::Host => self.dial_client(tag, call),
        };
        if let Some(reply) = reply {
            out.push(Action::Answer { tag, reply });
        }
    }

    /// A place on a host was given: it is dialled, or left with the reason.
    pub(crate) fn take_host(&mut self, now: Ms, grant: LeasedHost, out: &mut Vec<Action>) -> Result<(), WireError> {
        let LeasedHost { lease: id, host, price, client_version } = grant;
        if id.is_direct() {
            return Err(other_lease());
        }
        if let Some(lease) = self.leases.get(id) {
            let same = lease.side == Side::Client && lease.peer.id == host.id && lease.runs();
            return if same { Ok(()) } else { Err(other_lease()) };
        }
        if let Some((reason, why)) = self.declines(now, &host, price) {
            if self.is_named_host(host.id) {
                // A pool that does not learn from it would give the same again.
                self.avoid.add(host.id, now);
            }
            self.leave(id, reason);
            return Err(refused(why));
        }
        if let Some(why) = self.config.policy.rejects(&client_version) {
            self.leave(id, LeaveReason::Rejected);
            // A pool that does not learn from it would give the same again.
            self.avoid.add(host.id, now);
            out.push(Action::Notice(Notice::Unsuitable { side: Side::Client, peer: host.id, why: why.clone() }));
            return Err(WireError::new(ErrorCode::Unsuitable, format!("the host {why}"), ""));
        }
        let mut lease = Lease::new(id, Side::Client, host, now);
        lease.peer_version = client_version;
        lease.price = Some(price);
        lease.socket = self.link.socket;
        out.push(Action::Notice(Notice::HostGiven { lease: id, host: lease.peer.id }));
        self.leases.insert(lease);
        self.role_is_clear(id, out);
        Ok(())
    }

    fn declines(&self, now: Ms, host: &Enode, price: Price) -> Option<(LeaveReason, &'static str)> {
        let running = self.leases.running(Side::Client);
        let most = self.config.min_peers.saturating_add(limits::SURPLUS);
        let leased =
            |lease: &Lease| lease.side == Side::Client && lease.runs() && !lease.leftover && lease.peer.id == host.id;
        if self.stopping.is_some() {
            Some((LeaveReason::Surplus, "this agent stops"))
        } else if !self.node.up {
            Some((LeaveReason::Lost, "the client's node is away"))
        } else if self.config.min_peers == 0 || running >= most || self.leases.len() >= limits::LEASES {
            Some((LeaveReason::Surplus, "the client has all the hosts it wants"))
        } else if self.config.max_price.is_some_and(|most| price > most) {
            Some((LeaveReason::Price, "the place costs more than the client takes"))
        } else if self.node.facts.as_ref().is_some_and(|facts| facts.id == host.id) {
            Some((LeaveReason::Surplus, "a node is no client of itself"))
        } else if self.leases.iter().any(leased) {
            Some((LeaveReason::Surplus, "the client has a place on this host already"))
        } else if self.avoid.contains(host.id, now) {
            Some((LeaveReason::NotConnected, "this host failed a moment ago"))
        } else if host.host == EnodeHost::None || host.port == 0 {
            Some((LeaveReason::NotConnected, "the host's enode says no address to dial"))
        } else {
            None
        }
    }

    /// The pool has this host dial a client that does not get through. `None`: answered later.
    fn dial_client(&mut self, tag: RequestTag, call: DialCall) -> Option<Result<(), WireError>> {
        let up = self.node.up;
        let Some(lease) = self.leases.get_mut(call.lease).filter(|lease| lease.runs() && !lease.leftover) else {
            return Some(Err(refused("there is no such lease here")));
        };
        if lease.side != Side::Host || lease.peer.id != call.peer.id {
            return Some(Err(other_lease()));
        }
        if lease.up.is_some() {
            return Some(Ok(()));
        }
        if lease.nodes_own {
            return Some(Err(refused("the node keeps this peer by its own settings; the agent leaves it alone")));
        }
        if !up {
            return Some(Err(refused("the host's node is away")));
        }
        if call.peer.host == EnodeHost::None || call.peer.port == 0 {
            return Some(Err(refused("the client's enode says no address to dial")));
        }
        match &mut lease.dial {
            Some(dial) if dial.state == DialState::Done => return Some(Ok(())),
            Some(dial) => {
                dial.state = DialState::Due;
                dial.waiting.push(tag);
            }
            None => lease.dial = Some(HostDial { peer: call.peer, state: DialState::Due, waiting: vec![tag] }),
        }
        None
    }

    /// A host is of no use: its lease ends, and another is asked for.
    pub(crate) fn host_failed(
        &mut self,
        now: Ms,
        id: LeaseId,
        reason: LeaveReason,
        avoid: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(lease) = self.leases.get(id).filter(|lease| lease.runs() && !id.is_direct()) else { return };
        let host = lease.peer.id;
        self.counters.host_failed();
        if lease.ever_up {
            out.push(Action::Notice(Notice::HostGone { lease: id, host }));
        }
        if avoid {
            self.avoid.add(host, now);
        }
        // A peer that was reported up and goes is told by the next report, which leaves at once.
        if reason != LeaveReason::NotConnected || !self.reports.knows(id) {
            self.leave(id, reason);
        }
        self.end(id, None, out);
        self.asks.soon(now);
    }
}
