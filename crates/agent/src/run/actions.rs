//! Carries out the actions of the agent core.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::{sync::mpsc::error::TrySendError, time::Instant};
use vipnode_agent_core::{Action, Event, TaskError, ToPool};
use vipnode_types::{Failure, PeerCommand};

use super::actor::Actor;
use crate::{
    AgentError, AgentNotice,
    node::NodeCommand,
    pool::{Attempt, PoolRequest},
    request_error::{RETRY_MS, RequestError},
};

/// A voucher whose record could not be written is tried again after this time.
const VOUCHER_RETRY_MS: u64 = 30_000;

impl Actor {
    /// Carries out one action. Returns how the agent ended, after its last action.
    ///
    /// # Errors
    /// A fault, after which the agent cannot go on.
    pub(super) async fn carry_out(&mut self, action: Action) -> Result<Option<Result<(), AgentError>>, AgentError> {
        match action {
            Action::Journal(entry) => self.journal.write(entry, &self.notifier).await?,
            Action::Node { task, call } => self.order(NodeCommand::Call(task, call)),
            Action::List { task } => self.order(NodeCommand::List(task)),
            Action::Watch { for_ms } => {
                self.fast_poll_until.send_replace(Instant::now() + Duration::from_millis(for_ms));
            }
            Action::Resolve { name } => {
                let resolver = self.resolver.clone();
                let lookup = async move {
                    let result = resolver.resolve(&name).await;
                    Event::Resolved { name, result }
                };
                self.lookups.push(lookup.boxed());
            }
            Action::Pool { tag, request: ToPool::Voucher { .. } } if self.is_voucher_unkept => {
                let unkept = RequestError::VoucherUnkept { retry_ms: VOUCHER_RETRY_MS };
                self.own_events.push_back(Event::PoolAnswers { tag, answer: Err(unkept.into()) });
            }
            Action::Pool { tag, request } => {
                let order = PoolRequest { attempt: self.attempts.borrow().number, tag, request };
                if self.requests.try_send(order).is_err() {
                    let busy = RequestError::LinkBusy { retry_ms: RETRY_MS };
                    self.own_events.push_back(Event::PoolAnswers { tag, answer: Err(busy.into()) });
                }
            }
            Action::Answer { tag, reply } => self.calls.answer(tag, reply),
            Action::Reconnect { after_ms } => {
                self.calls.clear();
                self.attempts.send_modify(|attempt| {
                    *attempt = Attempt { number: attempt.number + 1, after: Duration::from_millis(after_ms) };
                });
            }
            Action::KeepPrice(price) => {
                // Without it, the next start keeps the price of then.
                if let Some(Err(error)) = self.kept_prices.as_mut().map(|prices| prices.keep(price)) {
                    self.notifier.notify(AgentNotice::Fault(Failure::of(&error)));
                }
            }
            Action::KeepVouchers(record) => {
                let kept = self.vouchers.as_mut().map_or(Ok(()), |vouchers| vouchers.keep(&record));
                self.is_voucher_unkept = kept.is_err();
                if let Err(error) = kept {
                    self.notifier.notify(AgentNotice::Fault(Failure::of(&error)));
                }
            }
            Action::Notice(notice) => self.notifier.notify(AgentNotice::Notice(notice)),
            Action::Stopped { error } => {
                self.node.settle().await;
                return Ok(Some(error.map_or(Ok(()), |error| Err(AgentError::Stopped(error)))));
            }
        }
        Ok(None)
    }

    /// Queues an order to the node, unless its change is not in the journal.
    fn order(&mut self, order: NodeCommand) {
        let (order, why) = match order {
            NodeCommand::Call(_, PeerCommand::Admit(ref peer) | PeerCommand::Dial(ref peer))
                if self.journal.is_unwritten(peer.id) =>
            {
                (order, TaskError::NotJournaled)
            }
            order => match self.executor.try_send(order) {
                Ok(()) => return,
                Err(TrySendError::Full(order) | TrySendError::Closed(order)) => (order, TaskError::Full),
            },
        };
        self.own_events.push_back(order.failed(Failure::of(&why)));
    }
}
