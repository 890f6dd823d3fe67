use std::time::Duration;

use tokio::time::Instant;
use vipnode_pool_core::ChannelReading;
use vipnode_types::{Account, Amount, payment::ChannelConfig};

/// A channel whose state the core wants to know.
#[derive(Debug)]
pub(super) struct WatchedChannel {
    /// Its payer authorizer.
    pub(super) signer: Account,
    /// Seconds between the start of a withdrawal and its end.
    pub(super) delay_s: u32,
    /// The block of the newest event about it that is not final yet.
    changed: Option<u64>,
    /// The newest final block when it was read last; nothing up to it can be news.
    final_at: Option<u64>,
    /// What the core was sent last.
    sent: Option<(ChannelReading, Amount)>,
    read: Instant,
}

/// Events can be missed, by a node that lost its logs for example: each channel is read once in this time.
const READ_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

impl WatchedChannel {
    pub(super) fn new(config: &ChannelConfig, now: Instant) -> Self {
        let (signer, delay_s) = (config.payer_authorizer, config.withdraw_delay_s);
        Self { signer, delay_s, changed: None, final_at: None, sent: None, read: now }
    }

    /// Something happened to it in this block. The same event may be read again and again.
    pub(super) fn changes(&mut self, block: u64) {
        if self.final_at.is_none_or(|seen| block > seen) {
            self.changed = self.changed.max(Some(block));
        }
    }

    /// When it was read last.
    pub(super) const fn read_at(&self) -> Instant {
        self.read
    }

    /// Whether it has to be read: until its newest event is final, because a deposit counts later than a withdrawal.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.changed.is_some() || now.saturating_duration_since(self.read) >= READ_AGAIN
    }

    /// It was read when `finalized` was the newest final block. Returns what is news to the core.
    pub(super) fn read(
        &mut self,
        (reading, claimed): (ChannelReading, Amount),
        finalized: u64,
        now: Instant,
    ) -> (Option<ChannelReading>, Option<Amount>) {
        self.read = now;
        self.final_at = self.final_at.max(Some(finalized));
        self.changed = self.changed.filter(|block| *block > finalized);
        let before = self.sent.replace((reading, claimed));
        let news = before.is_none_or(|(before, _)| before != reading).then_some(reading);
        (news, before.is_none_or(|(_, before)| before != claimed).then_some(claimed))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use vipnode_types::Hash256;

    use super::*;

    /// A channel of its own for each salt.
    pub(in crate::chain) fn channel(salt: u8) -> ChannelConfig {
        let account = Account::new([1; 20]);
        ChannelConfig {
            payer: account,
            payer_authorizer: account,
            receiver: account,
            receiver_authorizer: account,
            token: account,
            withdraw_delay_s: 900,
            salt: Hash256([salt; 32]),
        }
    }

    #[test]
    fn d26_a_channel_is_read_until_its_newest_event_is_final() {
        let now = Instant::now();
        let mut watched = WatchedChannel::new(&channel(0), now);
        assert!(!watched.is_due(now) && watched.is_due(now + READ_AGAIN));
        watched.changes(7);
        watched.changes(5);
        let reading = |deposited| ChannelReading { deposited: Amount::new(deposited), ..ChannelReading::default() };
        assert_eq!(watched.read((reading(1), Amount::ZERO), 6, now), (Some(reading(1)), Some(Amount::ZERO)));
        assert!(watched.is_due(now), "block 7 is not final");
        assert_eq!(watched.read((reading(1), Amount::ZERO), 6, now), (None, None), "nothing new");
        assert_eq!(watched.read((reading(2), Amount::new(1)), 7, now), (Some(reading(2)), Some(Amount::new(1))));
        assert!(!watched.is_due(now));
    }
}
