use rand_chacha::ChaCha8Rng;
use vipnode_types::Ms;

use super::{backoff::Backoff, link::Request};
use crate::{Notice, RequestTag, limits};

/// Asks for hosts: one ask in flight at a time, with growing waits while the pool has no hosts.
#[derive(Debug, Clone)]
pub(crate) struct AskState {
    in_flight: Option<Request>,
    /// When the next one may be sent.
    next: Ms,
    last: Option<Ms>,
    backoff: Backoff,
    /// Waits after rejected asks, until the pool answers one.
    refusals: Backoff,
    /// The missing hosts of which the user was last notified.
    announced: Option<Missing>,
    /// Since when hosts are missing.
    missing_since: Option<Ms>,
}

/// How many hosts are missing, why, and whether that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Missing {
    hosts: u32,
    why: Option<String>,
    late: bool,
}

impl Missing {
    fn is_news_after(&self, before: &Self) -> bool {
        let reason = before.why.is_none() && self.why.is_some();
        reason || (self.hosts, self.late) != (before.hosts, before.late)
    }
}

impl Default for AskState {
    fn default() -> Self {
        let backoff = Backoff::new(limits::ASK_FIRST_MS, limits::BACKOFF_MOST_MS);
        Self {
            in_flight: None,
            next: Ms::ZERO,
            last: None,
            backoff,
            refusals: Backoff::default(),
            announced: None,
            missing_since: None,
        }
    }
}

impl AskState {
    pub(crate) const fn in_flight(&self) -> Option<Request> {
        self.in_flight
    }

    pub(crate) fn is(&self, tag: RequestTag) -> bool {
        self.in_flight.is_some_and(|request| request.tag == tag)
    }

    pub(crate) fn new_socket(&mut self, now: Ms) {
        self.next = now;
        self.last = None;
    }

    pub(crate) const fn lose_socket(&mut self) {
        self.in_flight = None;
    }

    /// Returns when the next ask may be sent.
    pub(crate) const fn next(&self) -> Ms {
        self.next
    }

    pub(crate) const fn sent(&mut self, request: Request) {
        self.in_flight = Some(request);
        self.last = Some(request.sent);
    }

    pub(crate) const fn answered(&mut self) {
        self.in_flight = None;
    }

    /// Records that the pool answered an ask.
    pub(crate) fn accepted(&mut self) {
        self.refusals.reset();
    }

    /// Records that the pool rejected an ask. Returns the minimum wait, in milliseconds.
    pub(crate) fn refused(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        self.refusals.next_ms(rng)
    }

    /// Resets the wait, because the pool assigned a host.
    pub(crate) fn succeeded(&mut self) {
        self.backoff.reset();
    }

    /// Returns how long to wait after an ask, in milliseconds.
    pub(crate) fn next_wait_ms(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        self.backoff.next_ms(rng)
    }

    /// Sends no ask before `until`.
    pub(crate) const fn wait_until(&mut self, at: Ms) {
        self.next = at;
    }

    /// Returns why hosts are missing, as last reported by the pool.
    pub(crate) fn why_missing(&self) -> Option<&str> {
        self.announced.as_ref()?.why.as_deref()
    }

    /// Allows an ask soon, because a slot was lost or a host is newly avoided, but not more often than the limit
    /// allows.
    pub(crate) fn soon(&mut self, now: Ms) {
        let least = self.last.map_or(now, |last| last.plus(limits::ASK_LEAST_MS));
        self.next = self.next.min(least.max(now));
    }

    /// Forgets why hosts are missing, because the pool assigned one since it gave the reason.
    pub(crate) fn forget_why_missing(&mut self) {
        if let Some(announced) = &mut self.announced {
            announced.why = None;
        }
    }

    /// Returns a notice that so many hosts are missing and why, if their number changed, if that has lasted for some time,
    /// or if there was no reason before. A reason that only changes, as its counts of hosts do, is for the status.
    pub(crate) fn announce(&mut self, now: Ms, hosts: u32, why: Option<String>) -> Option<Notice> {
        let since = self.missing_since.take().unwrap_or(now);
        self.missing_since = (hosts > 0).then_some(since);
        let late = now.since(since) >= limits::MISSING_LATE_MS;
        let news = (hosts > 0).then(|| Missing { hosts, why: why.filter(|why| !why.is_empty()), late });
        let before = std::mem::replace(&mut self.announced, news.clone());
        let is_news = |news: &Missing| before.is_none_or(|before| news.is_news_after(&before));
        news.filter(is_news).map(|Missing { hosts, why, late }| Notice::HostsMissing { missing: hosts, why, late })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_hosts_have_a_reason_only_if_the_pool_has_one() {
        let mut asks = AskState::default();
        let mut at =
            |ms, missing, why| (asks.announce(Ms::new(ms), missing, why), asks.why_missing().map(str::to_owned));
        let notice = |why, late| Some(Notice::HostsMissing { missing: 2, why, late });
        assert_eq!(at(0, 2, None), (notice(None, false), None));
        assert_eq!(at(1, 2, Some(String::new())), (None, None));
        let why = || Some("no host has a free slot".to_owned());
        assert_eq!(at(2, 2, why()), (notice(why(), false), why()));
        assert_eq!(at(3, 2, why()), (None, why()));
        let now_full = || Some("the only host on mainnet is full".to_owned());
        assert_eq!(at(4, 2, now_full()), (None, now_full()), "the status shows it");
        // Again once it lasts, and then no more.
        assert_eq!(at(30_000, 2, why()), (notice(why(), true), why()));
        assert_eq!(at(90_000, 2, why()), (None, why()));
        assert_eq!(at(90_001, 0, None), (None, None));
        assert_eq!(at(90_002, 2, why()), (notice(why(), false), why()), "they are missing again");
    }
}
