use vipnode_types::{
    Ms,
    wire::{ErrorCode, WireError},
};

use crate::{Action, AgentCore, EvictionCause, RequestTag, leases::Lease, limits};

/// The agent is stopping.
#[derive(Debug, Clone)]
pub(crate) struct StopState {
    since: Ms,
    /// Why it cannot continue, unless the user stopped it.
    error: Option<WireError>,
    /// The bye that waits for its answer.
    bye: Option<RequestTag>,
}

impl AgentCore {
    /// Handles a stop by the user. The second one stops at once and leaves the changes in the journal.
    pub(crate) fn stop(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            self.end_now(out);
        } else {
            self.stop_because(now, None, out);
        }
    }

    /// Undoes everything, even if the pool is offline (fault D51, docs/faults.md).
    pub(crate) fn stop_because(&mut self, now: Ms, error: Option<WireError>, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            return;
        }
        let bye = self.session.is_live().then(|| self.new_tag());
        if let Some(tag) = bye {
            let request = self.dialect.bye(self.node.block().unwrap_or(0));
            out.push(Action::Pool { tag, request });
        }
        self.leaving.clear();
        self.stopping = Some(StopState { since: now, error, bye });
        self.leases.iter_mut().for_each(Lease::retry_now);
        for lease in self.leases.ids(|_| true) {
            self.end_because(lease, (!lease.is_direct()).then_some(EvictionCause::Stopping), out);
        }
    }

    pub(crate) fn bye_answered(&mut self, tag: RequestTag) {
        if let Some(stopping) = &mut self.stopping {
            stopping.bye.take_if(|bye| *bye == tag);
        }
    }

    pub(crate) fn bye_lost(&mut self) {
        if let Some(stopping) = &mut self.stopping {
            stopping.bye = None;
        }
    }

    pub(crate) fn finish_stop(&mut self, now: Ms, out: &mut Vec<Action>) {
        let Some(stopping) = &self.stopping else { return };
        let undone = self.leases.is_empty() && stopping.bye.is_none();
        if !self.stopped && (undone || now >= stopping.since.plus(limits::STOP_MS)) {
            self.end_now(out);
        }
    }

    pub(crate) fn stop_due(&self) -> Option<Ms> {
        self.stopping.as_ref().map(|stopping| stopping.since.plus(limits::STOP_MS))
    }

    fn end_now(&mut self, out: &mut Vec<Action>) {
        self.stopped = true;
        let error = self.stopping.take().and_then(|stopping| stopping.error);
        let left = self.leases.iter().filter(|lease| lease.is_journaled()).count();
        let error = error.or_else(|| {
            (left > 0).then(|| {
                let why = format!("changes not undone, because the node did not respond in time: {left}");
                WireError::new(ErrorCode::Server, why, "Run `vipnode release` once the node responds.")
            })
        });
        out.push(Action::Stopped { error });
    }
}
