//! Checks of the whole journal of metered rows.

use std::collections::BTreeMap;

use vipnode_pool_core::MeteredPeriod;

use super::{Checker, Promise, Violation};
use crate::GroundTruth;

impl Checker {
    /// How much of the end of a trial no row has, in ms: what its sides have yet to report when it ends costs nothing, so nobody is
    /// asked for it.
    pub(super) const UNWRITTEN_TRIAL_MS: u64 = 60_000;

    /// Checks the journal of a whole run.
    ///
    /// # Errors
    /// [`Promise::Journal`]: a row is there twice, or a pair is billed twice for the same time.
    pub fn journal(&self, journal: &[MeteredPeriod]) -> Result<(), Violation> {
        let mut keys = BTreeMap::new();
        let mut pairs: BTreeMap<_, Vec<(u64, u64, &MeteredPeriod)>> = BTreeMap::new();
        for row in journal {
            if let Some(first) = keys.insert((row.lease.id, row.lease.row), row) {
                return Promise::Journal.broken(format!("a row is in the journal twice: {first:?} and {row:?}"));
            }
            if let Some((from, to)) = self.billed_span(row) {
                pairs.entry((row.lease.client, row.lease.host)).or_default().push((from, to, row));
            }
        }
        for mut spans in pairs.into_values() {
            spans.sort_by_key(|(from, to, _)| (*from, *to));
            for pair in spans.windows(2) {
                if pair[0].1 > pair[1].0 {
                    let (first, second) = (pair[0].2, pair[1].2);
                    return Promise::Journal
                        .broken(format!("a pair is billed twice for the same time: {first:?} and {second:?}"));
                }
            }
        }
        Ok(())
    }

    /// Checks a span without faults, after which every agent stopped in good order (virtual ms). Where clients pay, only the time
    /// counts during which a pair was `leased` too, by the host's journal.
    ///
    /// # Errors
    /// [`Promise::NothingLost`]: a pair was connected for longer than it was billed, by more than
    /// [`Self::lost_a_lease_ms`] a lease.
    pub fn nothing_lost(
        &self,
        journal: &[MeteredPeriod],
        (ground_truth, leased): (&GroundTruth, Option<&GroundTruth>),
        from: u64,
        to: u64,
    ) -> Result<(), Violation> {
        if self.merges {
            return Ok(());
        }
        let mut pairs: BTreeMap<_, (u64, BTreeMap<_, ()>)> = BTreeMap::new();
        for row in journal {
            let Some((begin, end)) = self.billed_span(row) else { continue };
            let pair = (self.number(row.lease.client)?, self.number(row.lease.host)?);
            let (billed, leases) = pairs.entry(pair).or_default();
            *billed += end.min(to).saturating_sub(begin.max(from));
            if end >= from {
                // What was reported last before a trial became a paid lease is lost too.
                leases.insert((row.lease.id, row.lease.trial), ());
            }
        }
        for ((client, host), begun) in &self.begun {
            let pair = (self.number(*client)?, self.number(*host)?);
            let begun =
                begun.iter().filter(|begun| begun.offered >= from).map(|begun| ((begun.lease, begun.trial), ()));
            if let Some((_, leases)) = pairs.get_mut(&pair) {
                leases.extend(begun);
            }
        }
        for ((client, host), (billed, leases)) in &pairs {
            let really = match leased {
                Some(leased) => ground_truth.overlap_with(leased, (*client, *host), from, to),
                None => ground_truth.overlap(*client, *host, from, to).ms,
            };
            // Two nodes that serve each other share one connection for both leases; and a node may keep a peer that it
            // found by itself, or that dialed it at the moment its lease ended.
            if pairs.contains_key(&(*host, *client)) || leases.is_empty() {
                continue;
            }
            let lost = really.saturating_sub(*billed);
            let trials = leases.keys().filter(|(_, trial)| *trial).count();
            let most =
                self.lost_a_lease_ms(*client, *host) * leases.len() as u64 + Self::UNWRITTEN_TRIAL_MS * trials as u64;
            if lost > most {
                return Promise::NothingLost.broken(format!(
                    "client {client} and host {host} were connected for {} ms between {from} and {to}, but only \
                     {billed} ms are billed, in {} leases",
                    really,
                    leases.len()
                ));
            }
        }
        Ok(())
    }
}
