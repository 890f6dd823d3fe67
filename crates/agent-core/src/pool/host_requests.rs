use rand_chacha::ChaCha8Rng;
use vipnode_types::Ms;

use super::{backoff::Backoff, session::Request};
use crate::{RequestTag, limits};

/// Asks for hosts: one ask in flight at a time, with growing waits while the pool has no hosts.
#[derive(Debug, Clone)]
pub(crate) struct HostRequests {
    in_flight: Option<Request>,
    /// When the next one may be sent.
    next: Ms,
    last: Option<Ms>,
    backoff: Backoff,
    /// Waits after rejected asks, until the pool answers one.
    refusals: Backoff,
}

impl Default for HostRequests {
    fn default() -> Self {
        let backoff = Backoff::new(limits::ASK_FIRST_MS, limits::BACKOFF_MOST_MS);
        Self { in_flight: None, next: Ms::ZERO, last: None, backoff, refusals: Backoff::default() }
    }
}

impl HostRequests {
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

    /// Allows an ask soon, because a slot was lost, a host is newly avoided, or the pool may answer otherwise, but not more often
    /// than the limit allows.
    pub(crate) fn soon(&mut self, now: Ms) {
        let least = self.last.map_or(now, |last| last.plus(limits::ASK_LEAST_MS));
        self.next = self.next.min(least.max(now));
    }
}
