use std::collections::VecDeque;

use vipnode_types::{LeaseId, Ms, NodeId, wire::AdmitCall};

use crate::RequestTag;

/// Admits that wait for a slot whose last lease is being undone; the oldest first.
///
/// A pool that just got the agent back does not know which leases the agent is undoing, and gives their slots away. The
/// node takes a moment to let a peer go: to wait for it costs the next client less than a refusal and another host.
#[derive(Debug, Clone, Default)]
pub(crate) struct WaitingAdmits(VecDeque<WaitingAdmit>);

/// An admit that waits for a slot.
#[derive(Debug, Clone)]
pub(crate) struct WaitingAdmit {
    pub(crate) tag: RequestTag,
    pub(crate) call: AdmitCall,
    /// Then it is refused.
    pub(crate) until: Ms,
}

impl WaitingAdmits {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The clients that wait.
    pub(crate) fn clients(&self) -> impl Iterator<Item = NodeId> {
        self.0.iter().map(|admit| admit.call.client)
    }

    pub(crate) fn push(&mut self, admit: WaitingAdmit) {
        self.0.push_back(admit);
    }

    /// All of them, to be tried again.
    pub(crate) fn take(&mut self) -> VecDeque<WaitingAdmit> {
        std::mem::take(&mut self.0)
    }

    /// Those of a lease that is over.
    pub(crate) fn take_of(&mut self, lease: LeaseId) -> Vec<RequestTag> {
        let of_lease = self.0.iter().filter(|admit| admit.call.lease == lease).map(|admit| admit.tag).collect();
        self.0.retain(|admit| admit.call.lease != lease);
        of_lease
    }

    /// Their socket is gone: none is answered.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// When the first is refused.
    pub(crate) fn due(&self) -> Option<Ms> {
        self.0.iter().map(|admit| admit.until).min()
    }
}
