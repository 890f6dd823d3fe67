use std::collections::BTreeSet;

use vipnode_types::{
    LeaseId, LeaseSetHash, Ms,
    wire::{ReportReply, ReportRequest, UpLease, WireError},
};

use crate::{
    Action, AgentCore, Notice, RequestTag, ToPool, limits,
    pool::backoff::up_to,
    pool::link::{LinkState, Request, retry_ms},
};

/// What the pool was told of connections: one report in flight, whatever happens meanwhile goes into
/// the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports {
    /// Of the last report on this socket.
    seq: u32,
    /// The set that the pool last took. Kept over sockets: it says what was never down.
    taken: BTreeSet<LeaseId>,
    full_due: bool,
    in_flight: Option<Sent>,
    /// The next report is due, also if nothing changed.
    due: Ms,
    /// The pool asked to wait until then.
    hold: Ms,
    slots_said: Option<u32>,
    /// Whether the places for light nodes are taken, as the pool was told; `None` where that is not known.
    light_full_said: Option<bool>,
    head_said: Option<u64>,
    head_said_at: Ms,
}

#[derive(Debug, Clone)]
struct Sent {
    request: Request,
    full: bool,
    set: BTreeSet<LeaseId>,
    /// Leases that had gone and come back, which this report says.
    blinks: Vec<LeaseId>,
}

impl Reports {
    pub(crate) fn in_flight(&self) -> Option<Request> {
        self.in_flight.as_ref().map(|sent| sent.request)
    }

    pub(crate) fn is(&self, tag: RequestTag) -> bool {
        self.in_flight.as_ref().is_some_and(|sent| sent.request.tag == tag)
    }

    /// Whether the report in flight names the lease.
    pub(crate) fn names(&self, lease: LeaseId) -> bool {
        self.in_flight.as_ref().is_some_and(|sent| sent.set.contains(&lease))
    }

    /// Whether the pool was told on this socket that the lease is up, so that a report says its end.
    pub(crate) fn knows(&self, lease: LeaseId) -> bool {
        let sent = self.in_flight.as_ref().is_some_and(|sent| sent.set.contains(&lease));
        sent || (!self.full_due && self.taken.contains(&lease))
    }

    pub(crate) fn slots_said(&mut self, slots: Option<u32>) {
        self.slots_said = slots;
    }

    pub(crate) fn new_socket(&mut self, now: Ms) {
        self.seq = 0;
        self.full_due = true;
        self.due = now;
        self.hold = now;
        self.head_said = None;
        self.light_full_said = Some(false);
    }

    /// The blinks that were said and not taken; they are to be said again.
    pub(crate) fn lose_socket(&mut self) -> Vec<LeaseId> {
        self.in_flight.take().map(|sent| sent.blinks).unwrap_or_default()
    }
}

impl AgentCore {
    pub(crate) fn unsay_blinks(&mut self, blinks: &[LeaseId]) {
        for id in blinks {
            if let Some(lease) = self.leases.get_mut(*id) {
                lease.blinked = true;
            }
        }
    }

    pub(crate) fn report_due(&self) -> Option<Ms> {
        let idle = self.link.is_live() && self.stopping.is_none() && self.reports.in_flight.is_none();
        let due = if self.now < self.reports.hold { self.reports.hold } else { self.reports.due };
        idle.then_some(due)
    }

    pub(crate) fn say_report(&mut self, now: Ms, out: &mut Vec<Action>) {
        let LinkState::Live { interval_ms, .. } = self.link.state else { return };
        if self.reports.in_flight.is_some() || now < self.reports.hold {
            return;
        }
        let set: BTreeSet<LeaseId> = self.leases.iter().filter(|lease| lease.stated()).map(|lease| lease.id).collect();
        // Whether a peer that the node lost with its restart comes back is said once it is known.
        let blinked = self.leases.ids(|lease| lease.stated() && lease.blinked && !lease.returning);
        let slots = self.config.host.is_some().then(|| self.offer(now).0);
        let slots = slots.filter(|slots| self.reports.slots_said != Some(*slots));
        let light_full = self.light_places.are_taken();
        let light_full = (Some(light_full) != self.reports.light_full_said).then_some(light_full);
        let reports = &self.reports;
        let back = || blinked.iter().filter(|id| reports.taken.contains(id)).copied();
        let changed = set != reports.taken || back().next().is_some() || slots.is_some() || light_full.is_some();
        if !(changed || reports.full_due || reports.due <= now) {
            return;
        }
        let mut report = ReportRequest {
            seq: reports.seq.saturating_add(1),
            slots,
            light_slots_full: light_full,
            ..ReportRequest::default()
        };
        let anew = reports.full_due;
        if anew {
            let gone = |id: LeaseId| self.leases.get(id).is_none_or(|lease| lease.blinked);
            let kept = |id: &LeaseId| reports.taken.contains(id) && !gone(*id);
            report.full = Some(set.iter().map(|lease| UpLease { lease: *lease, continuous: kept(lease) }).collect());
        } else {
            report.up = set.difference(&reports.taken).copied().chain(back()).collect();
            report.down = reports.taken.difference(&set).copied().chain(back()).collect();
        }
        if report.full.is_some() || !report.up.is_empty() || !report.down.is_empty() {
            report.hash = Some(LeaseSetHash::of(set.iter().copied()));
        }
        report.head = self.head_news(now, interval_ms);
        if anew {
            self.leases.iter_mut().for_each(|lease| lease.caps_said = false);
        }
        report.host_capabilities = self.seen_hosts();
        self.send_report(now, interval_ms, report, set, blinked, out);
    }

    /// The newest block's number, where it changed and was not told of late.
    fn head_news(&self, now: Ms, interval_ms: u64) -> Option<u64> {
        let number = self.node.head?.fact.number;
        let late = now.since(self.reports.head_said_at) >= interval_ms.saturating_sub(jitter_most(interval_ms));
        let news = self.reports.head_said != Some(number) && (late || self.reports.head_said.is_none());
        news.then_some(number)
    }

    fn send_report(
        &mut self,
        now: Ms,
        interval_ms: u64,
        report: ReportRequest,
        set: BTreeSet<LeaseId>,
        blinks: Vec<LeaseId>,
        out: &mut Vec<Action>,
    ) {
        for id in &blinks {
            if let Some(lease) = self.leases.get_mut(*id) {
                lease.blinked = false;
            }
        }
        let jitter_ms = up_to(jitter_most(interval_ms), &mut self.rng);
        let tag = self.new_tag();
        let reports = &mut self.reports;
        reports.seq = report.seq;
        reports.full_due = false;
        reports.due = now.plus(interval_ms.saturating_sub(jitter_ms));
        reports.slots_said = report.slots.or(reports.slots_said);
        reports.light_full_said = report.light_slots_full.or(reports.light_full_said);
        if report.head.is_some() {
            reports.head_said = report.head;
            reports.head_said_at = now;
        }
        reports.in_flight =
            Some(Sent { request: Request { tag, sent: now }, full: report.full.is_some(), set, blinks });
        let request = match self.protocol2 {
            Some(_) => {
                self.reports.hold = now.plus(limits::UPDATE_LEAST_MS.min(interval_ms));
                self.update()
            }
            None => ToPool::Report(report),
        };
        out.push(Action::Pool { tag, request });
    }

    pub(crate) fn report_answered(&mut self, now: Ms, answer: Result<ReportReply, WireError>, out: &mut Vec<Action>) {
        let Some(sent) = self.reports.in_flight.take() else { return };
        if answer == Ok(ReportReply { resync: false }) {
            self.reports.taken = sent.set;
            return;
        }
        // Nothing was counted.
        self.unsay_blinks(&sent.blinks);
        self.reports.full_due = true;
        self.reports.head_said = None;
        self.reports.slots_said = None;
        self.reports.light_full_said = None;
        let wait_ms = match answer {
            // Two sides that never agree must not talk without a pause.
            Ok(_) if sent.full => limits::BACKOFF_FIRST_MS,
            Ok(_) => 0,
            // A pool of the original that was started anew does not know the node any more.
            Err(error) if self.protocol2.is_some() && retry_ms(&error).is_none() => {
                return self.not_taken(now, error, out);
            }
            Err(error) => {
                let wait_ms = retry_ms(&error).unwrap_or(limits::BACKOFF_FIRST_MS);
                out.push(Action::Notice(Notice::PoolRefused(error)));
                wait_ms
            }
        };
        self.reports.hold = self.reports.hold.max(now.plus(wait_ms));
    }
}

/// A report comes up to a tenth of the interval early, so that agents do not march in step.
const fn jitter_most(interval_ms: u64) -> u64 {
    interval_ms / 10
}
