use std::time::Duration;

use vipnode_pool_core::{AddressBlock, Steps};

/// The measured time of a step of a search, by which blocks are charged for searches that others started.
#[derive(Debug)]
pub(super) struct StepTime {
    ns: u64,
}

/// The time of a step, in nanoseconds, before any is measured.
const ASSUMED_NS: u64 = 500;
/// Nobody pays more than this for a step, in nanoseconds, however slow the machine was in that moment.
const MOST_NS: u64 = 20_000;

impl StepTime {
    pub(super) const fn new() -> Self {
        Self { ns: ASSUMED_NS }
    }

    /// Learns from a command that took this long, if it searched at all.
    pub(super) fn learn(&mut self, spent: Duration, steps: &Steps) {
        let Some(measured) = nanos(spent).checked_div(steps.total().into()) else { return };
        self.ns = (self.ns.saturating_mul(7).saturating_add(measured.min(MOST_NS)) / 8).max(1);
    }

    /// Shares out the time that a command took: each block that a search was for is charged its steps, and `own`, whose
    /// command it was, the rest.
    pub(super) fn share_out(
        &self,
        spent: Duration,
        steps: &Steps,
        own: Option<AddressBlock>,
        mut charge: impl FnMut(AddressBlock, u64),
    ) {
        let mut left = nanos(spent);
        for (block, steps) in steps.iter() {
            let part = self.ns.saturating_mul(steps.into()).min(left);
            left -= part;
            charge(block, part);
        }
        if let Some(own) = own {
            charge(own, left);
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
