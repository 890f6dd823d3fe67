use std::{sync::Arc, time::Duration};

use serde_json::value::to_raw_value;
use tokio::{runtime::Handle, time::Instant};
use vipnode_pool_core::{CallId, CallOutcome, ConnectionId, PoolCall};
use vipnode_rpc::{CallError, PendingCall, SessionEnd};
use vipnode_types::{protocol2, wire::method};

use crate::{
    close_reason::CloseReason,
    engine::{
        connections::Connections,
        inbox::{CoreMessage, Inbox},
    },
    metrics::{EXPIRED, LOST, Metrics, REFUSED},
};

/// Calls agents for the core, and reports how each call ended.
pub(super) struct AgentCaller {
    inbox: Inbox,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
    runtime: Handle,
}

/// A call in progress. Its end is reported once, when this is dropped: as lost, unless the outcome is known.
struct CallInProgress {
    inbox: Inbox,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
    core_generation: u64,
    connection: ConnectionId,
    call: CallId,
    admits: bool,
    outcome: CallOutcome,
}

impl AgentCaller {
    pub(super) const fn new(
        inbox: Inbox,
        connections: Arc<Connections>,
        metrics: Arc<Metrics>,
        runtime: Handle,
    ) -> Self {
        Self { inbox, connections, metrics, runtime }
    }

    /// Queues a call, so that calls to one agent keep their order. A separate task waits for the answer, for at most
    /// `wait`. `core_generation` is the number of the core that calls.
    pub(super) fn call(
        &self,
        core_generation: u64,
        connection: ConnectionId,
        call: CallId,
        message: &PoolCall,
        wait: Duration,
    ) {
        self.metrics.calls.inc();
        let mut begun = CallInProgress {
            inbox: self.inbox.clone(),
            connections: Arc::clone(&self.connections),
            metrics: Arc::clone(&self.metrics),
            core_generation,
            connection,
            call,
            admits: matches!(message, PoolCall::Admit(_) | PoolCall::Whitelist(_)),
            outcome: CallOutcome::Lost,
        };
        match self.begin(connection, message) {
            Ok(pending) => {
                self.runtime.spawn(async move {
                    let answer = pending.wait_until(Instant::now() + wait).await;
                    begun.end(answer.map(|_done| ()));
                });
            }
            Err(error) => begun.end(Err(error)),
        }
    }

    fn begin(&self, connection: ConnectionId, message: &PoolCall) -> Result<PendingCall, CallError> {
        let rpc = self.connections.rpc(connection).ok_or(CallError::Lost(SessionEnd::Gone))?;
        let (method, params) = match message {
            PoolCall::Admit(call) => (method::ADMIT, to_raw_value(&[call])),
            PoolCall::Evict(call) => (method::EVICT, to_raw_value(&[call])),
            PoolCall::Dial(call) => (method::DIAL, to_raw_value(&[call])),
            PoolCall::Notice(call) => (method::NOTICE, to_raw_value(&[call])),
            PoolCall::Price(call) => (method::PRICE, to_raw_value(&[call])),
            PoolCall::Whitelist(client) => (protocol2::method::WHITELIST, to_raw_value(&[client])),
        };
        rpc.begin_call(method, params.map_err(|error| CallError::Json { why: error.to_string() })?)
    }
}

impl CallInProgress {
    fn end(&mut self, answer: Result<(), CallError>) {
        if answer == Err(CallError::Full) {
            self.metrics.overflows.inc();
            self.connections.close(self.connection, &CloseReason::CallsUnanswered.to_string());
        }
        self.outcome = outcome(answer);
    }
}

impl Drop for CallInProgress {
    fn drop(&mut self) {
        count_failure(&self.metrics, self.admits, &self.outcome);
        let outcome = std::mem::replace(&mut self.outcome, CallOutcome::Lost);
        self.inbox.push(CoreMessage::CallDone {
            core_generation: self.core_generation,
            connection: self.connection,
            call: self.call,
            outcome,
        });
    }
}

fn count_failure(metrics: &Metrics, admits: bool, outcome: &CallOutcome) {
    let reason = match outcome {
        CallOutcome::Done => return,
        CallOutcome::Refused(_) => REFUSED,
        CallOutcome::Expired => EXPIRED,
        CallOutcome::Lost => LOST,
    };
    metrics.calls_failed.inc();
    if admits {
        metrics.admit_failures.inc(reason);
    }
}

fn outcome(answer: Result<(), CallError>) -> CallOutcome {
    match answer {
        Ok(()) => CallOutcome::Done,
        Err(CallError::Remote(error)) => CallOutcome::Refused(error),
        Err(CallError::Expired) => CallOutcome::Expired,
        Err(
            CallError::Lost(_)
            | CallError::Open(_)
            | CallError::Full
            | CallError::TooLarge { .. }
            | CallError::Json { .. },
        ) => CallOutcome::Lost,
    }
}
