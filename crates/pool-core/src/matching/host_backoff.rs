use std::net::IpAddr;

use vipnode_types::Ms;

use crate::{
    Limits,
    collections::{address_block::AddressBlock, slab::Handle},
    matching::{Context, Matching},
};

// A host's recent behavior: after refusals it gets no offer for a while, strikes only rank it lower.

impl Matching {
    /// Gives a host that did not admit no offer for a while, longer each time.
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

    /// Returns a host whose rest is over.
    pub(crate) fn pop_rested(&mut self, now: Ms) -> Option<Handle> {
        self.rests.pop_due(now)
    }

    /// Lets a host get offers again.
    pub(crate) fn rest_over(&mut self, host: u32, context: Context<'_>) {
        if let Some(standing) = self.nodes.get_mut(host) {
            standing.resting = false;
        }
        self.refresh_open_hosts(host, context);
    }

    /// Resets the refusals of a host that admitted.
    pub(crate) fn host_admitted(&mut self, host: u32) {
        if let Some(standing) = self.nodes.get_mut(host) {
            standing.refusals = 0;
        }
    }

    /// Counts an offer of a host that never connected, or a wrong description by its agent.
    pub(crate) fn strike(&mut self, host: u32) {
        if let Some(standing) = self.nodes.get_mut(host) {
            standing.strikes = standing.strikes.saturating_add(1).min(3);
        }
    }

    /// A host and a client are connected: its strikes are reset, and one more of its slots is used.
    pub(crate) fn host_paired(&mut self, host: u32, client: Option<IpAddr>, limits: &Limits) {
        let Some(standing) = self.nodes.get_mut(host) else { return };
        standing.strikes = 0;
        standing.paired.begin(client.map(AddressBlock::of), limits.closed);
    }

    /// A host and a client that were connected have no lease any more.
    pub(crate) fn host_unpaired(&mut self, host: u32) {
        if let Some(standing) = self.nodes.get_mut(host) {
            standing.paired.end();
        }
    }

    /// The connected clients of a host, for checks.
    pub(crate) fn paired_clients(&self, host: u32) -> usize {
        self.nodes.get(host).paired.now().into()
    }
}

fn rest_ms(limits: &Limits, factor: u64) -> u64 {
    limits.rest_ms.saturating_mul(factor).min(limits.max_rest_ms)
}
