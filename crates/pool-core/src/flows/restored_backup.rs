use vipnode_types::Ms;

use crate::{
    Core, Effect, RestoreRow, Row,
    leases::lease::{FirstSeen, UNSEEN},
    metering::billed_period::Ends,
    output::Output,
};

impl Core {
    /// Ends the billing period of each lease that ran in a backup at the time when both sides were last connected to
    /// each other. Does nothing if the database is not a restored backup, or if that was done before. The caller calls
    /// it once after it has restored the core.
    ///
    /// The next periods begin only now, although the sides of a lease may have stayed connected: what the pool lost may be the
    /// report of an interruption, and an agent confirms a connection only since its last report. So nobody is billed for the time from
    /// the backup until now.
    pub fn settle_backup(&mut self, now: Ms, out: &mut Vec<Effect>) {
        let Some(RestoreRow { at, is_settled: false }) = self.restored else { return };
        let mut output = Output::new(now.max(self.clock.now()));
        self.cut_rows(&mut output);
        self.persist_times(&mut output);
        self.post_metered(&mut output);
        let settled = RestoreRow { at, is_settled: true };
        self.restored = Some(settled);
        output.persist(Row::Restore(settled));
        output.finish(out);
    }

    /// Ends the row of each running lease at the last time that both sides were connected to each other, and begins the
    /// next one now.
    pub(crate) fn cut_rows(&mut self, output: &mut Output) {
        let began_before = |index: &u32| {
            let lease = self.leases.get(*index);
            lease.is_some_and(|lease| lease.is_running() && lease.both_up() < output.now)
        };
        let running: Vec<u32> = self.leases.iter().map(|(index, _)| index).filter(began_before).collect();
        for lease in running {
            self.cut_row(output, lease);
            self.begin_charges(lease);
            self.persist_lease(output, lease);
        }
    }

    fn cut_row(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get(index) else { return };
        let (end, now) = (Ends::of(lease, &self.agents).common().max(lease.both_up()), output.now);
        let host_down = if lease.host_down() == UNSEEN { UNSEEN } else { lease.host_down().max(now) };
        let carry = self.close_period(output, index, Ends::at(end), end);
        self.leases.next_period(index, FirstSeen { client_up: now, host_up: now, host_down }, carry, None);
    }

    /// From when on a link has to be signed, because the pool may have accepted an earlier one and lost that with the database that a
    /// backup replaced; zero if none was restored. What the pool accepted was signed at most `nonce_ahead_ms` ahead of its clock.
    pub(crate) fn links_from(&self) -> Ms {
        self.restored.map_or(Ms::ZERO, |restored| restored.at.plus(self.limits.nonce_ahead_ms))
    }
}
