use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    time::Duration,
};

use tokio::time::Instant;
use vipnode_pool_core::{AddressBlock, WideBlock};
use vipnode_types::payment::ChannelConfig;

/// Channels that have yet to be read for the first time. The wide address blocks whose agents asked for them take turns, and so do the
/// blocks in each of them. A wide block has a pace: a stranger can name any number of channels without a deposit, and each takes
/// several calls of the EVM node.
///
/// The core limits how many first vouchers wait.
#[derive(Debug, Default)]
pub(super) struct WatchQueue {
    /// The pool's own channels are in no block.
    blocks: BTreeMap<Option<WideBlock>, BlockQueue>,
    /// Whose turn was last.
    last: Option<Option<WideBlock>>,
}

#[derive(Debug)]
struct BlockQueue {
    /// Those of each block in the wide one, in the order of their turns; none is empty.
    channels: VecDeque<(Option<AddressBlock>, VecDeque<ChannelConfig>)>,
    /// When the next of them may be read.
    next: Instant,
}

/// The shortest time between two channels of one wide block.
const PACE: Duration = Duration::from_secs(1);

impl WatchQueue {
    pub(super) fn push(&mut self, block: Option<AddressBlock>, channel: ChannelConfig, now: Instant) {
        let fresh = || BlockQueue { channels: VecDeque::new(), next: now };
        let queue = self.blocks.entry(block.map(AddressBlock::wide)).or_insert_with(fresh);
        match queue.channels.iter_mut().find(|(of, _)| *of == block) {
            Some((_, channels)) => channels.push_back(channel),
            None => queue.channels.push_back((block, VecDeque::from([channel]))),
        }
    }

    /// Forgets the channels for which `is_meant` holds.
    pub(super) fn forget(&mut self, is_meant: impl Fn(&ChannelConfig) -> bool) {
        for queue in self.blocks.values_mut() {
            queue.channels.iter_mut().for_each(|(_, channels)| channels.retain(|channel| !is_meant(channel)));
            queue.channels.retain(|(_, channels)| !channels.is_empty());
        }
    }

    /// Takes the channel whose turn it is, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> Option<ChannelConfig> {
        // A block that paused long enough has nothing to be remembered for.
        self.blocks.retain(|_, queue| !queue.channels.is_empty() || queue.next > now);
        let is_due = |queue: &BlockQueue| !queue.channels.is_empty() && queue.next <= now;
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.blocks.range((after, Bound::Unbounded)).find(|(_, queue)| is_due(queue));
        let block = later.or_else(|| self.blocks.iter().find(|(_, queue)| is_due(queue))).map(|(block, _)| *block)?;
        let queue = self.blocks.get_mut(&block)?;
        if block.is_some() {
            queue.next = now.checked_add(PACE).unwrap_or(now);
        }
        self.last = Some(block);
        let (of, mut channels) = queue.channels.pop_front()?;
        let channel = channels.pop_front();
        if !channels.is_empty() {
            queue.channels.push_back((of, channels));
        }
        channel
    }

    /// When the next channel may be read; `None` if none waits.
    pub(super) fn next(&self) -> Option<Instant> {
        self.blocks.values().filter(|queue| !queue.channels.is_empty()).map(|queue| queue.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::watched_channel::tests::channel, *};

    fn block(text: &str) -> Option<AddressBlock> {
        Some(AddressBlock::of(text.parse().unwrap()))
    }

    /// What is read in each of `seconds` seconds.
    fn read(queue: &mut WatchQueue, start: Instant, seconds: u64) -> Vec<Vec<u8>> {
        let second = |second| {
            let now = start + Duration::from_secs(second);
            std::iter::from_fn(|| queue.take(now)).map(|channel| channel.salt.0[0]).collect()
        };
        (0..seconds).map(second).collect()
    }

    #[test]
    fn many_channels_of_a_stranger_delay_nobody_else() {
        let (mut queue, now) = (WatchQueue::default(), Instant::now());
        (0..100).for_each(|salt| queue.push(block("203.0.113.7"), channel(salt), now));
        queue.push(block("198.51.100.7"), channel(200), now);
        queue.push(None, channel(201), now);
        queue.push(None, channel(202), now);
        assert_eq!(read(&mut queue, now, 3), [vec![201, 200, 0, 202], vec![1], vec![2]]);
        assert_eq!(queue.next(), Some(now + Duration::from_secs(3)));
        queue.forget(|channel| channel.salt.0[0] > 3);
        assert_eq!(read(&mut queue, now + Duration::from_secs(3), 3), [vec![3], vec![], vec![]]);
        assert_eq!((queue.next(), queue.blocks.len()), (None, 0));
    }

    /// A stranger may have neighbors: at one provider, or behind one proxy.
    #[test]
    fn the_blocks_in_a_wide_block_take_turns() {
        let (mut queue, now) = (WatchQueue::default(), Instant::now());
        (0..100).for_each(|salt| queue.push(block("203.0.113.7"), channel(salt), now));
        (100..200).for_each(|salt| queue.push(block("203.0.114.7"), channel(salt), now));
        queue.push(block("203.0.115.7"), channel(250), now);
        assert_eq!(read(&mut queue, now, 4), [vec![0], vec![100], vec![250], vec![1]]);
    }

    /// A block that asks again and again keeps its pace, also if nothing of it waits in between.
    #[test]
    fn a_pause_is_remembered_while_it_lasts() {
        let (mut queue, now) = (WatchQueue::default(), Instant::now());
        queue.push(block("203.0.113.7"), channel(1), now);
        assert!(queue.take(now).is_some() && queue.take(now).is_none());
        queue.push(block("203.0.200.9"), channel(2), now);
        assert!(queue.take(now).is_none(), "the same wide block");
        assert!(queue.take(now + PACE).is_some());
    }
}
