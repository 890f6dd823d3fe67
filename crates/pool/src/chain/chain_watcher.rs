use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use futures_util::{
    FutureExt as _,
    stream::{self, StreamExt as _},
};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use vipnode_chain::{BlockTag, ChainError, Escrow, EvmNodes, escrow_event};
use vipnode_pool_core::{ChainAnswer, ChainEvent, ChainRequest, ChannelReading, Command};
use vipnode_types::{
    Amount,
    payment::{ChannelConfig, ChannelId, ChannelTerms, EscrowEvent},
};

use super::{
    chain_config::ChainConfig,
    claim_sender::{ClaimSender, failure},
    heads::Heads,
    watch_queue::WatchQueue,
    watched_channel::WatchedChannel,
};
use crate::engine::{CoreMessage, Inbox};

/// Reads channels for the core: once when it asks, and again after each event of the escrow about them.
///
/// A deposit counts as of the newest safe block, a withdrawal as of the newest block, a claim as of the newest final block. Channels
/// are read one after the other. What is due goes first: a look at the newest blocks, then one request of an epoch and one new
/// channel in turn. So no number of new channels delays what the pool has to know of the others.
pub(crate) struct ChainWatcher {
    nodes: EvmNodes,
    config: ChainConfig,
    chain_id: u64,
    requests: UnboundedReceiver<ChainRequest>,
    inbox: Inbox,
    channels: BTreeMap<ChannelId, WatchedChannel>,
    /// Channels that the core asked about and that were not read yet.
    asked: WatchQueue,
    /// When the newest blocks are looked at again.
    next_look: Instant,
    /// Whether an order was carried out after the last new channel.
    ordered: bool,
    /// What carries out the requests of epochs, if the pool has the key of the claimer.
    sender: Option<Arc<ClaimSender>>,
    /// Requests of epochs, in order. The core waits for each answer, but sends again what is not mined.
    orders: VecDeque<ChainRequest>,
    /// The first block whose events were not read.
    next_block: Option<u64>,
    /// Whether the last look failed, so that the log has each outage once.
    fails: bool,
}

/// So many blocks before the newest one that was read are read again at each look.
const AGAIN_BLOCKS: u64 = 64;
/// Channels that are read at one look; a stranger can make any number of them due, by a deposit of the smallest unit each.
const READ_AT_A_LOOK: usize = 256;
/// Channels that are read at once.
const READ_AT_ONCE: usize = 8;

impl ChainWatcher {
    /// Checks that the nodes are on the expected chain, and that the escrow is there.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub(crate) async fn open(
        config: ChainConfig,
        terms: ChannelTerms,
        requests: UnboundedReceiver<ChainRequest>,
        inbox: Inbox,
    ) -> Result<Self, ChainError> {
        let nodes = EvmNodes::open_all(&config.urls, config.limits.clone())?;
        let (actual, chain_id) = (Escrow::open(&nodes).await?.chain_id(), terms.chain_id);
        if actual != chain_id {
            return Err(ChainError::OtherChain { actual, expected: chain_id });
        }
        let sender = config.key.clone().map(|key| Arc::new(ClaimSender::new(key, terms)));
        Ok(Self {
            nodes,
            config,
            sender,
            orders: VecDeque::new(),
            chain_id,
            requests,
            inbox,
            channels: BTreeMap::new(),
            asked: WatchQueue::default(),
            next_look: Instant::now(),
            ordered: false,
            next_block: None,
            fails: false,
        })
    }

    /// Runs until the pool stops.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            // What the core no longer wants is not read.
            while let Ok(request) = self.requests.try_recv() {
                self.take(request);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                more = self.work() => if !more { return },
            }
        }
    }

    /// Does the next thing that is due, or waits for one. Returns false if the core has ended.
    async fn work(&mut self) -> bool {
        let now = Instant::now();
        if self.next_look <= now {
            self.look_again().await;
            let now = Instant::now();
            self.next_look = now.checked_add(self.config.poll).unwrap_or(now);
        } else if let Some(request) = self.next_order() {
            self.carry_out(request).await;
        } else if let Some(config) = self.asked.take(now) {
            self.ordered = false;
            self.watch(&config).await;
        } else if let Some(request) = self.orders.pop_front() {
            self.carry_out(request).await;
        } else {
            let until = self.asked.next().map_or(self.next_look, |next| next.min(self.next_look));
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => self.take(request),
                    None => return false,
                },
                () = sleep_until(until) => {}
            }
        }
        true
    }

    /// The next request of an epoch, if it is its turn.
    fn next_order(&mut self) -> Option<ChainRequest> {
        if std::mem::replace(&mut self.ordered, true) { None } else { self.orders.pop_front() }
    }

    fn take(&mut self, request: ChainRequest) {
        match request {
            ChainRequest::Watch { config, block } => self.asked.push(block, *config, Instant::now()),
            ChainRequest::Forget(id) => {
                self.channels.remove(&id);
                let chain_id = self.chain_id;
                self.asked.forget(|config| config.id(chain_id) == id);
            }
            request => self.orders.push_back(request),
        }
    }

    async fn look_again(&mut self) {
        let looked = self.look(READ_AT_A_LOOK).await;
        if let Err(error) = &looked
            && !self.fails
        {
            tracing::warn!(%error, "the chain on which clients deposit cannot be read; vouchers keep the limits that they had");
        }
        self.fails = looked.is_err();
    }

    async fn watch(&mut self, config: &ChannelConfig) {
        let id = config.id(self.chain_id);
        let now = Instant::now();
        let channel = self.channels.entry(id).or_insert_with(|| WatchedChannel::new(config, now));
        let signer = channel.signer;
        // Asked again, the core wants an answer, whatever it was sent before.
        *channel = WatchedChannel::new(config, now);
        let read = match Heads::read(&self.nodes).await {
            Ok(heads) => {
                // An event between the last look and this one, whose deposit is not safe yet.
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.changes(heads.latest);
                }
                self.read(id, heads).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = read {
            tracing::info!(channel = %id, %error, "a payment channel could not be read");
            self.inbox.push(CoreMessage::OneWay(Command::Chain(ChainEvent::ChannelFailed { id, signer })));
        }
    }

    /// Reads the events since the last look, and the channels that they are about, at most `most` of them.
    async fn look(&mut self, most: usize) -> Result<Heads, ChainError> {
        let heads = Heads::read(&self.nodes).await?;
        // A block can be replaced, and a node may have the logs of its newest ones a little later.
        let from = self.next_block.map_or(heads.latest, |next| next.saturating_sub(AGAIN_BLOCKS));
        let changed: BTreeMap<ChannelId, u64> = if heads.latest.saturating_sub(from) >= self.config.limits.log_blocks {
            // After a long outage it is cheaper to read each channel.
            self.channels.keys().map(|id| (*id, heads.latest)).collect()
        } else if from <= heads.latest {
            let logs = Escrow::opened(&self.nodes, self.chain_id).logs(from, heads.latest).await?;
            logs.iter().filter_map(|log| Some((channel_of(&escrow_event(log)?)?, log.block_number))).collect()
        } else {
            BTreeMap::new()
        };
        for (id, block) in changed {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.changes(block);
            }
        }
        self.next_block = Some(heads.latest.saturating_add(1));
        self.read_due(heads, most).await?;
        Ok(heads)
    }

    /// Reads the channels that are due, those first that were read the longest time ago, at most `most`: the others follow at the next
    /// look. One that cannot be read delays no other.
    async fn read_due(&mut self, heads: Heads, most: usize) -> Result<(), ChainError> {
        let now = Instant::now();
        let due = self.channels.iter().filter(|(_, channel)| channel.is_due(now));
        let mut due: Vec<(Instant, ChannelId, u32)> =
            due.map(|(id, channel)| (channel.read_at(), *id, channel.delay_s)).collect();
        due.sort_unstable();
        due.truncate(most);
        let (nodes, chain_id) = (&self.nodes, self.chain_id);
        let reads = due.into_iter().map(|(_, id, delay_s)| {
            async move { (id, reading_of(Escrow::opened(nodes, chain_id), id, delay_s, heads).await) }.boxed()
        });
        let read: Vec<_> = stream::iter(reads).buffer_unordered(READ_AT_ONCE).collect().await;
        let mut failed = None;
        for (id, reading) in read {
            match reading {
                Ok(reading) => self.take_reading(id, reading, heads),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Carries out a request of an epoch. What a look shows is not older than what the core was sent of the channels before it.
    async fn carry_out(&mut self, request: ChainRequest) {
        let Some(sender) = &self.sender else { return };
        let answer = match request {
            ChainRequest::Look { ticket, transaction } => {
                let sender = Arc::clone(sender);
                // An epoch has to know of each change.
                let looked = match self.look(usize::MAX).await {
                    Ok(heads) => sender.look(&self.nodes, heads, transaction).await,
                    Err(error) => Err(error),
                };
                Some(ChainAnswer::Looked { ticket, result: looked.map_err(|error| failure(&error)) })
            }
            request => sender.carry_out(&self.nodes, request).await,
        };
        if let Some(answer) = answer {
            self.inbox.push(CoreMessage::OneWay(Command::Chain(ChainEvent::Answer(Box::new(answer)))));
        }
    }

    async fn read(&mut self, id: ChannelId, heads: Heads) -> Result<(), ChainError> {
        let Some(channel) = self.channels.get(&id) else { return Ok(()) };
        let escrow = Escrow::opened(&self.nodes, self.chain_id);
        let reading = reading_of(escrow, id, channel.delay_s, heads).await?;
        self.take_reading(id, reading, heads);
        Ok(())
    }

    /// Sends the core what is news of a channel.
    fn take_reading(&mut self, id: ChannelId, reading: (ChannelReading, Amount), heads: Heads) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let signer = channel.signer;
        let (reading, claimed) = channel.read(reading, heads.finalized, Instant::now());
        let channel_event = reading.map(|state| ChainEvent::Channel { id, signer, state });
        let claimed = claimed.filter(|total| *total > Amount::ZERO);
        let claim_event = claimed.map(|total| ChainEvent::Claimed { id, signer, total });
        for event in channel_event.into_iter().chain(claim_event) {
            self.inbox.push(CoreMessage::OneWay(Command::Chain(event)));
        }
    }
}

/// What the escrow holds for a channel, and what was claimed of it as of the newest final block.
async fn reading_of(
    escrow: Escrow<'_>,
    id: ChannelId,
    delay_s: u32,
    heads: Heads,
) -> Result<(ChannelReading, Amount), ChainError> {
    let latest = BlockTag::Number(heads.latest);
    let (newest, safe, pending, last) = tokio::try_join!(
        escrow.channel(id, latest),
        escrow.channel(id, heads.safe),
        escrow.pending_withdrawal(id, latest),
        escrow.channel(id, heads.final_tag),
    )?;
    let reading = ChannelReading {
        deposited: newest.balance.min(safe.balance),
        withdrawing: pending.map_or(Amount::ZERO, |pending| pending.amount),
        withdrawable_s: pending.map_or(0, |pending| pending.finalize_after_s(delay_s)),
        claimed: newest.total_claimed,
    };
    Ok((reading, last.total_claimed))
}

/// The channel that an event is about.
const fn channel_of(event: &EscrowEvent) -> Option<ChannelId> {
    match event {
        EscrowEvent::ChannelCreated { channel, .. }
        | EscrowEvent::ChannelClosed { channel, .. }
        | EscrowEvent::Deposited { channel, .. }
        | EscrowEvent::Claimed { channel, .. }
        | EscrowEvent::Refunded { channel, .. }
        | EscrowEvent::WithdrawInitiated { channel, .. }
        | EscrowEvent::WithdrawFinalized { channel, .. } => Some(*channel),
        EscrowEvent::Settled { .. } => None,
    }
}
