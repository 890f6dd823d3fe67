use vipnode_pool_core::MeteredPeriod;
use vipnode_types::{Amount, Ms, meter};

use super::{Checker, FRAME_LATE_MS, Promise, Violation};
use crate::GroundTruth;

/// The most that an honest pair is overbilled for each gap in its connection, in ms: a report interval and two frames
/// in flight. One side may report falsely, and an agent whose node restarts reports a peer as gone once it does not come back.
/// What an honest agent of protocol 3 did not report is billed for no longer than a frame takes, [`FRAME_LATE_MS`].
pub const OVERBILLED_A_GAP_MS: u64 = 60_000 + 2 * FRAME_LATE_MS;

impl Checker {
    /// Checks a metered row that ended, at virtual time `now` in ms.
    ///
    /// # Errors
    /// [`Promise::Billing`]: it bills what it should not, or contradicts itself.
    pub fn metered(&mut self, row: &MeteredPeriod, now: u64, ground_truth: &GroundTruth) -> Result<(), Violation> {
        let wrong = |what: String| Promise::Billing.broken(format!("{what}: {row:?}"));
        let billed = meter::billed_ms(row.client, row.host);
        if row.billed_ms != billed {
            return wrong(format!("the formula of the meter gives {billed} ms"));
        }
        self.terms(row)?;
        if billed == 0 {
            return wrong("nothing is billed on the row".to_owned());
        }
        if row.cost != row.lease.price.cost_from(billed, row.lease.carry).map_or(Amount::ZERO, |(cost, _)| cost) {
            return wrong("the cost is not the price times the time".to_owned());
        }
        let ends = [row.client, row.host].into_iter().flatten().map(|seen| seen.end);
        if self.clock.virtual_ms(row.ended) > now || ends.max().is_some_and(|end| end > row.ended) {
            return wrong("the row ends in the future".to_owned());
        }
        let ups = (row.client.map(|seen| seen.up), row.host.map(|seen| seen.up));
        let begun = |side: Option<(Ms, Option<Ms>)>| side.map(|(up, _)| up);
        if ups != (begun(row.lease.client_seen), begun(row.lease.host_seen)) {
            return wrong("the row starts at other times than its lease".to_owned());
        }
        let (client, host) = match (self.known(row.lease.client)?, self.known(row.lease.host)?) {
            (Some(client), Some(host)) => (client, host),
            // No attacker was ever connected with anybody, so no honest side reported that.
            (Some(one), None) | (None, Some(one)) if !self.dishonest[one] => {
                return wrong(format!("agent {one} was never connected with an attacker"));
            }
            _ => return Ok(()),
        };
        self.metered += 1;
        self.billed_ms += billed;
        if self.dishonest[client] && self.dishonest[host] {
            return Ok(());
        }
        *self.billed_of.entry((client, host)).or_default() += billed;
        if self.speaks2(client, host) {
            self.billed2_ms += billed;
        }
        self.connected(row, [client, host], ground_truth)
    }

    /// Checks that the sides of a row were connected in the time that it bills, and that each agent of protocol 3 reported that.
    fn connected(&self, row: &MeteredPeriod, sides: [usize; 2], ground_truth: &GroundTruth) -> Result<(), Violation> {
        let wrong = |what: String| Promise::Billing.broken(format!("{what}: {row:?}"));
        let Some((from, to)) = self.billed_span(row) else { return Ok(()) };
        let ([client, host], billed) = (sides, to - from);
        if !ground_truth.ever_before(client, host, to) {
            return wrong("the pair was never connected".to_owned());
        }
        let asleep: u64 = self.sleeps.iter().map(|(a, b)| b.min(&to).saturating_sub(*a.max(&from))).sum();
        let really = ground_truth.overlap(client, host, from, to);
        if billed > really.with_gaps(OVERBILLED_A_GAP_MS) + asleep {
            return wrong(format!(
                "billed {billed} ms, but the pair was connected for {} ms, with gaps of {:?} and {asleep} ms of sleep",
                really.ms, really.gaps
            ));
        }
        for agent in sides.into_iter().filter(|&agent| !self.protocol2[agent] && !self.dishonest[agent]) {
            let Some(reported) = self.reported.of(agent, row.lease.id, (from, to)) else { continue };
            if billed > reported.with_gaps(FRAME_LATE_MS) + asleep {
                return wrong(format!(
                    "billed {billed} ms, but agent {agent} reported the lease as connected for {} ms, with gaps of \
                     {:?} and {asleep} ms of sleep",
                    reported.ms, reported.gaps
                ));
            }
        }
        Ok(())
    }

    /// The span that a row bills, in virtual ms; `None` if it bills nothing.
    pub(super) fn billed_span(&self, row: &MeteredPeriod) -> Option<(u64, u64)> {
        let (from, to) = pool_span(row)?;
        Some((self.clock.virtual_ms(from), self.clock.virtual_ms(to))).filter(|(from, to)| from < to)
    }

    /// How much of the time that a row bills did not pass, in ms.
    #[must_use]
    pub fn false_ms(&self, row: &MeteredPeriod) -> u64 {
        pool_span(row).map_or(0, |(from, to)| self.clock.false_ms(from, to))
    }

    /// Checks the terms of a row: a lease begins at the price at that moment, and keeps a price of the pool. Nobody owes what is
    /// metered without payments.
    fn terms(&self, row: &MeteredPeriod) -> Result<(), Violation> {
        let lease = &row.lease;
        let offered = self.clock.virtual_ms(lease.offered);
        let begun = self.billed_span(row).map_or(offered, |(from, _)| from);
        // A later period may have the price of any moment from its offer until it began.
        let until = if lease.row == 0 { offered } else { begun.max(offered) };
        let fits = self.prices.between(offered, until).any(|price| price == lease.price);
        if lease.trial && !(lease.price.is_free() && self.pays) {
            return Promise::Billing.broken(format!("a trial is free, and of a pool whose clients pay: {row:?}"));
        }
        if !fits && !lease.trial {
            return Promise::Billing.broken(format!("the pool did not charge this price then: {row:?}"));
        }
        if lease.payer.is_some() && !self.pays {
            return Promise::Billing.broken(format!("an account owes what is metered without payments: {row:?}"));
        }
        Ok(())
    }
}

/// The span that a row bills, in pool time; `None` if it bills nothing.
fn pool_span(row: &MeteredPeriod) -> Option<(Ms, Ms)> {
    let (client, host) = (row.client?, row.host?);
    let (from, to) = (client.up.max(host.up), client.end.min(host.end));
    (from < to).then_some((from, to))
}
