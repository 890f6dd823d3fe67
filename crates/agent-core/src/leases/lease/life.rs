use vipnode_types::{
    Ms,
    wire::{EvictReason, Side},
};

use super::{Lease, Retry};
use crate::{RequestTag, leases::task::DialState};

/// The state of a lease.
#[derive(Debug, Clone)]
pub(crate) enum LeaseLife {
    /// Left by an earlier run, or unknown to a pool that lost its data. It is not confirmed yet.
    Leftover {
        /// The node carried out its command.
        applied: bool,
    },
    /// The command is due or in progress.
    Applying,
    /// The node carried out the command.
    Applied,
    /// It ended, and everything is being undone.
    UndoState(UndoState),
}

/// An ended lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct UndoState {
    /// The reason for the user; none if the user was already notified.
    reason: Option<EvictReason>,
    /// Calls of the pool that are answered once everything is undone.
    calls: Vec<RequestTag>,
    /// The trust is already removed.
    untrusted: bool,
    /// It was never confirmed.
    leftover: bool,
}

/// The state, read by the flows of the core.
impl Lease {
    /// Whether it has not ended.
    pub(crate) const fn runs(&self) -> bool {
        !matches!(self.life, LeaseLife::UndoState(_))
    }

    /// Whether it is unconfirmed, or was until it ended.
    pub(crate) const fn is_leftover(&self) -> bool {
        matches!(self.life, LeaseLife::Leftover { .. } | LeaseLife::UndoState(UndoState { leftover: true, .. }))
    }

    /// Whether the node carried out the command of an active lease.
    pub(crate) const fn is_applied(&self) -> bool {
        matches!(self.life, LeaseLife::Applied | LeaseLife::Leftover { applied: true })
    }

    /// Whether the node carried out the command, or keeps the peer by its own settings.
    pub(crate) const fn is_granted(&self) -> bool {
        self.is_applied() || self.at_node.own
    }

    pub(super) fn set_applied(&mut self, to: bool) {
        match &mut self.life {
            LeaseLife::Leftover { applied } => *applied = to,
            LeaseLife::Applying | LeaseLife::Applied => {
                self.life = if to { LeaseLife::Applied } else { LeaseLife::Applying }
            }
            LeaseLife::UndoState(_) => {}
        }
    }

    /// The node did it.
    pub(crate) fn applied(&mut self) {
        self.set_applied(true);
        self.retry = Retry::default();
    }

    /// Confirms a lease for the pool or the user. Returns whether it was unconfirmed. The node, which may have been
    /// restarted since, remembers trust only in memory, so the command is repeated.
    pub(crate) fn confirm(&mut self) -> bool {
        let leftover = matches!(self.life, LeaseLife::Leftover { .. });
        if leftover {
            self.life = LeaseLife::Applying;
        }
        leftover
    }

    /// Records that the pool no longer knows it: it stays, and is not reported.
    pub(crate) fn forgotten_by_pool(&mut self) {
        if self.runs() {
            self.life = LeaseLife::Leftover { applied: self.is_applied() };
        }
        self.socket = 0;
    }

    pub(crate) const fn is_unconfirmed(&self) -> bool {
        self.unconfirmed
    }

    pub(crate) const fn set_unconfirmed(&mut self, unconfirmed: bool) {
        self.unconfirmed = unconfirmed;
    }

    /// Ends it.
    pub(crate) fn end(&mut self, now: Ms, reason: Option<EvictReason>) {
        self.presence.mark_down(now);
        self.retry = Retry::default();
        // A list that is being read for it came too late.
        self.task.take_if(|task| task.lists);
        let leftover = self.is_leftover();
        self.life = LeaseLife::UndoState(UndoState { reason, leftover, ..UndoState::default() });
    }

    /// Returns its end, once it has ended.
    pub(crate) const fn undoing_mut(&mut self) -> Option<&mut UndoState> {
        match &mut self.life {
            LeaseLife::UndoState(undoing) => Some(undoing),
            _ => None,
        }
    }

    /// Whether it has ended and its trust is already removed.
    pub(crate) const fn is_untrusted(&self) -> bool {
        matches!(&self.life, LeaseLife::UndoState(UndoState { untrusted: true, .. }))
    }

    /// Handles a restart of the node, which has forgotten its commands.
    pub(crate) fn node_restarted(&mut self, now: Ms) {
        if self.task.is_none() {
            self.set_applied(false);
            if let Some(dial) = self.dial.as_mut().filter(|dial| dial.state == DialState::Done) {
                dial.state = DialState::Due;
            }
        }
        if self.side == Side::Client {
            self.since = now;
            self.presence.node_restarted();
        } else if self.is_direct() {
            // The node reports its own trusted peers only while they are connected, and none is: serving a client that
            // the user named has priority.
            self.at_node.own = false;
        }
    }

    /// Whether it is reported to the pool as connected.
    pub(crate) const fn is_reported(&self) -> bool {
        self.presence.is_up() && self.runs() && !self.is_leftover() && !self.is_direct()
    }
}

impl UndoState {
    pub(crate) const fn reason(&self) -> Option<EvictReason> {
        self.reason
    }

    /// Adds a call that is answered once everything is undone.
    pub(crate) fn wait(&mut self, call: RequestTag) {
        self.calls.push(call);
    }

    pub(crate) const fn set_untrusted(&mut self) {
        self.untrusted = true;
    }

    /// Returns how many calls wait.
    pub(super) const fn pending(&self) -> usize {
        self.calls.len()
    }

    /// Takes the calls that wait.
    pub(crate) fn take_calls(&mut self) -> Vec<RequestTag> {
        std::mem::take(&mut self.calls)
    }
}
