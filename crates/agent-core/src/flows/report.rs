//! Reports to the pool: which leased peers are connected, and other facts.

use vipnode_types::{
    LeaseId, Ms,
    wire::{HostCapabilities, LeasePrice, ReportReply, WireError},
};

use crate::{
    Action, AgentCore, Notice,
    leases::Lease,
    limits,
    pool::{
        dialect::{ReportOf, Reported},
        report::{NextReport, ReportState},
        session::{Request, retry_ms},
    },
};

impl AgentCore {
    /// Returns the leases that disconnected and reconnected and whose report is due or in flight.
    pub(crate) fn set_flapped(&mut self, leases: &[LeaseId], flapped: bool) {
        for id in leases {
            if let Some(lease) = self.leases.get_mut(*id) {
                lease.connection_mut().set_flapped(flapped);
            }
        }
    }

    pub(crate) fn report_due(&self) -> Option<Ms> {
        let may = self.session.is_live() && self.stopping.is_none();
        self.reports.due(self.now).filter(|_| may)
    }

    pub(crate) fn send_report(&mut self, now: Ms, out: &mut Vec<Action>) {
        let Some(interval_ms) = self.session.interval_ms() else { return };
        if !self.reports.is_free(now) {
            return;
        }
        let news = self.news(now);
        let has_flapped = |id: LeaseId| self.leases.get(id).is_none_or(|lease| lease.connection().has_flapped());
        let Some(mut report) = self.reports.compose(now, interval_ms, &news, has_flapped) else { return };
        if report.full.is_some() {
            self.leases.iter_mut().for_each(Lease::forget_caps_reported);
        }
        report.host_capabilities = self.seen_hosts();
        self.set_flapped(&news.flapped, false);
        let next = NextReport::draw(interval_ms, self.dialect.report_pause_ms(interval_ms), &mut self.rng);
        let tag = self.new_tag();
        self.reports.sent(Request { tag, sent: now }, &report, news, next);
        let mut peers: Vec<_> = self.leases.iter().filter(|l| l.is_reported()).map(Lease::peer_id).collect();
        peers.sort_unstable();
        peers.dedup();
        let block = self.node.block().unwrap_or(0);
        out.push(Action::Pool { tag, request: self.dialect.report(ReportOf { report, peers, block }) });
    }

    fn news(&self, now: Ms) -> ReportState {
        let reported = || self.leases.iter().filter(|lease| lease.is_reported());
        // A peer that the node lost in its restart may come back; it is reported once that is known.
        let flapped = |lease: &&Lease| lease.connection().has_flapped() && !lease.connection().is_returning();
        ReportState {
            set: reported().map(Lease::id).collect(),
            flapped: reported().filter(flapped).map(Lease::id).collect(),
            slots: self.config.host.is_some().then(|| self.offer(now).slots),
            light_full: self.light_slots.are_taken(),
            block: self.node.block(),
        }
    }

    /// Returns the capabilities of hosts that were not reported on this socket.
    fn seen_hosts(&mut self) -> Vec<HostCapabilities> {
        let reported = self.leases.iter_mut().filter(|lease| lease.is_reported());
        let seen = reported.filter_map(|lease| {
            let id = lease.id();
            lease.take_unreported_caps().map(|caps| HostCapabilities { lease: id, capabilities: caps })
        });
        seen.take(limits::SEEN_HOSTS).collect()
    }

    pub(crate) fn report_answered(&mut self, now: Ms, answer: Result<Reported, WireError>, out: &mut Vec<Action>) {
        let answer = answer.map(|reported| {
            if let Some(update) = &reported.update {
                self.take_update(now, update, out);
            }
            reported.reply
        });
        let Some(sent) = self.reports.answered() else { return };
        if let Ok(ReportReply { price: Some(price), fee_bps, .. }) = answer {
            let before = self.session.price();
            self.session.set_price(price, fee_bps);
            self.announce_price(before, out);
            self.present_kept_price(now, out);
        }
        if let Ok(ReportReply { price, next_price, .. }) = answer
            && (price.is_some() || next_price.is_some())
        {
            self.announce_next_price(now, next_price, out);
        }
        if let Ok(ReportReply { lease_prices, .. }) = &answer {
            for &LeasePrice { lease, price } in lease_prices {
                self.meter_at(now, lease, price, out);
            }
        }
        if matches!(answer, Ok(ReportReply { resync: false, .. })) {
            self.reports.accept(sent);
            return;
        }
        // The pool counted nothing.
        let full = sent.is_full();
        self.set_flapped(&sent.into_flapped(), true);
        self.reports.repeat();
        let wait_ms = match answer {
            // Two sides that never agree must not exchange messages without a pause.
            Ok(_) if full => limits::BACKOFF_FIRST_MS.max(self.reports.refused(&mut self.rng)),
            Ok(_) => 0,
            Err(error) if self.dialect.is_forgotten(retry_ms(&error)) => return self.not_accepted(now, error, out),
            Err(error) => {
                let wait_ms = retry_ms(&error).unwrap_or(limits::BACKOFF_FIRST_MS);
                out.push(Action::Notice(Notice::PoolRefused(error)));
                wait_ms.max(self.reports.refused(&mut self.rng))
            }
        };
        self.reports.hold(now.plus(wait_ms));
    }
}
