use vipnode_types::{
    Ms,
    wire::{ErrorCode, EvictReason, WireError},
};

use crate::{Action, AgentCore, RequestTag, limits};

/// The agent is on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Stopping {
    since: Ms,
    /// Why it cannot go on, where the user did not ask for it.
    error: Option<WireError>,
    /// The farewell that waits for its answer.
    bye: Option<RequestTag>,
}

impl AgentCore {
    /// The user stops the agent; asked a second time it ends at once and leaves the journal.
    pub(crate) fn stop(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            self.end_now(out);
        } else {
            self.stop_because(now, None, out);
        }
    }

    /// Undoes everything, whether or not the pool is there (D51).
    pub(crate) fn stop_because(&mut self, now: Ms, error: Option<WireError>, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            return;
        }
        let bye = self.link.is_live().then(|| self.new_tag());
        if let Some(tag) = bye {
            let request = self.dialect.bye(self.node.block().unwrap_or(0));
            out.push(Action::Pool { tag, request });
        }
        self.leaving.clear();
        self.stopping = Some(Stopping { since: now, error, bye });
        for lease in self.leases.ids(|_| true) {
            self.end(lease, (!lease.is_direct()).then_some(EvictReason::Left), out);
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
                let why = format!("{left} grants are not undone: the node did not answer in time");
                WireError::new(ErrorCode::Server, why, "run `vipnode release` once the node is back")
            })
        });
        out.push(Action::Stopped { error });
    }
}
