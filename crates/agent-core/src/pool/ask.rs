use rand_chacha::ChaCha8Rng;
use vipnode_types::Ms;

use super::{backoff::Backoff, link::Request};
use crate::{Notice, RequestTag, limits};

/// Asking the pool for hosts: one ask in flight, further ones after a wait that grows while the pool has none.
#[derive(Debug, Clone)]
pub(crate) struct Asks {
    in_flight: Option<Request>,
    /// Not before.
    next: Ms,
    last: Option<Ms>,
    backoff: Backoff,
    /// What the user was last told of missing hosts.
    announced: Option<(u32, String)>,
}

impl Default for Asks {
    fn default() -> Self {
        let backoff = Backoff::new(limits::ASK_FIRST_MS, limits::BACKOFF_MOST_MS);
        Self { in_flight: None, next: Ms::ZERO, last: None, backoff, announced: None }
    }
}

impl Asks {
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

    /// When the next ask may be sent.
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

    /// The pool gave a host: waits are short again.
    pub(crate) fn succeeded(&mut self) {
        self.backoff.reset();
    }

    /// How long to wait after an ask, in milliseconds.
    pub(crate) fn next_wait_ms(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        self.backoff.next_ms(rng)
    }

    /// No ask before then.
    pub(crate) const fn wait_until(&mut self, at: Ms) {
        self.next = at;
    }

    /// Why hosts are missing, as the pool last said it.
    pub(crate) fn why_missing(&self) -> Option<&str> {
        self.announced.as_ref().map(|(_, why)| why.as_str()).filter(|why| !why.is_empty())
    }

    /// A slot was lost or an avoided host is new: ask again soon, though not in a storm.
    pub(crate) fn soon(&mut self, now: Ms) {
        let least = self.last.map_or(now, |last| last.plus(limits::ASK_LEAST_MS));
        self.next = self.next.min(least.max(now));
    }

    /// The user is told once that so many hosts are missing, and why.
    pub(crate) fn announce(&mut self, missing: u32, why: Option<String>) -> Option<Notice> {
        let news = (missing > 0).then(|| (missing, why.unwrap_or_default()));
        if news == self.announced {
            return None;
        }
        self.announced.clone_from(&news);
        news.map(|(missing, why)| Notice::HostsMissing { missing, why })
    }
}
