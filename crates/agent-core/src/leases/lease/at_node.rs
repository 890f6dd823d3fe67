use vipnode_types::{Enode, Ms, wire::Side};

use super::Lease;
use crate::{
    NodeTask, RequestTag,
    leases::{
        node_change::{ChangeKind, NodeChange},
        task::{DialState, HostDial, Task, TaskKind},
    },
};

/// What was found and done at the node.
#[derive(Debug, Clone, Default)]
pub(super) struct AtNode {
    /// The node keeps this peer by its own settings, so nothing was done and nothing is undone.
    pub(super) own: bool,
    /// The two nodes were connected before the lease, so the agent must not cut that connection.
    pub(super) connected_before: bool,
    /// Its kind in the journal.
    pub(super) journaled: Option<ChangeKind>,
    /// The node's list was read for the next command, and no command was sent since.
    pub(super) listed: bool,
    /// The agent may have had the node dial the peer, which makes it a static peer there.
    pub(super) dialed: bool,
}

/// What was found and done at the node.
impl Lease {
    pub(crate) const fn is_kept_by_node(&self) -> bool {
        self.at_node.own
    }

    /// Records that the agent now maintains the peer, which the node had kept itself.
    pub(crate) const fn take_over_from_node(&mut self) {
        self.at_node.own = false;
    }

    pub(crate) const fn was_connected_before(&self) -> bool {
        self.at_node.connected_before
    }

    /// Records that the earlier connection ended: the agent brings the next one.
    pub(crate) const fn first_connection_ended(&mut self) {
        self.at_node.connected_before = false;
    }

    /// Records that the node's list was read. Returns whether it is the first one for this lease.
    pub(crate) fn listed(&mut self) -> bool {
        self.task = None;
        self.at_node.listed = true;
        self.runs() && !self.is_journaled() && !self.at_node.own
    }

    /// Records what the first list showed of the peer.
    pub(crate) const fn found_at_node(&mut self, linked: bool, own: bool) {
        self.at_node.connected_before = linked;
        self.at_node.own = own;
    }

    /// Records that a command about this peer was sent: an earlier list is out of date.
    pub(crate) const fn forget_list(&mut self) {
        self.at_node.listed = false;
    }

    pub(crate) const fn is_listed(&self) -> bool {
        self.at_node.listed
    }

    pub(crate) const fn was_dialed(&self) -> bool {
        self.at_node.dialed
    }

    /// Records that the agent has the node dial the peer, or takes over from a lease that did: the connection that
    /// comes is the agent's.
    pub(crate) const fn dialed(&mut self) {
        self.at_node.connected_before = false;
        self.at_node.dialed = true;
    }

    pub(crate) const fn is_journaled(&self) -> bool {
        self.at_node.journaled.is_some()
    }

    pub(crate) const fn journaled(&self) -> Option<ChangeKind> {
        self.at_node.journaled
    }

    /// Returns the journal entry that has to precede the command; `None` if the journal has it already. An entry that a
    /// client is dialed replaces the one that it is trusted.
    pub(crate) fn journal(&mut self) -> Option<NodeChange> {
        let kind = match self.side {
            Side::Host if self.at_node.connected_before => ChangeKind::Trusted,
            Side::Host => ChangeKind::Admitted,
            Side::Client => ChangeKind::Dialed,
        };
        let change = || NodeChange { lease: self.id, peer: self.peer.clone(), kind };
        (self.at_node.journaled.replace(kind) != Some(kind)).then(change)
    }

    pub(crate) const fn task(&self) -> Option<Task> {
        self.task
    }

    pub(crate) fn begin(&mut self, task: Task) {
        self.task = Some(task);
    }

    /// Ends the task, if it is the one in progress.
    pub(crate) fn end_task(&mut self, id: NodeTask) -> Option<Task> {
        self.task.take_if(|running| running.id == id)
    }

    /// Drops the task, because the node went down.
    pub(crate) fn node_lost(&mut self) {
        if self.task.take().is_some_and(|task| task.kind == TaskKind::Apply) {
            self.set_applied(false);
        }
        self.connection.forget_doubt();
        self.forget_list();
    }

    /// Whether a command is due.
    pub(crate) fn has_work(&self, now: Ms) -> bool {
        let due = self.retry.is_due(now);
        if !self.runs() {
            return due;
        }
        !self.at_node.own
            && ((!self.is_applied() && due) || self.dial.as_ref().is_some_and(|dial| dial.state == DialState::Due))
    }

    pub(crate) const fn dial(&self) -> Option<&HostDial> {
        self.dial.as_ref()
    }

    /// Records whether the node dialed the client.
    pub(crate) const fn dial_ended(&mut self, done: bool) {
        if let Some(dial) = &mut self.dial {
            dial.state = if done { DialState::Done } else { DialState::Failed };
        }
    }

    /// Records that the pool has this host dial its client. Returns false if the node did that already.
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

    /// Has this host dial its client, because the client's node may have to wait before it dials again.
    pub(crate) fn dial_at_once(&mut self) {
        let peer = self.peer.clone();
        self.dial.get_or_insert(HostDial { peer, state: DialState::Due, calls: Vec::new() });
    }

    /// Cancels a dial that is due but not needed. Returns the calls that wait for it.
    pub(crate) fn cancel_dial(&mut self) -> Vec<RequestTag> {
        self.dial.take_if(|dial| dial.state == DialState::Due).map(|dial| dial.calls).unwrap_or_default()
    }
}
