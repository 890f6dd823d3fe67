//! What the node is told: one thing at a time for each peer, the journal first.

use vipnode_types::{
    LeaseId, Ms, NodeId,
    wire::{ErrorCode, EvictReason, LeaveReason, Side, WireError},
};

use crate::{
    Action, AdmitFailure, AgentCore, JournalEntry, NodeCall, NodeTask, Notice,
    leases::lease::{DialState, Lease, Task, Work},
    limits,
};

/// What is next for a lease.
enum Plan {
    /// Nothing, or not now.
    Nothing,
    /// The node is told.
    Tell(Work, NodeCall),
    /// It is over and the node has nothing to undo: another lease needs all that stands.
    Covered,
    /// It is over, and nothing was ever done.
    Remove,
}

impl AgentCore {
    /// Has the node do whatever leases need and lack: first what is over, then admits, then dials.
    pub(crate) fn work(&mut self, now: Ms, out: &mut Vec<Action>) {
        // A round without an end of anything is the last: each other one tells something for a lease that
        // waited, or removes one.
        while self.work_round(now, out) {}
    }

    fn work_round(&mut self, now: Ms, out: &mut Vec<Action>) -> bool {
        let mut ids = self.leases.ids(|lease| lease.task.is_none() && has_work(lease, now));
        if ids.is_empty() {
            return false;
        }
        ids.sort_by_key(|id| self.leases.get(*id).map(|lease| (lease.runs(), lease.side == Side::Client, lease.id)));
        let mut busy = self.leases.busy_peers();
        busy.extend(self.strict.dropped_peers());
        let mut changed = false;
        let mut unlisted = Vec::new();
        for id in ids {
            let Some(lease) = self.leases.get(id) else { continue };
            let peer = lease.peer.id;
            match self.plan(lease) {
                Plan::Nothing => {}
                Plan::Tell(what, call) if self.node.up && !busy.contains(&peer) => {
                    busy.insert(peer);
                    if !lease.listed {
                        unlisted.push((id, what));
                        continue;
                    }
                    changed = true;
                    self.tell_node(now, id, what, call, out);
                }
                Plan::Tell(..) => {}
                Plan::Covered => {
                    self.hand_over(id);
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

    /// Has the node's list read once for all whose turn has come.
    fn list_for(&mut self, now: Ms, unlisted: &[(LeaseId, Work)], out: &mut Vec<Action>) {
        if unlisted.is_empty() {
            return;
        }
        let id = self.new_task();
        for (lease, what) in unlisted {
            if let Some(lease) = self.leases.get_mut(*lease) {
                lease.task = Some(Task { id, what: *what, since: now, lists: true, cuts: false });
            }
        }
        out.push(Action::List { task: id });
    }

    /// What the list, read a moment ago, says of the peer before the node is told anything for the lease.
    pub(crate) fn learn_link(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(id) else { return };
        let (peer, side, first) = (lease.peer.id, lease.side, lease.runs() && !lease.is_journaled());
        let (kept, own) = (self.config.keep.contains(&peer), self.is_nodes_own_link(peer));
        let linked = self.node.peers.get(&peer).copied();
        let Some(lease) = self.leases.get_mut(id) else { return };
        lease.task = None;
        lease.listed = true;
        if first && !lease.nodes_own {
            lease.linked_before = own;
            // What its settings keep, or what it found by itself: nothing is to be done, and nothing to be undone.
            lease.nodes_own = kept || (own && (side == Side::Client || linked.is_some_and(|peer| peer.trusted)));
            if lease.nodes_own && !lease.waiting.is_empty() {
                self.counters.admitted();
                out.push(Action::Notice(Notice::ClientAdmitted { lease: id, client: peer }));
                answer_all(&mut lease.waiting, &Ok(()), out);
            }
        }
        // Who is connected is not dialled: that would make a static peer of one that the node found by itself.
        let due = lease.dial.as_ref().is_some_and(|dial| dial.state == DialState::Due);
        if (linked.is_some() || lease.nodes_own)
            && let Some(mut dial) = lease.dial.take_if(|_| due)
        {
            answer_all(&mut dial.waiting, &Ok(()), out);
        }
    }

    /// Whether the node is connected to that peer without any doing of the agent.
    fn is_nodes_own_link(&self, peer: NodeId) -> bool {
        let ours = |lease: &Lease| lease.peer.id == peer && lease.is_journaled() && !lease.linked_before;
        self.node.peers.contains_key(&peer) && !self.strict.is_dropping(peer) && !self.leases.iter().any(ours)
    }

    /// The node dials and keeps a peer that the agent never had it dial.
    fn is_kept_static(&self, lease: &Lease) -> bool {
        !lease.dialled && self.node.peers.get(&lease.peer.id).is_some_and(|peer| peer.is_static)
    }

    fn plan(&self, lease: &Lease) -> Plan {
        if !lease.runs() {
            return if lease.is_journaled() { self.plan_undo(lease) } else { Plan::Remove };
        }
        if !lease.applied {
            let call = match lease.side {
                Side::Host => NodeCall::Admit(lease.peer.clone()),
                Side::Client => NodeCall::Dial(lease.peer.clone()),
            };
            return Plan::Tell(Work::Apply, call);
        }
        match &lease.dial {
            Some(dial) if dial.state == DialState::Due => Plan::Tell(Work::HostDial, NodeCall::Dial(dial.peer.clone())),
            _ => Plan::Nothing,
        }
    }

    /// Takes back no more than no other lease with the same node needs.
    fn plan_undo(&self, lease: &Lease) -> Plan {
        let runs = |fits: fn(&Lease) -> bool| self.leases.siblings(lease).any(|other| other.runs() && fits(other));
        let as_host = runs(|other| other.side == Side::Host && !other.nodes_own);
        let as_client = runs(|other| other.side == Side::Client && !other.nodes_own);
        let nodes_own = runs(|other| other.nodes_own);
        if runs(|other| !other.nodes_own && !other.is_journaled()) {
            // Only what the journal has may take over what is to be undone one day.
            return Plan::Nothing;
        }
        let peer = lease.peer.clone();
        match lease.side {
            // To stop dialling would cut a connection that is the node's own: that waits for the other lease's
            // end. Trust must not outlive its own lease.
            Side::Host if nodes_own && lease.dial.is_some() && lease.untrusted => Plan::Nothing,
            Side::Host if nodes_own && lease.dial.is_some() => Plan::Tell(Work::Untrust, NodeCall::Untrust(peer)),
            Side::Host if as_host => Plan::Covered,
            Side::Host if as_client || nodes_own || lease.linked_before || self.is_kept_static(lease) => {
                Plan::Tell(Work::Undo, NodeCall::Untrust(peer))
            }
            Side::Host => Plan::Tell(Work::Undo, NodeCall::Evict(peer)),
            Side::Client if nodes_own => Plan::Nothing,
            // Evicting will drop it too.
            Side::Client if as_client || as_host => Plan::Covered,
            Side::Client => Plan::Tell(Work::Undo, NodeCall::Drop(peer)),
        }
    }

    /// What was done for this lease is now undone with its sibling, all of it.
    fn hand_over(&mut self, id: LeaseId) {
        let Some(lease) = self.leases.get(id) else { return };
        let (peer, dial) = (lease.peer.id, lease.side == Side::Client || lease.dial.is_some());
        if dial {
            for other in self.leases.iter_mut().filter(|other| other.peer.id == peer) {
                other.linked_before = false;
                other.dialled = true;
            }
        }
    }

    fn tell_node(&mut self, now: Ms, id: LeaseId, what: Work, call: NodeCall, out: &mut Vec<Action>) {
        let task = self.new_task();
        let Some(lease) = self.leases.get_mut(id) else { return };
        let (peer, is_client) = (lease.peer.id, lease.side == Side::Client);
        let cuts = matches!(call, NodeCall::Drop(_) | NodeCall::Evict(_));
        lease.task = Some(Task { id: task, what, since: now, lists: false, cuts });
        if matches!(call, NodeCall::Dial(_)) {
            // The list, read a moment ago, does not have the peer: the connection that comes is the agent's doing.
            lease.linked_before = false;
            lease.dialled = true;
        }
        if matches!(what, Work::Apply | Work::HostDial) {
            write_grant(lease, out);
        }
        for lease in self.leases.iter_mut().filter(|lease| lease.peer.id == peer) {
            lease.listed = false;
        }
        out.push(Action::Node { task, call });
        if what == Work::HostDial || (what == Work::Apply && is_client) {
            out.push(Action::Watch { for_ms: limits::CONNECT_MS });
        }
    }

    pub(crate) fn node_done(&mut self, now: Ms, task: NodeTask, result: Result<(), String>, out: &mut Vec<Action>) {
        if self.stranger_done(task, &result, out) {
            return;
        }
        // An end that comes after the task was given up is nobody's.
        let of_task = |lease: &Lease| lease.task.is_some_and(|running| running.id == task);
        let Some(lease) = self.leases.iter_mut().find(|lease| of_task(lease)) else { return };
        let Some(task) = lease.task.take() else { return };
        let id = lease.id;
        match (task.what, result) {
            // Without a list it is undone all the same, for what the first one said.
            (Work::Undo | Work::Untrust, Err(_)) if task.lists => lease.listed = true,
            (Work::Apply, Ok(())) => self.applied(id, out),
            (Work::Apply, Err(why)) => self.not_applied(now, id, &why, out),
            (Work::HostDial, Ok(())) => {
                if let Some(dial) = &mut lease.dial {
                    dial.state = DialState::Done;
                    answer_all(&mut dial.waiting, &Ok(()), out);
                }
            }
            (Work::HostDial, Err(why)) => {
                if let Some(dial) = &mut lease.dial {
                    dial.state = DialState::Failed;
                    answer_all(&mut dial.waiting, &Err(refused(format!("the node does not dial: {why}"))), out);
                }
            }
            (Work::Undo, Ok(())) => {
                if task.cuts {
                    // The list of peers is from before: a new lease with this node must not take the
                    // connection that was just cut for one of the node's own.
                    self.node.peers.remove(&lease.peer.id);
                }
                self.undone(id, out);
            }
            (Work::Untrust, Ok(())) => {
                lease.untrusted = true;
                if let Some(over) = &mut lease.over {
                    answer_all(&mut over.waiting, &Ok(()), out);
                }
            }
            (Work::Undo | Work::Untrust, Err(why)) => {
                let stopping = self.stopping.is_some();
                let wait_ms = if stopping { limits::UNDO_AGAIN_STOPPING_MS } else { limits::UNDO_AGAIN_MS };
                lease.again = Some(now.plus(wait_ms));
                if let Some(over) = &mut lease.over {
                    answer_all(&mut over.waiting, &Err(refused(format!("the node did not undo it yet: {why}"))), out);
                }
            }
        }
    }

    fn applied(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        lease.applied = true;
        lease.again = None;
        if lease.side == Side::Host && lease.runs() {
            if !lease.waiting.is_empty() {
                self.counters.admitted();
                out.push(Action::Notice(Notice::ClientAdmitted { lease: id, client: lease.peer.id }));
            }
            answer_all(&mut lease.waiting, &Ok(()), out);
            out.push(Action::Watch { for_ms: limits::WATCH_MS });
        }
    }

    /// Whether the node did half of it is not known: it is undone, and the journal says so after.
    fn not_applied(&mut self, now: Ms, id: LeaseId, why: &str, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs()) else { return };
        if id.is_direct() {
            self.direct_not_applied(now, id, why, out);
            return;
        }
        if lease.side == Side::Client {
            self.host_failed(now, id, LeaveReason::NotConnected, true, out);
            return;
        }
        let asked = !lease.waiting.is_empty();
        self.counters.admits_failed(AdmitFailure::NodeRefused, lease.waiting.len());
        answer_all(&mut lease.waiting, &Err(refused(format!("the node does not let the client in: {why}"))), out);
        let reason = (!asked).then_some(EvictReason::Drained);
        self.end(id, reason, out);
        if !asked {
            self.leave(id, LeaveReason::Lost);
        }
    }

    /// The node is away: calls that wait for it are answered, and all else is told anew when it is back.
    pub(crate) fn fail_all_tasks(&mut self, out: &mut Vec<Action>) {
        let mut failed = Vec::new();
        for lease in self.leases.iter_mut() {
            if lease.task.take().is_some_and(|task| task.what == Work::Apply) {
                lease.applied = false;
            }
            lease.suspect = None;
            lease.listed = false;
            let away = || Err(refused("the host's node is away"));
            if !lease.waiting.is_empty() {
                self.counters.admits_failed(AdmitFailure::NodeAway, lease.waiting.len());
                answer_all(&mut lease.waiting, &away(), out);
                failed.push(lease.id);
            }
            if let Some(dial) = &mut lease.dial {
                answer_all(&mut dial.waiting, &away(), out);
            }
            if let Some(over) = &mut lease.over {
                answer_all(&mut over.waiting, &away(), out);
            }
        }
        for lease in failed {
            self.end(lease, None, out);
        }
    }

    pub(crate) fn tasks_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        let tasks = self.leases.iter().filter_map(|lease| lease.task);
        let late: Vec<_> = tasks.filter(|task| task.since.plus(limits::NODE_TASK_MS) <= now).collect();
        for task in late {
            let why = format!("no answer within {} s", limits::NODE_TASK_MS / 1_000);
            self.node_done(now, task.id, Err(why), out);
        }
    }

    /// When something at the node is due.
    pub(crate) fn node_due(&self) -> impl Iterator<Item = Ms> {
        let tasks = self.leases.iter().filter_map(|lease| lease.task).map(|task| task.since.plus(limits::NODE_TASK_MS));
        let again = |lease: &Lease| lease.again.filter(|at| self.node.up && *at > self.now);
        tasks.chain(self.leases.iter().filter_map(again))
    }

    /// The lease is over: everything done for it is undone.
    pub(crate) fn end(&mut self, id: LeaseId, reason: Option<EvictReason>, out: &mut Vec<Action>) {
        let now = self.now;
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs()) else { return };
        lease.mark_down(now);
        lease.again = None;
        // A list that is being read for it came too late.
        lease.task.take_if(|task| task.lists);
        lease.over = Some(crate::leases::lease::Over { reason, waiting: Vec::new() });
        let ended = Err(refused("the lease ended before the node had done it"));
        self.counters.admits_failed(AdmitFailure::Ended, lease.waiting.len());
        answer_all(&mut lease.waiting, &ended, out);
        if let Some(dial) = &mut lease.dial {
            answer_all(&mut dial.waiting, &ended, out);
        }
    }

    /// Forgets a lease that is over and was never begun at the node; whether it was one.
    pub(crate) fn forget_unbegun(&mut self, id: LeaseId, out: &mut Vec<Action>) -> bool {
        let unbegun = |lease: &Lease| !lease.runs() && !lease.is_journaled() && lease.task.is_none();
        let unbegun = self.leases.get(id).is_some_and(unbegun);
        if unbegun {
            self.undone(id, out);
        }
        unbegun
    }

    /// Nothing of the lease is left at the node.
    fn undone(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.remove(id) else { return };
        if id.is_direct() {
            self.direct.look_again();
        } else {
            self.ended.add(lease.side, lease.seen_ms(self.now), lease.price);
        }
        if let Some(kind) = lease.journaled {
            out.push(Action::Journal(JournalEntry::Undone { lease: id, kind }));
            if lease.side == Side::Host {
                self.former_clients.add(lease.peer.id);
            }
        }
        let Some(mut over) = lease.over else { return };
        answer_all(&mut over.waiting, &Ok(()), out);
        if let (Side::Host, Some(reason)) = (lease.side, over.reason) {
            self.counters.evicted(reason);
            out.push(Action::Notice(Notice::ClientEvicted { lease: id, client: lease.peer.id, reason }));
        }
    }
}

fn has_work(lease: &Lease, now: Ms) -> bool {
    let due = lease.again.is_none_or(|at| at <= now);
    if !lease.runs() {
        return due;
    }
    !lease.nodes_own
        && ((!lease.applied && due) || lease.dial.as_ref().is_some_and(|dial| dial.state == DialState::Due))
}

/// The journal says what is about to be done: that a client is dialled takes the place of that it is trusted.
fn write_grant(lease: &mut Lease, out: &mut Vec<Action>) {
    let kind = lease.kind();
    if lease.journaled.replace(kind) != Some(kind) {
        out.push(Action::Journal(JournalEntry::Done(lease.grant())));
    }
}

/// Answers every call that waits, and none of them again.
pub(crate) fn answer_all(waiting: &mut Vec<u64>, reply: &Result<(), WireError>, out: &mut Vec<Action>) {
    out.extend(waiting.drain(..).map(|tag| Action::Answer { tag, reply: reply.clone() }));
}

pub(crate) fn refused(why: impl Into<String>) -> WireError {
    WireError::new(ErrorCode::Refused, why, "")
}
