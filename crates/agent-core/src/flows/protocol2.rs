//! Handles what an original pool sends in addition to the answers of protocol 3, and replaces what it never sends.

use std::collections::BTreeSet;

use vipnode_types::{
    Enode, LeaseId, Ms, NodeId,
    protocol2::UpdateReply,
    wire::{EvictReason, Side},
};

use crate::{Action, AgentCore, RequestTag, leases::Lease, limits};

impl AgentCore {
    /// Handles what the pool returns with the answer to an update.
    pub(crate) fn take_update(&mut self, now: Ms, update: &UpdateReply, out: &mut Vec<Action>) {
        self.drop_invalid(update, out);
        self.drop_unconfirmed(update, out);
        let Some(protocol2) = self.dialect.protocol2_mut() else { return };
        if let Some(block) = self.node.block().filter(|_| update.latest_block_number > 0) {
            out.extend(protocol2.announce_behind(update.latest_block_number, block).map(Action::Notice));
        }
        if let Some(balance) = update.balance.clone() {
            out.extend(protocol2.announce_balance(now, balance).map(Action::Notice));
        }
    }

    /// Ends leases of peers that the pool takes back. The agent does not touch peers without a lease.
    fn drop_invalid(&mut self, update: &UpdateReply, out: &mut Vec<Action>) {
        for id in update.invalid_peers.iter().take(limits::REPLY_LEASES).filter_map(|id| id.parse::<NodeId>().ok()) {
            for lease in self.leases.ids(|lease| lease.peer_id() == id && lease.runs() && !lease.is_direct()) {
                self.end(lease, Some(EvictReason::Disconnected), out);
                self.asks.soon(self.now);
            }
        }
    }

    /// Handles a lease of an earlier run whose peer was reported and which the pool does not know: it has ended.
    fn drop_unconfirmed(&mut self, update: &UpdateReply, out: &mut Vec<Action>) {
        let reports = &self.reports;
        let named = self.leases.ids(|lease| lease.is_unconfirmed() && lease.runs() && reports.names(lease.id()));
        if named.is_empty() {
            return;
        }
        let active = update.active_peers.iter().take(limits::REPLY_LEASES).filter_map(|uri| uri.parse::<Enode>().ok());
        let active: BTreeSet<NodeId> = active.map(|enode| enode.id).collect();
        for id in named {
            let Some(lease) = self.leases.get_mut(id) else { continue };
            if active.contains(&lease.peer_id()) {
                lease.set_unconfirmed(false);
            } else {
                self.end(id, Some(EvictReason::Unknown), out);
                self.asks.soon(self.now);
            }
        }
    }

    /// Handles a whitelist call.
    pub(crate) fn whitelist(&mut self, now: Ms, tag: RequestTag, client: NodeId, out: &mut Vec<Action>) {
        let Some(protocol2) = self.dialect.protocol2_mut() else { return };
        let of_pool = |lease: &&Lease| {
            lease.side() == Side::Host && lease.peer_id() == client && lease.runs() && !lease.is_direct()
        };
        let held = self.leases.iter().find(of_pool).map(Lease::id);
        let call = protocol2.admit(client, held);
        self.admit(now, tag, &call, out);
        self.role_is_clear(call.lease, out);
    }

    /// Ends an unconfirmed lease of an earlier run with the same peer in the opposite direction: from now on the peer's
    /// ID stands for the new lease.
    pub(crate) fn role_is_clear(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs()) else { return };
        lease.set_unconfirmed(false);
        let (peer, side) = (lease.peer_id(), lease.side());
        let other_way = |other: &Lease| other.is_unconfirmed() && other.peer_id() == peer && other.side() != side;
        for other in self.leases.ids(|other| other.runs() && other_way(other)) {
            self.end(other, Some(EvictReason::Unknown), out);
        }
    }

    /// Evicts admitted clients that do not connect or reconnect in time (fault D35, docs/faults.md).
    pub(crate) fn unseen_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        let counts = self.node.is_up() && self.session.is_live() && self.stopping.is_none();
        let Some(protocol2) = self.dialect.protocol2_mut() else { return };
        if !counts {
            protocol2.forget_unseen();
            return;
        }
        let unseen = |lease: &&Lease| {
            lease.side() == Side::Host && lease.runs() && !lease.connection().is_up() && !lease.is_direct()
        };
        let ids: BTreeSet<LeaseId> = self.leases.iter().filter(unseen).map(Lease::id).collect();
        for id in protocol2.late(now, &ids) {
            self.end(id, Some(EvictReason::NotConnected), out);
        }
    }

    /// Returns when the first of them is evicted.
    pub(crate) fn unseen_due(&self) -> Option<Ms> {
        self.dialect.protocol2()?.late_at()
    }
}
