//! Commands to the node: one at a time for each peer, after a reading of its list of peers, and the journal first.

use vipnode_types::{
    Failure, LeaseId, Ms, PeerCommand, PeerFact, TypedError,
    wire::{EvictReason, LeaveReason, Side, WireError},
};

use crate::{
    Action, AdmitFailure, AgentCore, JournalEntry, NodeTask, Notice, Refusal, RequestTag, TaskError,
    leases::{Lease, Task, Work},
    limits,
    node::plan::{Plan, is_own_link, plan},
};

impl AgentCore {
    /// Sends the node the commands that leases need: first for ended leases, then admits, then dials.
    pub(crate) fn work(&mut self, now: Ms, out: &mut Vec<Action>) {
        // Repeats until a round changes nothing. A round that sends a command or removes a lease may unblock another
        // lease.
        while self.work_round(now, out) {}
    }

    fn work_round(&mut self, now: Ms, out: &mut Vec<Action>) -> bool {
        let mut ids = self.leases.ids(|lease| lease.task().is_none() && lease.has_work(now));
        if ids.is_empty() {
            return false;
        }
        ids.sort_by_key(|id| self.leases.get(*id).map(|lease| (lease.runs(), lease.side() == Side::Client, *id)));
        let mut busy = self.leases.busy_peers();
        busy.extend(self.strict.dropped_peers());
        let mut changed = false;
        let mut unlisted = Vec::new();
        for id in ids {
            let Some(lease) = self.leases.get(id) else { continue };
            let peer = lease.peer_id();
            match plan(lease, &self.leases, &self.node) {
                Plan::Nothing => {}
                Plan::Send(what, call) if self.node.is_up() && !busy.contains(&peer) => {
                    busy.insert(peer);
                    if lease.is_listed() {
                        changed = true;
                        self.send_to_node(now, id, what, call, out);
                    } else {
                        unlisted.push((id, what));
                    }
                }
                Plan::Send(..) => {}
                Plan::Covered => {
                    self.leases.hand_over(id);
                    self.undone(id, out);
                    changed = true;
                }
                Plan::Remove => {
                    self.undone(id, out);
                    changed = true;
                }
            }
        }
        self.list_for(now, &unlisted, out);
        changed
    }

    /// Has the node's list read, once for all leases whose turn has come.
    fn list_for(&mut self, now: Ms, unlisted: &[(LeaseId, Work)], out: &mut Vec<Action>) {
        if unlisted.is_empty() {
            return;
        }
        let id = self.new_task();
        for (lease, what) in unlisted {
            if let Some(lease) = self.leases.get_mut(*lease) {
                lease.begin(Task { id, what: *what, since: now, lists: true, cuts: false });
            }
        }
        out.push(Action::List { task: id });
    }

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
            self.learn_link(id, out);
        }
        self.see_leased(now, &peers, gap, out);
    }

    /// Records what the list, which is current, shows of the peer, before a command is sent for the lease.
    fn learn_link(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(id) else { return };
        let (peer, side) = (lease.peer_id(), lease.side());
        let own = is_own_link(peer, &self.leases, &self.node) && !self.strict.is_dropping(peer);
        let kept = self.config.keep.contains(&peer);
        let linked = self.node.peer(peer);
        let Some(lease) = self.leases.get_mut(id) else { return };
        if lease.listed() {
            // For a peer that the node keeps by its settings, or found itself, nothing is to be done or undone.
            let trusted = linked.is_some_and(|peer| peer.trusted);
            lease.found_at_node(own, kept || (own && (side == Side::Client || trusted)));
            let calls = if lease.is_nodes_own() { lease.take_calls() } else { Vec::new() };
            if !calls.is_empty() {
                self.counters.admitted();
                out.push(Action::Notice(Notice::ClientAdmitted { lease: id, client: peer }));
                answer(calls, &Ok(()), out);
            }
        }
        // A connected peer is not dialed: that would turn a peer that the node found itself into a static one.
        if linked.is_some() || lease.is_nodes_own() {
            answer(lease.cancel_dial(), &Ok(()), out);
        }
    }

    fn send_to_node(&mut self, now: Ms, id: LeaseId, what: Work, call: PeerCommand, out: &mut Vec<Action>) {
        let task = self.new_task();
        let Some(lease) = self.leases.get_mut(id) else { return };
        let (peer, is_client) = (lease.peer_id(), lease.side() == Side::Client);
        let cuts = matches!(call, PeerCommand::Drop(_) | PeerCommand::Evict(_));
        lease.begin(Task { id: task, what, since: now, lists: false, cuts });
        if matches!(call, PeerCommand::Dial(_)) {
            // The list, which is current, does not have the peer.
            lease.dialed();
        }
        if matches!(what, Work::Apply | Work::HostDial)
            && let Some(grant) = lease.journal()
        {
            out.push(Action::Journal(JournalEntry::Done(grant)));
        }
        self.leases.forget_lists(peer);
        out.push(Action::Node { task, call });
        if what == Work::HostDial || (what == Work::Apply && is_client) {
            out.push(Action::Watch { for_ms: limits::CONNECT_MS });
        }
    }

    pub(crate) fn node_done(&mut self, now: Ms, task: NodeTask, result: Result<(), Failure>, out: &mut Vec<Action>) {
        if self.stranger_done(task, &result, out) {
            return;
        }
        // An answer may arrive after its task was given up; it changes nothing.
        let of_task = |lease: &&mut Lease| lease.task().is_some_and(|running| running.id == task);
        let Some(lease) = self.leases.iter_mut().find(of_task) else { return };
        let Some(task) = lease.end_task(task) else { return };
        let id = lease.id();
        match (task.what, result) {
            // Without a list it is undone all the same, by what the first list showed.
            (Work::Undo | Work::Untrust, Err(_)) if task.lists => {
                lease.listed();
            }
            (Work::Apply, Ok(())) => self.applied(id, out),
            (Work::Apply, Err(why)) => self.not_applied(now, id, why, out),
            (Work::HostDial, result) => {
                lease.dial_ended(result.is_ok());
                let reply = result.map_err(|why| Refusal::NotDialed { why }.to_wire());
                answer(lease.take_dial_calls(), &reply, out);
            }
            (Work::Undo, Ok(())) => {
                if task.cuts {
                    // The list of peers is older than this: a new lease with this node must not take the connection
                    // that was just cut for one of the node's own.
                    let peer = lease.peer_id();
                    self.node.forget_peer(peer);
                }
                self.undone(id, out);
            }
            (Work::Untrust, Ok(())) => {
                if let Some(undoing) = lease.undoing_mut() {
                    undoing.set_untrusted();
                    answer(undoing.take_calls(), &Ok(()), out);
                }
            }
            (Work::Undo | Work::Untrust, Err(why)) => {
                let stopping = self.stopping.is_some();
                let wait_ms = if stopping { limits::UNDO_AGAIN_STOPPING_MS } else { limits::UNDO_AGAIN_MS };
                lease.set_retry(Some(now.plus(wait_ms)));
                let why = Refusal::NotUndone { why }.to_wire();
                answer(lease.take_undo_calls(), &Err(why), out);
            }
        }
    }

    fn applied(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        lease.applied();
        if lease.side() == Side::Host && lease.runs() {
            let calls = lease.take_calls();
            if !calls.is_empty() {
                self.counters.admitted();
                out.push(Action::Notice(Notice::ClientAdmitted { lease: id, client: lease.peer_id() }));
            }
            answer(calls, &Ok(()), out);
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

    pub(crate) fn tasks_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        let tasks = self.leases.iter().filter_map(Lease::task);
        let late: Vec<_> = tasks.filter(|task| task.since.plus(limits::NODE_TASK_MS) <= now).collect();
        for task in late {
            let why = Failure::of(&TaskError::Expired { seconds: limits::NODE_TASK_MS / 1_000 });
            self.node_done(now, task.id, Err(why), out);
        }
    }

    /// Returns when a deadline or a retry at the node is due.
    pub(crate) fn node_due(&self) -> impl Iterator<Item = Ms> {
        let tasks = self.leases.iter().filter_map(Lease::task).map(|task| task.since.plus(limits::NODE_TASK_MS));
        let retry = |lease: &Lease| lease.retry().filter(|at| self.node.is_up() && *at > self.now);
        tasks.chain(self.leases.iter().filter_map(retry))
    }

    /// Ends a lease: everything that was done for it is undone.
    pub(crate) fn end(&mut self, id: LeaseId, reason: Option<EvictReason>, out: &mut Vec<Action>) {
        let now = self.now;
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs()) else { return };
        lease.end(now, reason);
        let ended = Err(Refusal::EndedBefore.to_wire());
        let calls = lease.take_calls();
        self.counters.admits_failed(AdmitFailure::Ended, calls.len());
        answer(calls, &ended, out);
        answer(lease.take_dial_calls(), &ended, out);
    }

    /// Removes an ended lease for which nothing was done at the node. Returns whether it was one.
    pub(crate) fn forget_unbegun(&mut self, id: LeaseId, out: &mut Vec<Action>) -> bool {
        let unbegun = |lease: &Lease| !lease.runs() && !lease.is_journaled() && lease.task().is_none();
        let unbegun = self.leases.get(id).is_some_and(unbegun);
        if unbegun {
            self.undone(id, out);
        }
        unbegun
    }

    /// Removes a lease of which nothing is left at the node.
    fn undone(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(mut lease) = self.leases.remove(id) else { return };
        let (side, peer) = (lease.side(), lease.peer_id());
        if id.is_direct() {
            self.direct.look_again();
        } else {
            self.ended.add(side, lease.presence().seen_ms(self.now), lease.terms().price);
        }
        if let Some(kind) = lease.journaled() {
            out.push(Action::Journal(JournalEntry::Undone { lease: id, kind }));
            if side == Side::Host {
                self.former_clients.add(peer);
            }
        }
        let Some(undoing) = lease.undoing_mut() else { return };
        answer(undoing.take_calls(), &Ok(()), out);
        if let (Side::Host, Some(reason)) = (side, undoing.reason()) {
            self.counters.evicted(reason);
            out.push(Action::Notice(Notice::ClientEvicted { lease: id, client: peer, reason }));
        }
    }
}

/// Answers calls of the pool.
fn answer(calls: Vec<RequestTag>, reply: &Result<(), WireError>, out: &mut Vec<Action>) {
    out.extend(calls.into_iter().map(|tag| Action::Answer { tag, reply: reply.clone() }));
}
