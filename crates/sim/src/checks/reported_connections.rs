use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{LeaseId, wire::ReportRequest};

use crate::{Overlap, devp2p::Spans};

/// An agent that the pool does not hear for longer is cut off, in ms: it reports each minute, and a frame may be late.
const CUT_OFF_MS: u64 = 90_000;

/// Which leases each agent of protocol 3 reported as connected, and when. A report counts from when it was sent. The pool bills what
/// it was reported, so a bill can be compared with this apart from how late frames arrive; how late an agent notices a lost connection
/// is another matter. Times are virtual, in ms.
#[derive(Debug, Default)]
pub struct ReportedConnections {
    agents: BTreeMap<usize, AgentReports>,
    /// Agents whose reports were replaced by false ones on their way.
    liars: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct AgentReports {
    /// When its last report was sent.
    last: u64,
    /// When its last frame was sent.
    alive: u64,
    /// When the pool last heard a report of it.
    heard: Option<u64>,
    /// How long it was cut off from the pool, in ms.
    cut_off_ms: u64,
    leases: BTreeMap<LeaseId, Spans>,
}

impl ReportedConnections {
    /// An agent sends a report.
    pub fn sent(&mut self, agent: usize, report: &ReportRequest, now: u64) {
        let of = self.agents.entry(agent).or_default();
        of.alive = now;
        let last = std::mem::replace(&mut of.last, now);
        match &report.full {
            Some(full) => {
                let continuous: BTreeSet<LeaseId> = full.iter().filter(|up| up.continuous).map(|up| up.lease).collect();
                // It was lost at some time since the last report.
                of.leases.iter_mut().filter(|(id, _)| !continuous.contains(id)).for_each(|(_, spans)| spans.end(last));
                full.iter().for_each(|up| of.leases.entry(up.lease).or_default().begin(now));
            }
            None => {
                // One that is up again was interrupted so shortly that no list of peers showed it.
                report.down.iter().for_each(|id| of.leases.entry(*id).or_default().end(now));
                report.up.iter().for_each(|id| of.leases.entry(*id).or_default().begin(now));
            }
        }
    }

    /// An agent sends any frame. A lease that it ends was connected until then, if it did not report otherwise.
    pub fn alive(&mut self, agent: usize, now: u64) {
        self.agents.entry(agent).or_default().alive = now;
    }

    /// The pool hears a report of an agent.
    pub fn heard(&mut self, agent: usize, now: u64) {
        let of = self.agents.entry(agent).or_default();
        let gap = now - of.heard.replace(now).unwrap_or(now);
        of.cut_off_ms += if gap > CUT_OFF_MS { gap } else { 0 };
    }

    /// How long an agent was cut off from the pool, in ms.
    pub(super) fn cut_off_ms(&self, agent: usize) -> u64 {
        self.agents.get(&agent).map_or(0, |of| of.cut_off_ms)
    }

    /// Whether reports of an agent were replaced by false ones.
    pub(super) fn is_false(&self, agent: usize) -> bool {
        self.liars.contains(&agent)
    }

    /// For how long both sides reported a lease as connected until `to`, in ms.
    pub(super) fn by_both(&self, client: usize, host: usize, lease: LeaseId, to: u64) -> u64 {
        let spans = |agent: usize| self.agents.get(&agent)?.leases.get(&lease);
        spans(client).zip(spans(host)).map_or(0, |(client, host)| client.overlap_with(host, 0, to))
    }

    /// An agent's process is killed: the next one does not know what was connected since its last frame.
    pub fn killed(&mut self, agent: usize) {
        if let Some(of) = self.agents.get_mut(&agent) {
            of.leases.values_mut().for_each(|spans| spans.end(of.alive));
        }
    }

    /// An agent has undone all its leases and ends.
    pub fn stopped(&mut self, agent: usize, now: u64) {
        if let Some(of) = self.agents.get_mut(&agent) {
            of.leases.values_mut().for_each(|spans| spans.end(now));
        }
    }

    /// A report of an agent is replaced by a false one.
    pub fn falsified(&mut self, agent: usize) {
        self.liars.insert(agent);
    }

    /// How an agent reported a lease as connected from `from` to `to`; `None` if some of its reports were false.
    pub(super) fn of(&self, agent: usize, lease: LeaseId, (from, to): (u64, u64)) -> Option<Overlap> {
        if self.liars.contains(&agent) {
            return None;
        }
        let spans = self.agents.get(&agent).and_then(|of| of.leases.get(&lease));
        Some(spans.unwrap_or(&Spans::default()).overlap(from, to))
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::wire::UpLease;

    use super::*;

    const LEASE: LeaseId = LeaseId::new(1);

    fn full(continuous: Option<bool>) -> ReportRequest {
        let full = continuous.map(|continuous| UpLease { lease: LEASE, continuous });
        ReportRequest { full: Some(full.into_iter().collect()), ..ReportRequest::default() }
    }

    fn delta(up: bool, down: bool) -> ReportRequest {
        let list = |is: bool| if is { vec![LEASE] } else { Vec::new() };
        ReportRequest { up: list(up), down: list(down), ..ReportRequest::default() }
    }

    /// For how long the lease was reported until 100.
    fn reported(reports: &ReportedConnections) -> u64 {
        reports.of(0, LEASE, (0, 100)).unwrap().ms
    }

    #[test]
    fn a_connection_ends_when_it_is_reported_or_with_the_report_before() {
        for (last, ms) in [
            (full(Some(true)), 90),
            (full(Some(false)), 20 + 40),
            (full(None), 20),
            (delta(false, false), 90),
            (delta(false, true), 50),
            (delta(true, true), 90),
        ] {
            let mut reports = ReportedConnections::default();
            reports.sent(0, &full(Some(false)), 10);
            reports.sent(0, &delta(false, false), 30);
            reports.sent(0, &last, 60);
            assert_eq!(reported(&reports), ms, "{last:?}");
        }
    }

    #[test]
    fn what_both_sides_reported_counts_and_an_agent_may_be_cut_off() {
        let mut reports = ReportedConnections::default();
        for (agent, at) in [(0, 10), (1, 40)] {
            reports.sent(agent, &full(Some(false)), at);
        }
        assert_eq!(reports.by_both(0, 1, LEASE, 100), 60);
        assert_eq!(reports.by_both(0, 2, LEASE, 100), 0);
        for at in [10, 60_010, 60_010 + CUT_OFF_MS, 200_000 + CUT_OFF_MS] {
            reports.heard(0, at);
        }
        assert_eq!((reports.cut_off_ms(0), reports.cut_off_ms(1)), (139_990, 0));
        assert!(!reports.is_false(0));
    }

    #[test]
    fn an_agent_that_is_killed_reported_until_its_last_report() {
        let mut reports = ReportedConnections::default();
        reports.sent(0, &full(Some(false)), 10);
        reports.sent(0, &delta(false, false), 30);
        reports.killed(0);
        assert_eq!(reported(&reports), 20);
        reports.sent(0, &full(Some(false)), 50);
        reports.stopped(0, 60);
        assert_eq!(reported(&reports), 20 + 10);
        reports.sent(0, &full(Some(false)), 70);
        reports.alive(0, 75);
        reports.killed(0);
        assert_eq!(reported(&reports), 20 + 10 + 5);
        assert_eq!(reports.of(0, LEASE, (0, 70)).unwrap().ms, 20 + 10);
        reports.falsified(0);
        assert_eq!(reports.of(0, LEASE, (0, 70)), None);
    }
}
