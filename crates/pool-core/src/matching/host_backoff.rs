use std::collections::BTreeMap;

use vipnode_types::Ms;

use crate::{
    Limits,
    collections::{
        address_block::{AddressBlock, WideBlock},
        slab::Handle,
    },
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

    /// Counts an offer that never connected, or a wrong description, against a host; only on the word of a proven client.
    pub(crate) fn strike(&mut self, host: u32, client: u32, context: Context<'_>) {
        let Context { agents, limits, .. } = context;
        let Some(address) = agents.address(client).filter(|_| agents.is_proven(client)) else { return };
        let witness = if limits.closed { Witness::Member(client) } else { Witness::Block(AddressBlock::of(address)) };
        let witnesses = self.strikes.0.entry(host).or_default();
        if witnesses.len() < limits.strike_witnesses as usize && !witnesses.contains(&witness) {
            witnesses.push(witness);
        }
    }

    /// A host and a client are connected: one more of the host's slots is used. A proven client resets its strikes.
    pub(crate) fn host_paired(&mut self, host: u32, client: u32, context: Context<'_>) {
        if context.agents.is_proven(client) {
            self.strikes.forget(host);
        }
        let Some(standing) = self.nodes.get_mut(host) else { return };
        standing.paired.begin(context.agents.address(client).map(WideBlock::of), context.limits.closed);
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

    /// Whether proven clients of enough different address blocks found a host silent.
    pub(in crate::matching) fn is_struck(&self, host: u32, context: Context<'_>) -> bool {
        let witnesses = self.strikes.0.get(&host).map_or(0, Vec::len);
        witnesses >= context.limits.strike_witnesses as usize
    }
}

/// Those that say that a host admits clients and then stays silent, each once, by the host's index.
///
/// A client can cause that too: it need only not dial. So only proven clients count, and only together: a host ranks lower
/// once clients of three different address blocks agree. No stranger and no single operator ruins the rank of a host.
#[derive(Debug, Default)]
pub(in crate::matching) struct Strikes(BTreeMap<u32, Vec<Witness>>);

impl Strikes {
    /// Forgets what was said of a host.
    pub(in crate::matching) fn forget(&mut self, host: u32) {
        self.0.remove(&host);
    }
}

/// The source of a statement about a host. Members of a closed pool may all sit behind one address, so each counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Witness {
    Block(AddressBlock),
    Member(u32),
}

fn rest_ms(limits: &Limits, factor: u64) -> u64 {
    limits.rest_ms.saturating_mul(factor).min(limits.max_rest_ms)
}
