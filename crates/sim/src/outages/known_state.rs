use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
};

use vipnode_pool_core::MeteredPeriod;
use vipnode_types::{LeaseId, Ms, NodeId, wire::Side};

use crate::bench::now;

/// By how much the clock of the pool may differ from that of the agents: it is monotonic.
const CLOCK_MS: u64 = 20;

/// What agents know of what a pool did.
#[derive(Debug, Default)]
pub(super) struct KnownState {
    /// Nodes whose connect was answered.
    pub(super) nodes: BTreeSet<NodeId>,
    /// Leases that an answer named and that nobody left.
    pub(super) leases: BTreeSet<LeaseId>,
    /// Leases that were left, and the pool answered that.
    pub(super) ended: BTreeSet<LeaseId>,
    /// For each lease and side, when that side first reported it and until when it can have seen the other.
    spans: BTreeMap<(LeaseId, bool), SeenSpan>,
    /// What was done, for the summary.
    pub(super) operations: u64,
}

#[derive(Debug, Clone, Copy)]
struct SeenSpan {
    from: Ms,
    until: Ms,
}

/// The last sign of life of an agent that the pool can know of.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastSign {
    answered: Ms,
    in_flight: bool,
}

impl LastSign {
    pub(super) fn new() -> Self {
        Self { answered: now(), in_flight: false }
    }

    pub(super) const fn sent(&mut self) {
        self.in_flight = true;
    }

    pub(super) fn answered(&mut self) {
        *self = Self::new();
    }

    /// Until when the pool can have heard from the agent.
    fn until(self) -> Ms {
        if self.in_flight { now() } else { self.answered }
    }
}

impl KnownState {
    /// A side is about to report a lease for the first time.
    pub(super) fn up(&mut self, lease: LeaseId, side: Side) {
        self.spans.entry((lease, side == Side::Client)).or_insert(SeenSpan { from: now(), until: Ms::NEVER });
    }

    /// A side can no longer see the other.
    pub(super) fn down(&mut self, lease: LeaseId, side: Side, sign: LastSign) {
        if let Some(span) = self.spans.get_mut(&(lease, side == Side::Client)) {
            span.until = span.until.min(sign.until());
        }
    }

    /// Checks that a billing period is within what both sides can have seen.
    pub(super) fn check(&self, period: &MeteredPeriod) -> Result<(), Box<dyn Error>> {
        let lease = period.lease.id;
        let sides = [self.spans.get(&(lease, true)), self.spans.get(&(lease, false))];
        let most = match sides {
            [Some(client), Some(host)] => {
                let until = client.until.min(host.until).min(now());
                until.since(client.from.max(host.from)).saturating_add(CLOCK_MS)
            }
            _ => 0,
        };
        if period.billed_ms > most {
            let billed = period.billed_ms;
            return Err(format!("lease {lease} is billed {billed} ms, and both sides saw at most {most} ms").into());
        }
        Ok(())
    }
}
