use vipnode_types::{
    Ms,
    wire::{Done, EvictReason, LeaveReason, LeaveRequest, PairFault, Side},
};

use crate::{
    ConnectionId, Core, Reply, RequestId,
    collections::address_block::AddressBlock,
    core_error::{CoreError, LEFT},
    output::Output,
};

impl Core {
    pub(crate) fn leave(
        &mut self,
        output: &mut Output,
        connection: ConnectionId,
        request: RequestId,
        leave: &LeaveRequest,
    ) {
        let Some(index) = self.agents.at(connection) else {
            output.reply(connection, request, Err(CoreError::NotConnected.into()));
            return;
        };
        let limit = (self.limits.leases_a_client as usize).saturating_add(self.limits.slots_a_host as usize);
        if leave.leases.len() > limit {
            output.reply(connection, request, Err(CoreError::TooManyLeases { limit }.into()));
            return;
        }
        if self.is_silent(index) {
            self.go_down(output, index);
        }
        for &id in &leave.leases {
            let Some((lease, side)) = self.leases.own(index, id) else { continue };
            // Only the pool knows which address it gave.
            self.leases.note_fault(lease, leave.fault.filter(|fault| *fault != PairFault::Loopback));
            if leave.fault == Some(PairFault::LightSlots) {
                self.light_node_failed(lease);
            }
            match leave.reason {
                LeaveReason::NotConnected | LeaveReason::Unstable => self.remember_failure(lease),
                LeaveReason::Rejected => {
                    // A peer whose version is unknown is remembered as a failed pair.
                    self.remember_failure(lease);
                    self.rejected(index, lease);
                }
                LeaveReason::Mismatch => self.mismatched(lease, side),
                _ => {}
            }
            // A lost or unstable peer was last seen with the last report.
            let seen_till_now = matches!(leave.reason, LeaveReason::Surplus | LeaveReason::Drained);
            let end = self.own_end(output, index).filter(|_| seen_till_now);
            self.end_lease(output, lease, reason(leave.reason), Some(side), end.map(|end| (side, end)));
        }
        output.reply_durably(connection, request, Reply::Done(Done {}));
    }

    /// Handles an agent that stops: all its leases end, and it gets no further offers.
    pub(crate) fn bye(&mut self, output: &mut Output, connection: ConnectionId, request: RequestId) {
        let Some(index) = self.agents.at(connection) else {
            output.reply(connection, request, Err(CoreError::NotConnected.into()));
            return;
        };
        if self.is_silent(index) {
            self.go_down(output, index);
        }
        let end = self.own_end(output, index);
        self.end_ask(output, index, LEFT);
        self.confirm_final_parts(output, index);
        // Detached, it gets no further calls: the agent undoes everything by itself.
        self.detach(output, index);
        for (lease, side) in self.leases.of(index) {
            let reason = if side == Side::Client { EvictReason::Left } else { EvictReason::Drained };
            self.end_lease(output, lease, reason, Some(side), end.map(|end| (side, end)));
        }
        output.reply_durably(connection, request, Reply::Done(Done {}));
    }

    /// Until when an agent that ends its leases saw the other sides: until now, if it reported on this connection what it sees. `None`
    /// stands for its last report. An agent that was restarted may no longer have what the pool knows of.
    fn own_end(&self, output: &Output, index: u32) -> Option<Ms> {
        self.agents.get(index).is_some_and(|agent| agent.seq() > 0).then_some(output.now)
    }

    /// Remembers that an agent rejects the other side's version.
    pub(crate) fn rejected(&mut self, by: u32, lease: u32) {
        let Some(lease) = self.leases.get(lease) else { return };
        let Some(side) = lease.side_of(by) else { return };
        self.agents.reject_version(by, lease.node(side.other()), &self.limits);
    }

    /// Remembers that the other side is not what its agent described. Because only one side claims that, the pair is kept
    /// apart for a while, and a host is only ranked lower, as after an offer that did not connect.
    fn mismatched(&mut self, lease: u32, by: Side) {
        self.remember_failure(lease);
        let pair = self.leases.get(lease).filter(|_| by == Side::Client).map(|lease| (lease.host(), lease.client()));
        if let Some((host, client)) = pair {
            self.strike(host, client);
        }
    }

    /// A host disconnected a light node at once. Either its slots for light nodes are taken, or the light node left by
    /// itself, which looks the same: so the host rests its slots for a moment only, and the light node's block for long.
    fn light_node_failed(&mut self, lease: u32) {
        let Some(lease) = self.leases.get(lease).filter(|_| !self.limits.members_only) else { return };
        if !self.agents.is_light(lease.client()) {
            return;
        }
        if let Some(block) = self.agents.address(lease.client()).map(AddressBlock::of) {
            self.matching.light_node_failed(lease.host(), block, self.clock.now(), &self.limits);
        }
    }

    fn remember_failure(&mut self, lease: u32) {
        let Some((host, client)) = self.leases.get(lease).map(|lease| (lease.host(), lease.client())) else { return };
        let (matching, context) = self.matching();
        matching.pair_failed(host, client, context);
    }
}

const fn reason(reason: LeaveReason) -> EvictReason {
    match reason {
        LeaveReason::NotConnected => EvictReason::NotConnected,
        LeaveReason::Unstable | LeaveReason::Lost => EvictReason::Disconnected,
        LeaveReason::Surplus => EvictReason::Left,
        LeaveReason::Rejected | LeaveReason::Mismatch => EvictReason::Unsuitable,
        LeaveReason::Price => EvictReason::Price,
        LeaveReason::Drained => EvictReason::Drained,
    }
}
