//! Hosts that the pool assigns, and the dial of a host to its client.

use vipnode_types::{
    AddressScope, Enode, LeaseId, Ms, REDIAL_MS, TypedError,
    wire::{DialCall, LeasedHost, LeaveReason, Side, WireError},
};

use crate::{
    Action, AgentCore, Notice, Refusal, RequestTag,
    client::host_rejection::why_rejected,
    leases::{Lease, Terms},
    policy::dialable::{Undialable, undialable},
};

impl AgentCore {
    pub(crate) fn dial(&mut self, now: Ms, tag: RequestTag, call: DialCall, out: &mut Vec<Action>) {
        let reply = match call.side {
            Side::Client => {
                let DialCall { lease, peer: host, price, client_version, redial_ms, .. } = call;
                let taken = self.take_host(now, LeasedHost { lease, host, price, client_version, redial_ms }, out);
                if taken.is_ok() {
                    self.missing_hosts.assigned(self.missing_hosts());
                }
                Some(taken)
            }
            Side::Host => self.dial_client(tag, call),
        };
        if let Some(reply) = reply {
            out.push(Action::Answer { tag, reply });
        }
    }

    /// Handles a slot that the pool assigned: the node dials the host, or the agent leaves the lease with a reason.
    pub(crate) fn take_host(&mut self, now: Ms, leased: LeasedHost, out: &mut Vec<Action>) -> Result<(), WireError> {
        let LeasedHost { lease: id, host, price, client_version, redial_ms } = leased;
        if id.is_direct() {
            return Err(Refusal::OtherLease.to_wire());
        }
        if let Some(lease) = self.leases.get(id) {
            let same = lease.side() == Side::Client && lease.peer_id() == host.id && lease.runs();
            return if same { Ok(()) } else { Err(Refusal::OtherLease.to_wire()) };
        }
        let stops = self.stopping.is_some().then_some((LeaveReason::Surplus, Refusal::Stopping));
        let declined = stops
            .or_else(|| why_rejected(now, &host, price, &self.config, &self.leases, &self.node, &self.failed_hosts));
        if let Some((reason, why)) = declined {
            if self.is_direct_host(host.id) {
                // A pool that ignores the reason would assign the same host again.
                self.failed_hosts.avoid(host.id, now);
            }
            self.leave(id, reason);
            return Err(why.to_wire());
        }
        if let Some(why) = undialable(&host, self.dialed_from()) {
            self.leave(id, LeaveReason::NotConnected);
            return Err(self.not_dialed(now, why, host, out).to_wire());
        }
        if let Some(why) = self.config.policy.rejects(&client_version) {
            self.leave(id, LeaveReason::Rejected);
            // A pool that does not learn from it would give the same again.
            self.failed_hosts.avoid(host.id, now);
            out.push(Action::Notice(Notice::Unsuitable { side: Side::Client, peer: host.id, why: why.clone() }));
            return Err(Refusal::HostUnsuitable { why }.to_wire());
        }
        out.push(Action::Notice(Notice::HostAssigned { lease: id, host: host.id }));
        let redials = redial_ms.map(|ms| now.plus(ms.min(REDIAL_MS)));
        let terms = Terms { price: Some(price), peer_version: client_version, light: false, redials };
        self.leases.insert(Lease::assigned(id, Side::Client, host, terms, self.session.socket(), now));
        self.role_is_clear(id, out);
        Ok(())
    }

    /// Returns why a host is not dialed. It is avoided for a while, because the pool would assign it again.
    fn not_dialed(&mut self, now: Ms, why: Undialable, host: Enode, out: &mut Vec<Action>) -> Refusal {
        match why {
            Undialable::NoAddress => Refusal::NoHostAddress,
            Undialable::NoMachine(at) => Refusal::NoMachine { at },
            Undialable::Private => {
                self.failed_hosts.avoid(host.id, now);
                out.push(Action::Notice(Notice::PrivateAddress { host: host.id, at: host.host }));
                Refusal::PrivateAddress
            }
        }
    }

    /// The narrowest scope of addresses that the pool may have the node dial.
    pub(crate) const fn dialed_from(&self) -> AddressScope {
        if self.config.dial_private { AddressScope::Loopback } else { self.session.dialed_from() }
    }

    /// Handles a call to dial a client that cannot connect itself. `None`: answered later.
    fn dial_client(&mut self, tag: RequestTag, call: DialCall) -> Option<Result<(), WireError>> {
        let (up, dialed_from) = (self.node.is_up(), self.dialed_from());
        let Some(lease) = self.leases.get_mut(call.lease).filter(|lease| lease.runs() && !lease.is_unreleased()) else {
            return Some(Err(Refusal::NoLease.to_wire()));
        };
        if lease.side() != Side::Host || lease.peer_id() != call.peer.id {
            return Some(Err(Refusal::OtherLease.to_wire()));
        }
        if lease.connection().is_up() {
            return Some(Ok(()));
        }
        if lease.is_kept_by_node() {
            return Some(Err(Refusal::NodesOwn.to_wire()));
        }
        if !up {
            return Some(Err(Refusal::NodeDown.to_wire()));
        }
        match undialable(&call.peer, dialed_from) {
            Some(Undialable::NoAddress) => return Some(Err(Refusal::NoClientAddress.to_wire())),
            Some(Undialable::NoMachine(at)) => return Some(Err(Refusal::NoMachine { at }.to_wire())),
            Some(Undialable::Private) => return Some(Err(Refusal::PrivateAddress.to_wire())),
            None => {}
        }
        (!lease.request_dial(call.peer, tag)).then_some(Ok(()))
    }

    /// Ends the lease of a host that failed, and asks for another.
    pub(crate) fn host_failed(
        &mut self,
        now: Ms,
        id: LeaseId,
        reason: LeaveReason,
        avoid: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(lease) = self.leases.get(id).filter(|lease| lease.runs() && !id.is_direct()) else { return };
        let host = lease.peer_id();
        self.counters.host_failed();
        if lease.connection().was_ever_up() {
            out.push(Action::Notice(Notice::HostLost { lease: id, host, reason: None }));
        }
        if avoid {
            self.failed_hosts.avoid(host, now);
        }
        // The next report, which is sent at once, includes the end of a reported connection.
        if reason != LeaveReason::NotConnected || !self.reports.knows(id) {
            self.leave(id, reason);
        }
        self.end(id, None, out);
        self.asks.soon(now);
    }
}
