//! Commands to the node, one at a time for each peer. Before each command, the agent reads the node's peer list and
//! writes the journal.

use vipnode_types::{Failure, LeaseId, Ms, PeerCommand, wire::Side};

use crate::{
    Action, AgentCore, JournalEntry, TaskError,
    leases::{Lease, Task, TaskKind},
    limits,
    node::plan::{Plan, plan},
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
    fn list_for(&mut self, now: Ms, unlisted: &[(LeaseId, TaskKind)], out: &mut Vec<Action>) {
        if unlisted.is_empty() {
            return;
        }
        let id = self.new_task();
        for (lease, what) in unlisted {
            if let Some(lease) = self.leases.get_mut(*lease) {
                lease.begin(Task { id, kind: *what, since: now, lists: true, cuts: false });
            }
        }
        out.push(Action::List { task: id });
    }

    fn send_to_node(&mut self, now: Ms, id: LeaseId, what: TaskKind, call: PeerCommand, out: &mut Vec<Action>) {
        let task = self.new_task();
        let Some(lease) = self.leases.get_mut(id) else { return };
        let (peer, is_client) = (lease.peer_id(), lease.side() == Side::Client);
        let cuts = matches!(call, PeerCommand::Drop(_) | PeerCommand::Evict(_));
        lease.begin(Task { id: task, kind: what, since: now, lists: false, cuts });
        if matches!(call, PeerCommand::Dial(_)) {
            // The list, which is current, does not have the peer.
            lease.dialed();
        }
        if matches!(what, TaskKind::Apply | TaskKind::HostDial)
            && let Some(change) = lease.journal()
        {
            out.push(Action::Journal(JournalEntry::Done(change)));
        }
        self.leases.forget_lists(peer);
        out.push(Action::Node { task, call });
        if what == TaskKind::HostDial || (what == TaskKind::Apply && is_client) {
            out.push(Action::Watch { for_ms: limits::CONNECT_MS });
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
        let retry = |lease: &Lease| lease.retry_at().filter(|at| self.node.is_up() && *at > self.now);
        tasks.chain(self.leases.iter().filter_map(retry))
    }
}
