//! What honest pairs are billed over a whole run with faults, compared with what both sides reported.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_pool_core::MeteredPeriod;
use vipnode_types::{LeaseId, NodeId};

use super::{Checker, Promise, Violation};

/// An agent reports at least this often, in ms.
const REPORT_MS: u64 = 60_000;

impl Checker {
    /// Checks a whole run, until `to` (virtual ms). Pairs of which a side may speak protocol 2, or of which a report was false, are left
    /// out: the pool does not know what they see. So are runs in which periods are added up.
    ///
    /// # Errors
    /// [`Promise::NothingLost`]: both sides of a pair reported to be connected for longer than they were billed, by more than
    /// a report interval and [`Self::lost_a_lease_ms`] for each lease, and the time that a side could not reach the pool.
    pub fn reports_are_billed(&self, journal: &[MeteredPeriod], to: u64) -> Result<(), Violation> {
        if self.merges {
            return Ok(());
        }
        let mut billed: BTreeMap<LeaseId, u64> = BTreeMap::new();
        for row in journal {
            let (from, until) = self.billed_span(row).unwrap_or_default();
            *billed.entry(row.lease.id).or_default() += until - from;
        }
        let mut pairs: BTreeMap<(NodeId, NodeId), (BTreeSet<LeaseId>, u64)> = BTreeMap::new();
        for row in journal {
            pairs.entry((row.lease.client, row.lease.host)).or_default().0.insert(row.lease.id);
        }
        for (pair, begun) in &self.begun {
            let (leases, trials) = pairs.entry(*pair).or_default();
            leases.extend(begun.iter().map(|begun| begun.lease));
            *trials = begun.iter().filter(|begun| begun.trial).count() as u64;
        }
        for ((client, host), (leases, trials)) in &pairs {
            let (client, host) = (self.number(*client)?, self.number(*host)?);
            if self.speaks2(client, host) || self.reported.is_false(client) || self.reported.is_false(host) {
                continue;
            }
            let lost = leases.iter().map(|lease| {
                let billed = billed.get(lease).copied().unwrap_or(0);
                self.reported.by_both(client, host, *lease, to).saturating_sub(billed)
            });
            let lost: u64 = lost.sum();
            let cut_off = self.reported.cut_off_ms(client) + self.reported.cut_off_ms(host);
            let a_lease = REPORT_MS + self.lost_a_lease_ms(client, host);
            let most = a_lease * leases.len() as u64 + cut_off + *trials * Self::UNWRITTEN_TRIAL_MS;
            if lost > most {
                return Promise::NothingLost.broken(format!(
                    "client {client} and host {host} reported to be connected for {lost} ms that are not billed, in {} leases, and \
                     could not reach the pool for {cut_off} ms",
                    leases.len()
                ));
            }
        }
        Ok(())
    }
}
