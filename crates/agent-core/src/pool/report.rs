use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;
use vipnode_types::{
    LeaseId, LeaseSetHash, Ms,
    wire::{ReportRequest, UpLease},
};

use super::{
    backoff::{Backoff, up_to},
    session::Request,
};
use crate::RequestTag;

/// Reports on connections to the pool: one report in flight, and changes in the meantime go into the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports {
    /// Of the last report on this socket.
    seq: u32,
    /// The set of connected leases that the pool last accepted. Kept across sockets, so that it covers connections that
    /// were never lost.
    accepted: BTreeSet<LeaseId>,
    full_due: bool,
    in_flight: Option<Sent>,
    /// When the next report is due even if nothing changed.
    due: Ms,
    /// Until when the pool asked to wait.
    hold: Ms,
    /// Waits after reports that the pool did not accept, until it accepts one; a new socket does not end them.
    refusals: Backoff,
    slots_sent: Option<u32>,
    /// Whether the slots for light nodes are taken, as last reported; `None` if never.
    light_full_sent: Option<bool>,
    head_sent: Option<u64>,
    head_sent_at: Ms,
}

/// Which leases have a connected peer, as the pool is to know it.
#[derive(Debug)]
pub(crate) struct ReportState {
    /// Leases with a connected peer.
    pub(crate) set: BTreeSet<LeaseId>,
    /// Those of them that were disconnected for a while since the last report.
    pub(crate) flapped: Vec<LeaseId>,
    /// Slots offered in total; `None` for an agent that is not a host.
    pub(crate) slots: Option<u32>,
    /// The slots for light nodes are taken.
    pub(crate) light_full: bool,
    /// Number of the newest block.
    pub(crate) block: Option<u64>,
}

/// A report that is in flight, or was.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    request: Request,
    full: bool,
    set: BTreeSet<LeaseId>,
    /// Leases that disconnected and reconnected, which this report includes.
    flapped: Vec<LeaseId>,
}

impl Sent {
    /// Whether it was complete.
    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn into_flapped(self) -> Vec<LeaseId> {
        self.flapped
    }
}

impl Reports {
    pub(crate) fn in_flight(&self) -> Option<Request> {
        self.in_flight.as_ref().map(|sent| sent.request)
    }

    pub(crate) fn is(&self, tag: RequestTag) -> bool {
        self.in_flight.as_ref().is_some_and(|sent| sent.request.tag == tag)
    }

    /// Whether the report in flight includes the lease.
    pub(crate) fn names(&self, lease: LeaseId) -> bool {
        self.in_flight.as_ref().is_some_and(|sent| sent.set.contains(&lease))
    }

    /// Whether the lease was reported as connected on this socket, so that a report has to include its end.
    pub(crate) fn knows(&self, lease: LeaseId) -> bool {
        self.names(lease) || (!self.full_due && self.accepted.contains(&lease))
    }

    /// Records the slots that were offered in the hello.
    pub(crate) const fn slots_sent(&mut self, slots: Option<u32>) {
        self.slots_sent = slots;
    }

    pub(crate) fn new_socket(&mut self, now: Ms) {
        self.seq = 0;
        self.full_due = true;
        self.due = now;
        self.hold = now;
        self.head_sent = None;
        self.light_full_sent = Some(false);
    }

    /// Returns the flaps that were reported but not accepted, for the next report.
    pub(crate) fn lose_socket(&mut self) -> Vec<LeaseId> {
        self.in_flight.take().map(|sent| sent.flapped).unwrap_or_default()
    }

    /// Returns when the next report is due, unless something changes; `None` while one is in flight.
    pub(crate) fn due(&self, now: Ms) -> Option<Ms> {
        let due = if now < self.hold { self.hold } else { self.due };
        self.in_flight.is_none().then_some(due)
    }

    /// Whether a report may be sent now.
    pub(crate) fn is_free(&self, now: Ms) -> bool {
        self.in_flight.is_none() && now >= self.hold
    }

    /// Returns the report that is due for this state, without capabilities, which the caller adds. `has_flapped`
    /// returns which leases were disconnected since the last report, whether or not that was reported.
    pub(crate) fn compose(
        &self,
        now: Ms,
        interval_ms: u64,
        news: &ReportState,
        has_flapped: impl Fn(LeaseId) -> bool,
    ) -> Option<ReportRequest> {
        let slots = news.slots.filter(|slots| self.slots_sent != Some(*slots));
        let light_full = (Some(news.light_full) != self.light_full_sent).then_some(news.light_full);
        let back = || news.flapped.iter().filter(|id| self.accepted.contains(id)).copied();
        let changed = news.set != self.accepted || back().next().is_some() || slots.is_some() || light_full.is_some();
        if !(changed || self.full_due || self.due <= now) {
            return None;
        }
        let mut report = ReportRequest {
            seq: self.seq.saturating_add(1),
            slots,
            light_slots_full: light_full,
            ..ReportRequest::default()
        };
        if self.full_due {
            let kept = |id: &LeaseId| self.accepted.contains(id) && !has_flapped(*id);
            report.full =
                Some(news.set.iter().map(|lease| UpLease { lease: *lease, continuous: kept(lease) }).collect());
        } else {
            report.up = news.set.difference(&self.accepted).copied().chain(back()).collect();
            report.down = self.accepted.difference(&news.set).copied().chain(back()).collect();
        }
        if report.full.is_some() || !report.up.is_empty() || !report.down.is_empty() {
            report.hash = Some(LeaseSetHash::of(news.set.iter().copied()));
        }
        report.head = news.block.filter(|block| self.is_news(now, interval_ms, *block));
        Some(report)
    }

    /// Whether the newest block changed and was not reported recently.
    fn is_news(&self, now: Ms, interval_ms: u64, block: u64) -> bool {
        let late = now.since(self.head_sent_at) >= interval_ms.saturating_sub(jitter_most(interval_ms));
        self.head_sent != Some(block) && (late || self.head_sent.is_none())
    }

    /// Records that the report was sent. The next one follows after at least `pause_ms`, and at most an interval.
    pub(crate) fn sent(&mut self, request: Request, report: &ReportRequest, news: ReportState, next: NextReport) {
        let now = request.sent;
        self.seq = report.seq;
        self.full_due = false;
        self.due = now.plus(next.after_ms);
        self.hold = self.hold.max(now.plus(next.pause_ms));
        self.slots_sent = report.slots.or(self.slots_sent);
        self.light_full_sent = report.light_slots_full.or(self.light_full_sent);
        if report.head.is_some() {
            self.head_sent = report.head;
            self.head_sent_at = now;
        }
        self.in_flight = Some(Sent { request, full: report.full.is_some(), set: news.set, flapped: news.flapped });
    }

    /// Records that the report in flight was answered.
    pub(crate) fn answered(&mut self) -> Option<Sent> {
        self.in_flight.take()
    }

    /// Records that the pool did not accept a report. Returns the minimum wait, in milliseconds.
    pub(crate) fn refused(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        self.refusals.next_ms(rng)
    }

    /// Records that the pool accepted it.
    pub(crate) fn accept(&mut self, sent: Sent) {
        self.accepted = sent.set;
        self.refusals.reset();
    }

    /// Has everything reported again, because the pool did not count the last report.
    pub(crate) const fn repeat(&mut self) {
        self.full_due = true;
        self.head_sent = None;
        self.slots_sent = None;
        self.light_full_sent = None;
    }

    /// Sends no report before `until`.
    pub(crate) fn hold(&mut self, until: Ms) {
        self.hold = self.hold.max(until);
    }
}

/// When the report after one is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NextReport {
    /// The interval if nothing changes, in milliseconds.
    pub(crate) after_ms: u64,
    /// The minimum, in milliseconds, whatever changes.
    pub(crate) pause_ms: u64,
}

impl NextReport {
    pub(crate) fn draw(interval_ms: u64, pause_ms: u64, rng: &mut ChaCha8Rng) -> Self {
        let jitter_ms = up_to(jitter_most(interval_ms), rng);
        Self { after_ms: interval_ms.saturating_sub(jitter_ms), pause_ms }
    }
}

/// A report is sent up to a tenth of the interval early, so that agents do not synchronize.
const fn jitter_most(interval_ms: u64) -> u64 {
    interval_ms / 10
}
