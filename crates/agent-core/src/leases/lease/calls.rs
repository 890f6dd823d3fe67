use super::{Lease, Life, Undoing};
use crate::RequestTag;

/// Calls of the pool that wait for the node.
impl Lease {
    /// The call is answered once the client is let in.
    pub(crate) fn wait(&mut self, call: RequestTag) {
        self.calls.push(call);
    }

    /// The calls that wait for the client to be let in, once.
    pub(crate) fn take_calls(&mut self) -> Vec<RequestTag> {
        std::mem::take(&mut self.calls)
    }

    /// The calls that wait for the host's dial, once.
    pub(crate) fn take_dial_calls(&mut self) -> Vec<RequestTag> {
        self.dial.as_mut().map(|dial| std::mem::take(&mut dial.calls)).unwrap_or_default()
    }

    /// The calls that wait for all to be undone, once.
    pub(crate) fn take_undo_calls(&mut self) -> Vec<RequestTag> {
        self.undoing_mut().map(Undoing::take_calls).unwrap_or_default()
    }

    /// Their socket is gone: none is answered.
    pub(crate) fn forget_calls(&mut self) {
        let _forgotten = (self.take_calls(), self.take_dial_calls(), self.take_undo_calls());
    }

    /// How many calls wait.
    pub(crate) fn pending(&self) -> usize {
        let dial = self.dial.as_ref().map_or(0, |dial| dial.calls.len());
        let undo = if let Life::Undoing(undoing) = &self.life { undoing.calls.len() } else { 0 };
        self.calls.len().saturating_add(dial).saturating_add(undo)
    }
}
