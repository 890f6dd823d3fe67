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

// A host's recent behavior: after refusals, and once enough clients found it silent, it gets no offer for a while.

impl Matching {
    /// Gives a host that did not admit no offer for a while, longer each time.
    pub(crate) fn rest_host(&mut self, host: u32, context: Context<'_>) {
        let Some(handle) = context.agents.handle(host) else { return };
        let Some(standing) = self.nodes.get_mut(host) else { return };
        let factor = 1_u64.checked_shl(u32::from(standing.refusals)).unwrap_or(u64::MAX);
        standing.refusals = standing.refusals.saturating_add(1).min(32);
        let rest = rest_ms(context.limits, factor);
        self.rest(host, handle, rest, context);
    }

    /// Gives a host no offer for so many milliseconds. A rest that began before goes on as it was.
    fn rest(&mut self, host: u32, handle: Handle, rest_ms: u64, context: Context<'_>) {
        let Some(standing) = self.nodes.get_mut(host) else { return };
        if !std::mem::replace(&mut standing.resting, true) {
            self.rests.push(context.now.plus(rest_ms), handle);
        }
        self.refresh_open_hosts(host, context);
    }

    /// Whether a host gets no offer for a while, because it did not admit.
    pub(in crate::matching) fn is_resting(&self, host: u32) -> bool {
        self.nodes.get(host).resting
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

    /// Counts an offer that never connected, or a wrong description, against a host, on the word of a client. Once enough
    /// of them count, each further one rests the host, for twice as long as the one before.
    pub(crate) fn strike(&mut self, host: u32, client: u32, context: Context<'_>) {
        let (Some(witness), Some(handle)) = (witness(client, context), context.agents.handle(host)) else { return };
        let needed = witnesses_needed(context.limits);
        let Some(more) = self.strikes.count(host, witness, context.limits).checked_sub(needed) else { return };
        let factor = 1_u64.checked_shl(u32::try_from(more).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
        self.rest(host, handle, rest_ms(context.limits, factor), context);
    }

    /// A host and a client are connected: one more of the host's slots is used. If the client's word counts, that lifts its
    /// strikes.
    pub(crate) fn host_paired(&mut self, host: u32, client: u32, context: Context<'_>) {
        if witness(client, context).is_some() {
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

    /// Whether enough clients whose word counts found a host silent.
    pub(in crate::matching) fn is_struck(&self, host: u32, context: Context<'_>) -> bool {
        self.strikes.0.get(&host).map_or(0, Vec::len) >= witnesses_needed(context.limits)
    }
}

/// Those that say that a host admits clients and then stays silent, each once, by the host's index.
///
/// A client can cause that too: it need only not dial. So only proven clients count, and only together: a host ranks lower
/// and rests once clients of three different address blocks agree. No stranger and no single operator ruins the rank of a
/// host. In a closed pool, the word of any member counts alone: its operator knows the members. No block and no member
/// counts twice before the host is connected with such a client again, so a client that cannot dial anybody rests each
/// host once.
#[derive(Debug, Default)]
pub(in crate::matching) struct Strikes(BTreeMap<u32, Vec<Witness>>);

impl Strikes {
    /// Counts a witness against a host. Returns the number of witnesses; zero if this one counted before. Beyond as many
    /// as rest a host for the longest time, the oldest may count again.
    fn count(&mut self, host: u32, witness: Witness, limits: &Limits) -> usize {
        let witnesses = self.0.entry(host).or_default();
        if witnesses.contains(&witness) {
            return 0;
        }
        let longest = limits.max_rest_ms.checked_div(limits.rest_ms.max(1)).unwrap_or(0).checked_ilog2().unwrap_or(0);
        let most = witnesses_needed(limits).saturating_add(longest as usize).saturating_add(1);
        if witnesses.len() >= most {
            witnesses.remove(0);
        }
        witnesses.push(witness);
        witnesses.len()
    }

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

/// The witness that a client is, if its word counts.
fn witness(client: u32, context: Context<'_>) -> Option<Witness> {
    let Context { agents, limits, .. } = context;
    let address = agents.address(client)?;
    if limits.closed {
        return Some(Witness::Member(client));
    }
    agents.is_proven(client).then(|| Witness::Block(AddressBlock::of(address)))
}

/// How many witnesses it takes.
const fn witnesses_needed(limits: &Limits) -> usize {
    if limits.closed { 1 } else { limits.strike_witnesses as usize }
}

fn rest_ms(limits: &Limits, factor: u64) -> u64 {
    limits.rest_ms.saturating_mul(factor).min(limits.max_rest_ms)
}
