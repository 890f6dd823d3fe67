use vipnode_types::{Enode, Ms, wire::Side};

use super::Lease;
use crate::{
    NodeTask, RequestTag,
    leases::{
        journal::{ChangeKind, NodeChange},
        task::{DialState, HostDial, Task, Work},
    },
};

/// What was found and done at the node.
impl Lease {
    pub(crate) const fn is_nodes_own(&self) -> bool {
        self.at_node.own
    }

    /// What the node kept by itself is from now on kept by the agent.
    pub(crate) const fn take_over_from_node(&mut self) {
        self.at_node.own = false;
    }

    pub(crate) const fn was_linked_before(&self) -> bool {
        self.at_node.linked_before
    }

    /// The connection of before is gone: the next one is the agent's doing.
    pub(crate) const fn lose_first_link(&mut self) {
        self.at_node.linked_before = false;
    }

    /// The node's list, read a moment ago, is known; returns whether it is the first one for this lease.
    pub(crate) fn listed(&mut self) -> bool {
        self.task = None;
        self.at_node.listed = true;
        self.runs() && !self.is_journaled() && !self.at_node.own
    }

    /// What the first list said of the peer.
    pub(crate) const fn found_at_node(&mut self, linked: bool, own: bool) {
        self.at_node.linked_before = linked;
        self.at_node.own = own;
    }

    /// The node was told something about this peer: a list of before does not hold any more.
    pub(crate) const fn forget_list(&mut self) {
        self.at_node.listed = false;
    }

    pub(crate) const fn is_listed(&self) -> bool {
        self.at_node.listed
    }

    pub(crate) const fn was_dialed(&self) -> bool {
        self.at_node.dialed
    }

    /// The agent has the node dial the peer, or takes over from a lease that had: the connection that comes is the
    /// agent's doing.
    pub(crate) const fn dialed(&mut self) {
        self.at_node.linked_before = false;
        self.at_node.dialed = true;
    }

    pub(crate) const fn is_journaled(&self) -> bool {
        self.at_node.journaled.is_some()
    }

    pub(crate) const fn journaled(&self) -> Option<ChangeKind> {
        self.at_node.journaled
    }

    /// What the journal is to say before the node is told; `None` where it says that already. That a client is dialed
    /// takes the place of that it is trusted.
    pub(crate) fn journal(&mut self) -> Option<NodeChange> {
        let kind = match self.side {
            Side::Host if self.at_node.linked_before => ChangeKind::Trusted,
            Side::Host => ChangeKind::Admitted,
            Side::Client => ChangeKind::Dialed,
        };
        let grant = || NodeChange { lease: self.id, peer: self.peer.clone(), kind };
        (self.at_node.journaled.replace(kind) != Some(kind)).then(grant)
    }

    pub(crate) const fn task(&self) -> Option<Task> {
        self.task
    }

    pub(crate) fn begin(&mut self, task: Task) {
        self.task = Some(task);
    }

    /// Ends the task, if it is the one that runs.
    pub(crate) fn end_task(&mut self, id: NodeTask) -> Option<Task> {
        self.task.take_if(|running| running.id == id)
    }

    /// The node went: what it was doing is void.
    pub(crate) fn node_lost(&mut self) {
        if self.task.take().is_some_and(|task| task.what == Work::Apply) {
            self.set_applied(false);
        }
        self.presence.forget_doubt();
        self.forget_list();
    }

    pub(crate) const fn retry(&self) -> Option<Ms> {
        self.retry
    }

    pub(crate) const fn set_retry(&mut self, at: Option<Ms>) {
        self.retry = at;
    }

    /// Whether the node is to be told something.
    pub(crate) fn has_work(&self, now: Ms) -> bool {
        let due = self.retry.is_none_or(|at| at <= now);
        if !self.runs() {
            return due;
        }
        !self.at_node.own
            && ((!self.is_applied() && due) || self.dial.as_ref().is_some_and(|dial| dial.state == DialState::Due))
    }

    pub(crate) const fn dial(&self) -> Option<&HostDial> {
        self.dial.as_ref()
    }

    /// The node dialed the client, or did not.
    pub(crate) const fn dial_ended(&mut self, done: bool) {
        if let Some(dial) = &mut self.dial {
            dial.state = if done { DialState::Done } else { DialState::Failed };
        }
    }

    /// The pool has this host dial its client; false where the node did that already.
    pub(crate) fn request_dial(&mut self, peer: Enode, call: RequestTag) -> bool {
        match &mut self.dial {
            Some(dial) if dial.state == DialState::Done => return false,
            Some(dial) => {
                dial.state = DialState::Due;
                dial.calls.push(call);
            }
            None => self.dial = Some(HostDial { peer, state: DialState::Due, calls: vec![call] }),
        }
        true
    }

    /// A dial that is due is not needed; the calls that wait for it.
    pub(crate) fn cancel_dial(&mut self) -> Vec<RequestTag> {
        self.dial.take_if(|dial| dial.state == DialState::Due).map(|dial| dial.calls).unwrap_or_default()
    }
}
