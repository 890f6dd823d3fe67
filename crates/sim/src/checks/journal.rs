//! What has to be true of the whole journal of metered rows.

use std::collections::BTreeMap;

use vipnode_pool_core::MeteredRow;

use super::{Checker, LOST_A_LEASE_MS, checker::billed_span};
use crate::Truth;

impl Checker {
    /// The journal of a whole run.
    ///
    /// # Errors
    /// A row stands twice, or a pair is billed twice for the same time.
    pub fn journal(&self, journal: &[MeteredRow]) -> Result<(), String> {
        let mut keys = BTreeMap::new();
        let mut pairs: BTreeMap<_, Vec<(u64, u64, &MeteredRow)>> = BTreeMap::new();
        for row in journal {
            if let Some(first) = keys.insert((row.lease.id, row.lease.row), row) {
                return Err(format!("one row stands twice in the journal: {first:?} and {row:?}"));
            }
            if let Some((from, to)) = billed_span(row) {
                pairs.entry((row.lease.client, row.lease.host)).or_default().push((from, to, row));
            }
        }
        for mut spans in pairs.into_values() {
            spans.sort_by_key(|(from, to, _)| (*from, *to));
            for pair in spans.windows(2) {
                if pair[0].1 > pair[1].0 {
                    return Err(format!("a pair pays twice for the same time: {:?} and {:?}", pair[0].2, pair[1].2));
                }
            }
        }
        Ok(())
    }

    /// A stretch without faults, after which everybody stopped in good order.
    ///
    /// # Errors
    /// A pair that was connected was billed less than that by more than an interval a lease.
    pub fn nothing_lost(&self, journal: &[MeteredRow], truth: &Truth, from: u64, to: u64) -> Result<(), String> {
        let mut pairs: BTreeMap<_, (u64, BTreeMap<_, ()>)> = BTreeMap::new();
        for row in journal {
            let Some((begin, end)) = billed_span(row) else { continue };
            let pair = (self.number(row.lease.client)?, self.number(row.lease.host)?);
            let (billed, leases) = pairs.entry(pair).or_default();
            *billed += end.min(to).saturating_sub(begin.max(from));
            if end >= from {
                leases.insert(row.lease.id, ());
            }
        }
        for ((client, host), (billed, leases)) in &pairs {
            let really = truth.overlap(*client, *host, from, to);
            // Two that serve each other have one connection for both leases; and a node may keep a peer
            // that it found by itself, or that dialled it in the moment its lease ended.
            if pairs.contains_key(&(*host, *client)) || leases.is_empty() {
                continue;
            }
            let lost = really.ms.saturating_sub(*billed);
            if lost > LOST_A_LEASE_MS * leases.len() as u64 {
                return Err(format!(
                    "client {client} and host {host} were connected for {} ms from {from} to {to}, of which {billed} \
                     were billed, in {} leases",
                    really.ms,
                    leases.len()
                ));
            }
        }
        Ok(())
    }
}
