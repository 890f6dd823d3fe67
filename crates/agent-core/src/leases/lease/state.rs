use vipnode_types::{Ms, wire::Side};

use super::{Lease, Retry};
use crate::{EvictionCause, RequestTag, leases::task::DialState};

/// How far a lease is, from its assignment until its changes at the node are undone.
#[derive(Debug, Clone)]
pub(crate) enum LeaseState {
    /// Left by an earlier run, or unknown to a pool that lost its data. It is not confirmed yet.
    Unreleased {
        /// The node carried out its command.
        applied: bool,
    },
    /// The command is due or in progress.
    Applying,
    /// The node carried out the command.
    Applied,
    /// It ended, and everything is being undone.
    Undoing(Undoing),
}

/// An ended lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct Undoing {
    /// The cause for the user; none if the user was already notified.
    cause: Option<EvictionCause>,
    /// Calls of the pool that are answered once everything is undone.
    calls: Vec<RequestTag>,
    /// The trust is already removed.
    untrusted: bool,
    /// It was never confirmed.
    unreleased: bool,
}

/// The state, read by the flows of the core.
impl Lease {
    /// Whether it has not ended.
    pub(crate) const fn runs(&self) -> bool {
        !matches!(self.state, LeaseState::Undoing(_))
    }

    /// Whether it is unconfirmed, or was until it ended.
    pub(crate) const fn is_unreleased(&self) -> bool {
        matches!(self.state, LeaseState::Unreleased { .. } | LeaseState::Undoing(Undoing { unreleased: true, .. }))
    }

    /// Whether the node carried out the command of an active lease.
    pub(crate) const fn is_applied(&self) -> bool {
        matches!(self.state, LeaseState::Applied | LeaseState::Unreleased { applied: true })
    }

    /// Whether the node carried out the command, or keeps the peer by its own settings.
    pub(crate) const fn is_in_effect(&self) -> bool {
        self.is_applied() || self.at_node.own
    }

    pub(super) fn set_applied(&mut self, to: bool) {
        match &mut self.state {
            LeaseState::Unreleased { applied } => *applied = to,
            LeaseState::Applying | LeaseState::Applied => {
                self.state = if to { LeaseState::Applied } else { LeaseState::Applying }
            }
            LeaseState::Undoing(_) => {}
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
        let unreleased = matches!(self.state, LeaseState::Unreleased { .. });
        if unreleased {
            self.state = LeaseState::Applying;
        }
        unreleased
    }

    /// Records that the pool no longer knows it: it stays, and is not reported.
    pub(crate) fn forgotten_by_pool(&mut self) {
        if self.runs() {
            self.state = LeaseState::Unreleased { applied: self.is_applied() };
        }
        self.socket = 0;
    }

    pub(crate) const fn is_unconfirmed(&self) -> bool {
        self.unconfirmed
    }

    pub(crate) const fn set_unconfirmed(&mut self, unconfirmed: bool) {
        self.unconfirmed = unconfirmed;
    }

    /// Has the changes at the node undone next, whatever was in progress.
    pub(crate) fn end(&mut self, now: Ms, cause: Option<EvictionCause>) {
        self.connection.mark_down(now);
        self.retry = Retry::default();
        // A list that is being read for it came too late.
        self.task.take_if(|task| task.lists);
        let unreleased = self.is_unreleased();
        self.state = LeaseState::Undoing(Undoing { cause, unreleased, ..Undoing::default() });
    }

    /// Returns its end, once it has ended.
    pub(crate) const fn undoing_mut(&mut self) -> Option<&mut Undoing> {
        match &mut self.state {
            LeaseState::Undoing(undoing) => Some(undoing),
            _ => None,
        }
    }

    /// Whether it has ended and its trust is already removed.
    pub(crate) const fn is_untrusted(&self) -> bool {
        matches!(&self.state, LeaseState::Undoing(Undoing { untrusted: true, .. }))
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
            self.connection.node_restarted();
        } else if self.is_direct() {
            // The node reports its own trusted peers only while they are connected, and none is: serving a client that
            // the user named has priority.
            self.at_node.own = false;
        }
    }

    /// Whether it is reported to the pool as connected.
    pub(crate) const fn is_reported(&self) -> bool {
        self.connection.is_up() && self.runs() && !self.is_unreleased() && !self.is_direct()
    }
}

impl Undoing {
    pub(crate) const fn cause(&self) -> Option<EvictionCause> {
        self.cause
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
