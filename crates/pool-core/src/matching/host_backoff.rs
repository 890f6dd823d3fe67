use vipnode_types::Ms;

use crate::{
    Limits,
    collections::slab::Handle,
    matching::{Context, Matching},
};

// What a host did of late: refusals let it rest, strikes only rank it lower.

impl Matching {
    /// Leaves a host alone for a while that did not admit, longer each time.
    pub(crate) fn rest_host(&mut self, host: u32, context: Context<'_>) {
        let Some(handle) = context.agents.handle(host) else { return };
        let Some(standing) = self.nodes.get_mut(host) else { return };
        let factor = 1_u64.checked_shl(u32::from(standing.refusals)).unwrap_or(u64::MAX);
        standing.refusals = standing.refusals.saturating_add(1).min(32);
        let rest = rest_ms(context.limits, factor);
        if !std::mem::replace(&mut standing.resting, true) {
            self.rests.push(context.now.plus(rest), handle);
        }
        self.refresh_open_hosts(host, context);
    }

    /// A host that has rested for long enough.
    pub(crate) fn pop_rested(&mut self, now: Ms) -> Option<Handle> {
        self.rests.pop_due(now)
    }

    /// A host may be asked again.
    pub(crate) fn rest_over(&mut self, host: u32, context: Context<'_>) {
        if let Some(standing) = self.nodes.get_mut(host) {
            standing.resting = false;
        }
        self.refresh_open_hosts(host, context);
    }

    /// A host admitted: its refusals are forgotten.
    pub(crate) fn host_admitted(&mut self, host: u32) {
        if let Some(standing) = self.nodes.get_mut(host) {
            standing.refusals = 0;
        }
    }

    /// An offer of a host never connected, or its agent described it wrongly.
    pub(crate) fn strike(&mut self, host: u32) {
        if let Some(standing) = self.nodes.get_mut(host) {
            standing.strikes = standing.strikes.saturating_add(1).min(3);
        }
    }

    /// A host connected with a client: its strikes are forgotten.
    pub(crate) fn host_connected(&mut self, host: u32) {
        if let Some(standing) = self.nodes.get_mut(host) {
            standing.strikes = 0;
        }
    }
}

fn rest_ms(limits: &Limits, factor: u64) -> u64 {
    limits.rest_ms.saturating_mul(factor).min(limits.max_rest_ms)
}
