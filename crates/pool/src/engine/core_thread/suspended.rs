use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use vipnode_pool_core::{Command, Effect, WhileSuspended};
use vipnode_store::StoreError;

use crate::{
    call_refusal::CallRefusal,
    engine::{
        core_thread::CoreThread, health_error::HealthError, inbox::CoreMessage, operator_query::OperatorQuery,
        replies::RefusedAs,
    },
};

// The time in which nothing can be stored.

impl CoreThread {
    /// Serves what needs nothing stored, until it is time to try the store again. Returns false if the thread has to stop.
    pub(super) fn suspend(&mut self, why: &StoreError) -> bool {
        tracing::error!(error = %why, "the store does not work; trying again");
        self.replies.forget_closed();
        self.later.forget_closed();
        let until = Instant::now().checked_add(self.store_retry);
        loop {
            let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            match self.reader.next(left) {
                Some(CoreMessage::Stop) => return false,
                Some(message) => self.take_suspended(message, why),
                None => return true,
            }
            if left.is_zero() {
                return true;
            }
        }
    }

    fn take_suspended(&mut self, message: CoreMessage, why: &StoreError) {
        match message {
            CoreMessage::Request { command, request, reply_to, permit } => {
                if let Some(refusal) = self.banned(&command) {
                    self.metrics.count_error(&refusal);
                    return reply_to.send(Err(refusal));
                }
                self.replies.expect(request, reply_to, RefusedAs::of(&command));
                match self.handle_suspended(command) {
                    WhileSuspended::Handled => {}
                    WhileSuspended::Busy => {
                        self.replies.refuse(request, CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into());
                    }
                    // It keeps its permit: so many wait at most, and no address block has all of them.
                    WhileSuspended::Later(command) => {
                        if let Some(reply_to) = self.replies.withdraw(request) {
                            self.put_off(CoreMessage::Request { command, request, reply_to, permit });
                        }
                    }
                }
            }
            CoreMessage::OneWay(command) => {
                if let Command::Disconnected { connection } = &command {
                    self.later.forget_connect(*connection);
                }
                if let WhileSuspended::Later(command) = self.handle_suspended(command) {
                    self.put_off(CoreMessage::OneWay(command));
                }
            }
            // Nothing is posted that cannot be stored.
            CoreMessage::Operator(OperatorQuery::Ledger { reply_to, .. } | OperatorQuery::Price { reply_to, .. }) => {
                reply_to.send(Err(CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into()));
            }
            CoreMessage::Operator(query) => {
                let _only_the_ledger_can_fail = self.answer_operator(query);
            }
            CoreMessage::Barrier { done, .. } => {
                let _nobody_waits = done.send(());
            }
            CoreMessage::Reload { limits, done } => self.reload(*limits, done),
            CoreMessage::Probe(answer) => {
                let _gone = answer.send(Err(HealthError::Store { source: why.clone() }));
            }
            // The store does nothing else while it cannot write: who waits for it gets no answer. The others are of the core before,
            // or the end, which the caller handles.
            CoreMessage::Work(_)
            | CoreMessage::CallDone { .. }
            | CoreMessage::Committed(_)
            | CoreMessage::CommitFailed { .. }
            | CoreMessage::Stop => {}
        }
    }

    /// Keeps a message until the store works. Of two connects of a node, one is refused.
    fn put_off(&mut self, message: CoreMessage) {
        if let Some(CoreMessage::Request { command, request, reply_to, .. }) = self.later.push(message) {
            self.replies.expect(request, reply_to, RefusedAs::of(&command));
            self.replies.refuse(request, CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into());
        }
    }

    /// Hands a command to the core, and carries out its effects. The core may be the one that failed, until the store can be
    /// read.
    fn handle_suspended(&mut self, command: Command) -> WhileSuspended {
        let (core, now) = (&mut self.core, self.clock.now());
        let mut effects = Vec::new();
        let work = AssertUnwindSafe(|| core.handle_suspended(now, command, &mut effects));
        let handled = catch_unwind(work).unwrap_or(WhileSuspended::Busy);
        for effect in effects {
            if let Effect::Reply { connection, request, reply, .. } = effect {
                self.replies.answer(connection, self.core.node_at(connection), request, reply);
            }
        }
        handled
    }
}
