use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::value::{RawValue, to_raw_value};
use tokio::{runtime::Handle, sync::oneshot, task::yield_now};
use tokio_util::task::task_tracker::TaskTrackerToken;
use vipnode_metrics::Gauge;
use vipnode_pool_core::{
    AddressBlock, BlockQueues, CallId, CallOutcome, Command, ConnectionId, Limits, PoolLimits, Reply, RequestId,
};
use vipnode_rpc::Responder;
use vipnode_store::StoreError;
use vipnode_types::wire::{Done, WireError};

use crate::{
    ReloadChanges,
    call_refusal::CallRefusal,
    engine::{
        connection_blocks::ConnectionBlocks, health_error::HealthError, operator_query::OperatorQuery,
        store_thread::StoreWork,
    },
    fairness::{Block, CommandPermit},
};

/// The queue in front of the core's thread. It never blocks and never drops a message. Its length is bounded: requests by
/// the permits that they hold, ends of calls by the calls in flight, commits by the batches of the store, and the rest by
/// the number of sockets.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    shared: Arc<InboxShared>,
    length: Gauge,
}

/// The answer of the pool's core to a request.
pub(crate) type CoreAnswer = Result<Reply, WireError>;

/// A reply as JSON.
pub(crate) fn reply_text(reply: &Reply) -> Result<Box<RawValue>, WireError> {
    let text = match reply {
        Reply::Connect(reply) => to_raw_value(reply),
        Reply::Checked(reply) => to_raw_value(reply),
        Reply::Report(reply) => to_raw_value(reply),
        Reply::Ask(reply) => to_raw_value(reply),
        Reply::Explain(reply) => to_raw_value(reply),
        Reply::Done(reply) => to_raw_value(reply),
        Reply::Linked(reply) => to_raw_value(reply),
        Reply::Status(reply) => to_raw_value(reply),
        Reply::Account(reply) => to_raw_value(reply),
        Reply::Funds(reply) => to_raw_value(reply),
        Reply::Voucher(reply) => to_raw_value(reply),
        Reply::Payout(reply) => to_raw_value(reply),
        Reply::Protocol2(reply) => to_raw_value(reply),
        // Only the admin socket takes this one, and not as text.
        Reply::Ledger(_) | Reply::Pricing(_) | Reply::Epoch(_) => to_raw_value(&Done {}),
    };
    Ok(text.map_err(|error| CallRefusal::Internal { why: error.to_string() })?)
}

/// The receiver of an answer.
#[derive(Debug)]
pub(crate) enum ReplyTo {
    /// The task that made the request.
    Task(oneshot::Sender<CoreAnswer>),
    /// A WebSocket, which is answered directly.
    Socket {
        responder: Responder,
        /// Pays for the bytes of the answer.
        block: Arc<Block>,
        /// Makes the shutdown of the pool wait for the answer.
        _in_flight: TaskTrackerToken,
    },
}

impl ReplyTo {
    /// Whether the caller no longer waits.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Task(task) => task.is_closed(),
            Self::Socket { responder, .. } => responder.is_closed(),
        }
    }

    pub(crate) fn send(self, answer: CoreAnswer) {
        match self {
            Self::Task(task) => {
                let _gone = task.send(answer);
            }
            Self::Socket { responder, block, .. } => {
                let text = answer.and_then(|reply| reply_text(&reply));
                if let Ok(text) = &text {
                    block.owe_bytes(text.get().len(), Instant::now());
                }
                responder.respond_raw(text);
            }
        }
    }
}

/// A message in the queue of the core's thread.
#[derive(Debug)]
pub(crate) enum CoreMessage {
    /// A request of an agent. Holds its permit until it is handled.
    Request { command: Command, request: RequestId, reply_to: ReplyTo, permit: CommandPermit },
    /// A command without an answer.
    OneWay(Command),
    /// A call to an agent ended. `core_generation` names the core that began it.
    CallDone { core_generation: u64, connection: ConnectionId, call: CallId, outcome: CallOutcome },
    /// Batches up to this one are durable.
    Committed(u64),
    /// The batches up to this one could not be made durable.
    CommitFailed { ticket: u64, error: StoreError },
    /// Answered when everything about the connection that came before is handled.
    Barrier { connection: ConnectionId, done: oneshot::Sender<()> },
    /// A question or an order of the operator.
    Operator(OperatorQuery),
    /// New limits; answered with the names of those that take effect only at the next start.
    Reload { limits: Box<Limits>, done: oneshot::Sender<ReloadChanges> },
    /// Has the store do something of which the core knows nothing.
    Work(StoreWork),
    /// Asks whether core and store work.
    Probe(oneshot::Sender<Result<(), HealthError>>),
    /// The end, after the messages sent before.
    Stop,
}

/// The core's end of an [`Inbox`].
///
/// What agents cause waits in a queue of the address block of their connection, so that a block that has the core work much
/// waits by itself. All messages about one connection are in one queue: none overtakes another. What the pool itself has
/// for the core comes first; there is little of it.
#[derive(Debug)]
pub(crate) struct InboxReader {
    shared: Arc<InboxShared>,
    length: Gauge,
    own: VecDeque<CoreMessage>,
    queues: BlockQueues<CoreMessage>,
    connections: ConnectionBlocks,
    /// The block of the message that was taken last.
    served: Option<AddressBlock>,
    /// [`CoreMessage::Stop`] came; it is served last.
    stops: bool,
}

#[derive(Debug, Default)]
struct InboxShared {
    queue: Mutex<Queue>,
    wake: Condvar,
    /// There may be items that the reader has not sorted.
    arrived: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<CoreMessage>,
    /// Whether the core sleeps and no task is about to wake it.
    asleep: bool,
    /// Whether the core's thread has ended.
    ended: bool,
}

pub(crate) fn inbox(length: Gauge, limits: &PoolLimits) -> (Inbox, InboxReader) {
    let shared = Arc::new(InboxShared::default());
    let reader = InboxReader {
        shared: Arc::clone(&shared),
        length: length.clone(),
        own: VecDeque::new(),
        queues: BlockQueues::new(limits),
        connections: ConnectionBlocks::default(),
        served: None,
        stops: false,
    };
    (Inbox { shared, length }, reader)
}

impl InboxShared {
    /// No code panics while it holds the lock; if one did, the queue would still be whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Puts a message at the end. After [`CoreMessage::Stop`] it is dropped, and so is the channel for its answer.
    pub(crate) fn push(&self, item: CoreMessage) {
        let mut queue = self.shared.lock();
        if queue.ended {
            return;
        }
        self.length.inc();
        queue.ended = matches!(item, CoreMessage::Stop);
        queue.items.push_back(item);
        self.shared.arrived.store(true, Ordering::Release);
        if std::mem::take(&mut queue.asleep) {
            drop(queue);
            self.wake();
        }
    }

    /// Wakes the core, in a task that runs after the tasks that can run now, so that their messages form one batch. A
    /// thread switch for each request would cost more than the request.
    fn wake(&self) {
        let shared = Arc::clone(&self.shared);
        let Ok(runtime) = Handle::try_current() else { return shared.wake.notify_one() };
        let wake = WakeOnDrop(shared);
        runtime.spawn(async move {
            yield_now().await;
            drop(wake);
        });
    }
}

/// Wakes the core when dropped, even if the runtime ends before the task runs.
struct WakeOnDrop(Arc<InboxShared>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        self.0.wake.notify_one();
    }
}

impl InboxReader {
    /// Returns the next message; waits for it for at most `wait`.
    pub(crate) fn next(&mut self, wait: Duration) -> Option<CoreMessage> {
        if self.own.is_empty() && self.queues.is_empty() && !self.stops {
            self.queues.forgive();
            self.sort(self.wait(wait));
        } else if self.shared.arrived.load(Ordering::Acquire) {
            self.sort(self.take_arrived(self.shared.lock()));
        }
        let item = self.pop()?;
        self.length.dec();
        Some(item)
    }

    /// Charges time of the core, in nanoseconds, to a block: to the queue of the last message, or to that in which the block's
    /// agents wait.
    pub(super) fn charge(&mut self, block: AddressBlock, ns: u64) {
        let queue = if self.served == Some(block) { block } else { self.connections.queue_of(block) };
        self.queues.charge(queue, ns);
    }

    /// The block that the last message came from; `None` for one of the pool itself.
    pub(super) const fn served(&self) -> Option<AddressBlock> {
        self.served
    }

    /// Whether the pool is closed: its members are known and may be at one address, so they are served in one queue.
    pub(super) const fn set_members_only(&mut self, members_only: bool) {
        self.connections.set_members_only(members_only);
    }

    fn pop(&mut self) -> Option<CoreMessage> {
        if let Some(own) = self.own.pop_front() {
            self.served = None;
            return Some(own);
        }
        if let Some((block, item)) = self.queues.pop() {
            self.served = Some(block);
            return Some(item);
        }
        self.served = None;
        std::mem::take(&mut self.stops).then_some(CoreMessage::Stop)
    }

    /// Waits for items, and takes them.
    fn wait(&self, wait: Duration) -> VecDeque<CoreMessage> {
        let mut queue = self.shared.lock();
        if queue.items.is_empty() && !wait.is_zero() {
            queue.asleep = true;
            let woken = self.shared.wake.wait_timeout_while(queue, wait, |queue| queue.items.is_empty());
            (queue, _) = woken.unwrap_or_else(PoisonError::into_inner);
            queue.asleep = false;
        }
        self.take_arrived(queue)
    }

    fn take_arrived(&self, mut queue: MutexGuard<'_, Queue>) -> VecDeque<CoreMessage> {
        self.shared.arrived.store(false, Ordering::Release);
        std::mem::take(&mut queue.items)
    }

    /// Puts each item into its queue.
    fn sort(&mut self, items: VecDeque<CoreMessage>) {
        for item in items {
            match self.connections.block_of(&item) {
                Some(block) => self.queues.push(block, item),
                None if matches!(item, CoreMessage::Stop) => self.stops = true,
                None => self.own.push_back(item),
            }
        }
    }
}

impl Drop for InboxReader {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.ended = true;
        let left = std::mem::take(&mut queue.items);
        drop(queue);
        let left: Vec<CoreMessage> = left.into_iter().chain(self.own.drain(..)).chain(self.queues.take_all()).collect();
        let left = i64::try_from(left.len()).unwrap_or(i64::MAX);
        self.length.dec_by(left.saturating_add(i64::from(self.stops)));
    }
}

#[cfg(test)]
mod tests {
    use vipnode_pool_core::NewPayout;
    use vipnode_types::wire::ReportRequest;

    use super::*;

    fn connection(number: u32) -> ConnectionId {
        ConnectionId { gateway: 0, connection: number, generation: 0 }
    }

    /// The first command of a connection, from an address.
    fn presents(number: u32, address: &str) -> CoreMessage {
        let call = vipnode_types::protocol2::Call::Peer(vipnode_types::protocol2::PeerRequest::default());
        CoreMessage::OneWay(Command::Protocol2 {
            connection: connection(number),
            request: 0,
            node: vipnode_types::NodeId::new([1; 64]),
            nonce: 1,
            address: address.parse().unwrap(),
            callable: true,
            call,
        })
    }

    fn reports(number: u32) -> CoreMessage {
        let report = Box::new(ReportRequest::default());
        CoreMessage::OneWay(Command::Report { connection: connection(number), request: 0, report })
    }

    fn ended(number: u32) -> CoreMessage {
        let (connection, outcome) = (connection(number), CallOutcome::Lost);
        CoreMessage::CallDone { core_generation: 0, connection, call: CallId(u64::from(number)), outcome }
    }

    /// An order of a payout account, which any node may send.
    fn orders_payout(address: &str) -> CoreMessage {
        CoreMessage::OneWay(Command::Payout {
            connection: connection(0),
            request: 0,
            address: address.parse().unwrap(),
            node: vipnode_types::NodeId::new([6; 64]),
            payout: NewPayout { account: vipnode_types::Account::new([6; 20]), counter: vipnode_types::Ms::new(1) },
        })
    }

    /// The connection and the kind of each message, in the order in which the core gets them.
    fn all(reader: &mut InboxReader, cost: impl Fn(u32) -> u64) -> Vec<(u32, char)> {
        let mut order = Vec::new();
        while let Some(message) = reader.next(Duration::ZERO) {
            let (number, kind) = match &message {
                CoreMessage::OneWay(Command::Protocol2 { connection, .. }) => (connection.connection, 'p'),
                CoreMessage::OneWay(Command::Report { connection, .. }) => (connection.connection, 'r'),
                CoreMessage::OneWay(Command::Disconnected { connection }) => (connection.connection, 'd'),
                CoreMessage::CallDone { connection, .. } => (connection.connection, 'c'),
                CoreMessage::OneWay(Command::Payout { .. }) => (0, 'x'),
                CoreMessage::Committed(_) => (0, 'o'),
                CoreMessage::Stop => (0, 's'),
                other => panic!("{other:?}"),
            };
            order.push((number, kind));
            if let Some(block) = reader.served() {
                reader.charge(block, cost(number));
            }
        }
        order
    }

    #[test]
    fn nothing_about_a_connection_overtakes_and_a_busy_block_waits_by_itself() {
        let (inbox, mut reader) = inbox(Gauge::default(), &PoolLimits::default());
        for number in 1..=100 {
            inbox.push(presents(number, "66.6.6.6"));
            inbox.push(ended(number));
            inbox.push(reports(number));
            inbox.push(CoreMessage::OneWay(Command::Disconnected { connection: connection(number) }));
        }
        for message in
            [presents(200, "8.8.8.8"), reports(200), ended(200), CoreMessage::Committed(1), CoreMessage::Stop]
        {
            inbox.push(message);
        }
        inbox.push(reports(200));
        let order = all(&mut reader, |number| if number == 200 { 5_000 } else { 1_000_000 });
        assert_eq!(order.len(), 405, "what comes after the end is dropped");
        assert_eq!((order[0], order[404]), ((0, 'o'), (0, 's')), "the pool's own first, and the end last");
        for number in 1..=100 {
            let kinds: String = order.iter().filter(|(of, _)| *of == number).map(|(_, kind)| *kind).collect();
            assert_eq!(kinds, "pcrd");
        }
        let last = order.iter().rposition(|(number, _)| *number == 200).unwrap();
        assert!(last <= 5, "{last}: the other block waits for one or two of a hundred");
    }

    /// The attack: strangers order payouts of nodes of their own, and each report of a member waits behind them.
    #[test]
    fn in_a_closed_pool_strangers_wait_by_themselves() {
        let (inbox, mut reader) = inbox(Gauge::default(), &PoolLimits::default());
        reader.set_members_only(true);
        for _ in 0..1_000 {
            inbox.push(orders_payout("66.6.6.6"));
        }
        inbox.push(presents(200, "66.6.6.6"));
        inbox.push(reports(200));
        let order = all(&mut reader, |number| if number == 200 { 5_000 } else { 1_000_000 });
        assert_eq!(order.len(), 1_002);
        let last = order.iter().rposition(|(number, _)| *number == 200).unwrap();
        assert!(last <= 5, "{last}: a member waits for one or two of a thousand");
    }

    #[test]
    fn in_a_closed_pool_all_are_served_in_the_order_of_arrival() {
        let (inbox, mut reader) = inbox(Gauge::default(), &PoolLimits::default());
        reader.set_members_only(true);
        for number in 1..=100 {
            inbox.push(presents(number, if number % 2 == 0 { "66.6.6.6" } else { "8.8.8.8" }));
        }
        let order: Vec<u32> = all(&mut reader, |_| 1_000_000).into_iter().map(|(number, _)| number).collect();
        assert_eq!(order, (1..=100).collect::<Vec<_>>());
    }
}
