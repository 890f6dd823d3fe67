use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use vipnode_agent_core::Notice;

use crate::{
    AgentNotice,
    limits::{REPEAT_FIRST, REPEAT_MAX, REPEATS},
};

/// Notices that were shown recently. One that comes again is counted, and the count is shown later: neither a pool that
/// rejects each request nor a node that fails each call fills the terminal or the log.
#[derive(Debug, Default)]
pub(super) struct RepeatedNotices(Vec<Recent>);

/// A notice that was shown, or its count.
#[derive(Debug)]
struct Recent {
    /// The most recent notice of its kind.
    notice: AgentNotice,
    times: u64,
    period: Duration,
    until: Instant,
}

impl RepeatedNotices {
    /// Forwards notices to the user, until there are no more.
    pub(super) async fn run(mut self, mut noticed: mpsc::Receiver<AgentNotice>, shown: mpsc::Sender<AgentNotice>) {
        let show = |notice| drop(shown.try_send(notice));
        loop {
            let due = self.0.iter().map(|recent| recent.until).min();
            tokio::select! {
                biased;
                notice = noticed.recv() => match notice {
                    Some(notice) => self.add(Instant::now(), notice).into_iter().for_each(show),
                    None => break,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.expire(Instant::now()).into_iter().for_each(show);
                }
            }
        }
        self.0.into_iter().filter_map(Recent::counted).for_each(show);
    }

    /// Adds a notice. Returns what to show now.
    fn add(&mut self, now: Instant, notice: AgentNotice) -> Vec<AgentNotice> {
        let mut show = self.expire(now);
        if let Some(recent) = self.0.iter_mut().find(|recent| is_repeat(&recent.notice, &notice)) {
            recent.notice = notice;
            recent.times = recent.times.saturating_add(1);
            return show;
        }
        if self.0.len() >= REPEATS
            && let Some((first, _)) = self.0.iter().enumerate().min_by_key(|(_, recent)| recent.until)
        {
            show.extend(self.0.remove(first).counted());
        }
        // A state that follows another one is news: after a disconnect is shown, so is the next connection.
        if let AgentNotice::Notice(Notice::PoolDisconnected { .. }) = notice {
            let joined = |recent: &Recent| matches!(recent.notice, AgentNotice::Notice(Notice::Connected { .. }));
            self.0.retain(|recent| !joined(recent) || recent.times > 0);
        }
        show.push(notice.clone());
        self.0.push(Recent { notice, times: 0, period: REPEAT_FIRST, until: now + REPEAT_FIRST });
        show
    }

    /// Returns the counts that are due. A notice that did not repeat is forgotten.
    fn expire(&mut self, now: Instant) -> Vec<AgentNotice> {
        self.0.retain(|recent| recent.until > now || recent.times > 0);
        let due = self.0.iter_mut().filter(|recent| recent.until <= now);
        due.map(|recent| {
            recent.period = recent.period.saturating_mul(2).min(REPEAT_MAX);
            recent.until = now + recent.period;
            let times = std::mem::take(&mut recent.times);
            AgentNotice::Repeated { notice: Box::new(recent.notice.clone()), times }
        })
        .collect()
    }
}

impl Recent {
    fn counted(self) -> Option<AgentNotice> {
        let Self { notice, times, .. } = self;
        (times > 0).then(|| AgentNotice::Repeated { notice: Box::new(notice), times })
    }
}

/// Whether two notices differ at most in a text that a pool or a node chose.
fn is_repeat(one: &AgentNotice, other: &AgentNotice) -> bool {
    match (one, other) {
        (AgentNotice::Notice(one), AgentNotice::Notice(other)) => match (one, other) {
            (Notice::PoolRefused(one), Notice::PoolRefused(other)) => one.code == other.code,
            (Notice::Connected { .. }, Notice::Connected { .. })
            | (Notice::PoolDisconnected { .. }, Notice::PoolDisconnected { .. })
            | (Notice::PoolUnreachable { .. }, Notice::PoolUnreachable { .. })
            | (Notice::PoolUntrusted { .. }, Notice::PoolUntrusted { .. })
            | (Notice::PrivateAddress { .. }, Notice::PrivateAddress { .. })
            | (Notice::NodeDisconnected { .. }, Notice::NodeDisconnected { .. }) => true,
            _ => one == other,
        },
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{
        Failure,
        wire::{ErrorCode, WireError},
    };

    use super::*;

    fn lost(why: &str) -> AgentNotice {
        AgentNotice::Notice(Notice::NodeDisconnected { why: why.into() })
    }

    #[test]
    fn a_repeated_notice_is_shown_once_with_a_count() {
        let mut repeats = RepeatedNotices::default();
        let start = Instant::now();
        let mut shown = Vec::new();
        for second in 0..3_600_u64 {
            let now = start + Duration::from_secs(second);
            shown.extend(repeats.add(now, lost(&format!("null, {second}"))));
            shown.extend(repeats.add(now, AgentNotice::Notice(Notice::NodeReconnected)));
        }
        assert!(shown.len() < 32, "{} lines in an hour", shown.len());
        let times = |notice: &AgentNotice| match notice {
            AgentNotice::Repeated { times, .. } => *times,
            _ => 1,
        };
        let open: u64 = repeats.0.iter().map(|recent| recent.times).sum();
        assert_eq!(shown.iter().map(times).sum::<u64>() + open, 7_200, "each is counted");
        let later = start + Duration::from_secs(36_000);
        repeats.expire(later);
        assert_eq!(repeats.add(later + REPEAT_MAX, lost("again")), [lost("again")], "forgotten");
    }

    #[test]
    fn a_pool_that_is_joined_again_is_shown_at_once() {
        let mut repeats = RepeatedNotices::default();
        let start = Instant::now();
        let joined = || AgentNotice::Notice(Notice::Connected { welcome: None, price: None, pool_id: None });
        let why = Failure::of(&WireError::new(ErrorCode::Server, "the pool is shutting down", "Connect again."));
        let lost = || AgentNotice::Notice(Notice::PoolDisconnected { why: why.clone() });
        let shown = |repeats: &mut RepeatedNotices, notice| repeats.add(start, notice).len();
        assert_eq!(
            (shown(&mut repeats, joined()), shown(&mut repeats, lost()), shown(&mut repeats, joined())),
            (1, 1, 1)
        );
        assert_eq!((shown(&mut repeats, lost()), shown(&mut repeats, joined())), (0, 0), "a pool that comes and goes");
    }

    #[test]
    fn distinct_notices_are_bounded() {
        let mut repeats = RepeatedNotices::default();
        let now = Instant::now();
        for changes in 0..1_000 {
            assert_eq!(repeats.add(now, AgentNotice::Released { changes }).len(), 1);
        }
        assert_eq!(repeats.0.len(), REPEATS);
    }
}
