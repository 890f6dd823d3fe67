//! Results from the node: the peer list that was read before a command, and the result of each command.

use vipnode_types::{
    Failure, LeaseId, Ms, PeerFact, TypedError,
    wire::{EvictReason, LeaveReason, Side},
};

use super::end_lease::answer;
use crate::{
    Action, AdmitFailure, AgentCore, NodeTask, Notice, Refusal,
    leases::{Lease, TaskKind},
    limits,
    node::plan::is_own_connection,
    policy::dialable::undialable,
};

impl AgentCore {
    /// Handles the list that was read for the leases whose turn has come.
    pub(crate) fn listed(
        &mut self,
        now: Ms,
        task: NodeTask,
        result: Result<Vec<PeerFact>, Failure>,
        out: &mut Vec<Action>,
    ) {
        let ids = self.leases.ids(|lease| lease.task().is_some_and(|running| running.id == task && running.lists));
        let peers = match result {
            Ok(peers) => peers,
            Err(why) => return ids.into_iter().for_each(|_| self.node_done(now, task, Err(why.clone()), out)),
        };
        if ids.is_empty() || !self.node.is_up() {
            return;
        }
        let gap = self.take_list(now, &peers);
        for id in ids {
            self.learn_connection(id, out);
        }
        self.see_leased(now, &peers, gap, out);
    }

    /// Records what the list, which is current, shows of the peer, before a command is sent for the lease.
    fn learn_connection(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(id) else { return };
        let (peer, side) = (lease.peer_id(), lease.side());
        let own = is_own_connection(peer, &self.leases, &self.node) && !self.strict.is_dropping(peer);
        let kept = self.config.keep.contains(&peer);
        let linked = self.node.peer(peer);
        let Some(lease) = self.leases.get_mut(id) else { return };
        if lease.listed() {
            // For a peer that the node keeps by its settings, or found itself, there is nothing to do or undo.
            let trusted = linked.is_some_and(|peer| peer.trusted);
            lease.found_at_node(own, kept || (own && (side == Side::Client || trusted)));
            let calls = if lease.is_kept_by_node() { lease.take_calls() } else { Vec::new() };
            if !calls.is_empty() {
                self.counters.admitted();
                out.push(Action::Notice(Notice::ClientAdmitted { lease: id, client: peer }));
                answer(calls, &Ok(()), out);
            }
        }
        // A connected peer is not dialed: that would turn a peer that the node found itself into a static one.
        if linked.is_some() || lease.is_kept_by_node() {
            answer(lease.cancel_dial(), &Ok(()), out);
        }
    }

    pub(crate) fn node_done(&mut self, now: Ms, task: NodeTask, result: Result<(), Failure>, out: &mut Vec<Action>) {
        if self.unleased_done(task, &result, out) {
            return;
        }
        // An answer may arrive after its task was given up; it changes nothing.
        let of_task = |lease: &&mut Lease| lease.task().is_some_and(|running| running.id == task);
        let Some(lease) = self.leases.iter_mut().find(of_task) else { return };
        let Some(task) = lease.end_task(task) else { return };
        let id = lease.id();
        match (task.kind, result) {
            // Without a list it is undone all the same, by what the first list showed.
            (TaskKind::Undo | TaskKind::Untrust, Err(_)) if task.lists => {
                lease.listed();
            }
            (TaskKind::Apply, Ok(())) => self.applied(now, id, out),
            (TaskKind::Apply, Err(why)) => self.not_applied(now, id, why, out),
            (TaskKind::HostDial, result) => {
                lease.dial_ended(result.is_ok());
                let reply = result.map_err(|why| Refusal::NotDialed { why }.to_wire());
                answer(lease.take_dial_calls(), &reply, out);
            }
            (TaskKind::Undo, Ok(())) => {
                if task.cuts {
                    // The list of peers is older than this: a new lease with this node must not take the connection
                    // that was just cut for one of the node's own.
                    let peer = lease.peer_id();
                    self.node.forget_peer(peer);
                }
                self.undone(id, out);
            }
            (TaskKind::Untrust, Ok(())) => {
                if let Some(undoing) = lease.undoing_mut() {
                    undoing.set_untrusted();
                    answer(undoing.take_calls(), &Ok(()), out);
                }
            }
            (TaskKind::Undo | TaskKind::Untrust, Err(why)) => {
                let (first_ms, most_ms) = match self.stopping {
                    // Only until the agent stops waiting for the node.
                    Some(_) => (limits::UNDO_AGAIN_STOPPING_MS, limits::UNDO_AGAIN_STOPPING_MS),
                    None => (limits::UNDO_AGAIN_MS, limits::UNDO_AGAIN_MOST_MS),
                };
                lease.retry_later(now, first_ms, most_ms);
                let why = Refusal::NotUndone { why }.to_wire();
                answer(lease.take_undo_calls(), &Err(why), out);
            }
        }
    }

    fn applied(&mut self, now: Ms, id: LeaseId, out: &mut Vec<Action>) {
        let dialed_from = self.dialed_from();
        let Some(lease) = self.leases.get_mut(id) else { return };
        lease.applied();
        if lease.side() == Side::Host && lease.runs() {
            let calls = lease.take_calls();
            if !calls.is_empty() {
                self.counters.admitted();
                out.push(Action::Notice(Notice::ClientAdmitted { lease: id, client: lease.peer_id() }));
            }
            answer(calls, &Ok(()), out);
            let dialable = undialable(lease.peer(), dialed_from).is_none();
            // A client that was restarted: its node does not dial this one again yet.
            if !id.is_direct() && dialable && self.former_clients.dialed_recently(lease.peer_id(), now) {
                lease.dial_at_once();
            }
            out.push(Action::Watch { for_ms: limits::WATCH_MS });
        }
    }

    /// The node may have done half of it, so it is undone; the journal entry follows.
    fn not_applied(&mut self, now: Ms, id: LeaseId, why: Failure, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs()) else { return };
        if id.is_direct() {
            self.direct_not_applied(now, id, why, out);
            return;
        }
        if lease.side() == Side::Client {
            self.host_failed(now, id, LeaveReason::NotConnected, true, out);
            return;
        }
        let calls = lease.take_calls();
        let asked = !calls.is_empty();
        self.counters.admits_failed(AdmitFailure::NodeRefused, calls.len());
        answer(calls, &Err(self.dialect.admit_refusal(&Refusal::of_node(why))), out);
        let reason = (!asked).then_some(EvictReason::Drained);
        self.end(id, reason, out);
        if !asked {
            self.leave(id, LeaveReason::Lost);
        }
    }

    /// Handles a node that went down: answers the calls that wait for it. All else is repeated once the node is up.
    pub(crate) fn fail_all_tasks(&mut self, out: &mut Vec<Action>) {
        let mut failed = Vec::new();
        let down = Err(Refusal::NodeDown.to_wire());
        for lease in self.leases.iter_mut() {
            lease.node_lost();
            let calls = lease.take_calls();
            if !calls.is_empty() {
                self.counters.admits_failed(AdmitFailure::NodeOffline, calls.len());
                answer(calls, &down, out);
                failed.push(lease.id());
            }
            answer(lease.take_dial_calls(), &down, out);
            answer(lease.take_undo_calls(), &down, out);
        }
        for lease in failed {
            self.end(lease, None, out);
        }
    }
}
