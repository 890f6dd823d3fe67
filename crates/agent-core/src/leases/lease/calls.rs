use super::{Lease, LeaseState, Undoing};
use crate::RequestTag;

/// Calls of the pool that wait for the node.
impl Lease {
    /// Adds a call that is answered once the client is admitted.
    pub(crate) fn wait(&mut self, call: RequestTag) {
        self.calls.push(call);
    }

    /// Takes the calls that wait until the client is admitted.
    pub(crate) fn take_calls(&mut self) -> Vec<RequestTag> {
        std::mem::take(&mut self.calls)
    }

    /// Takes the calls that wait for the host's dial.
    pub(crate) fn take_dial_calls(&mut self) -> Vec<RequestTag> {
        self.dial.as_mut().map(|dial| std::mem::take(&mut dial.calls)).unwrap_or_default()
    }

    /// Takes the calls that wait until everything is undone.
    pub(crate) fn take_undo_calls(&mut self) -> Vec<RequestTag> {
        self.undoing_mut().map(Undoing::take_calls).unwrap_or_default()
    }

    /// Drops all calls, because their socket is closed.
    pub(crate) fn forget_calls(&mut self) {
        let _forgotten = (self.take_calls(), self.take_dial_calls(), self.take_undo_calls());
    }

    /// Returns how many calls wait.
    pub(crate) fn pending(&self) -> usize {
        let dial = self.dial.as_ref().map_or(0, |dial| dial.calls.len());
        let undo = if let LeaseState::Undoing(undoing) = &self.state { undoing.pending() } else { 0 };
        self.calls.len().saturating_add(dial).saturating_add(undo)
    }
}
