use vipnode_types::Ms;

use crate::{
    Limits,
    collections::slab::Handle,
    matching::{
        Context, Matching,
        strikes::{reporter, reporters_needed},
    },
};

// A host's recent behavior: after refusals, and once enough clients found it silent, it gets no offer for a while.

impl Matching {
    /// Gives a host that did not admit no offer for a while, longer each time.
    pub(crate) fn back_off_host(&mut self, host: u32, context: Context<'_>) {
        let Some(handle) = context.agents.handle(host) else { return };
        let Some(entry) = self.nodes.get_mut(host) else { return };
        let factor = 1_u64.checked_shl(u32::from(entry.refusals)).unwrap_or(u64::MAX);
        entry.refusals = entry.refusals.saturating_add(1).min(32);
        let backoff_ms = host_backoff_ms(context.limits, factor);
        self.suspend_host(host, handle, backoff_ms, context);
    }

    /// Gives a host no offer for so many milliseconds. A rest that began before goes on as it was.
    fn suspend_host(&mut self, host: u32, handle: Handle, host_backoff_ms: u64, context: Context<'_>) {
        let Some(entry) = self.nodes.get_mut(host) else { return };
        if !std::mem::replace(&mut entry.host_backing_off, true) {
            self.host_back_offs.push(context.now.plus(host_backoff_ms), handle);
        }
        self.refresh_open_hosts(host, context);
    }

    /// Whether a host gets no offer for a while, because it did not admit.
    pub(in crate::matching) fn is_backing_off(&self, host: u32) -> bool {
        self.nodes.get(host).host_backing_off
    }

    /// Returns a host whose rest is over.
    pub(crate) fn pop_backed_off_host(&mut self, now: Ms) -> Option<Handle> {
        self.host_back_offs.pop_due(now)
    }

    /// Lets a host get offers again.
    pub(crate) fn host_back_off_over(&mut self, host: u32, context: Context<'_>) {
        if let Some(entry) = self.nodes.get_mut(host) {
            entry.host_backing_off = false;
        }
        self.refresh_open_hosts(host, context);
    }

    /// Resets the refusals of a host that admitted.
    pub(crate) fn host_admitted(&mut self, host: u32) {
        if let Some(entry) = self.nodes.get_mut(host) {
            entry.refusals = 0;
        }
    }

    /// Counts an offer that never connected, or a wrong description, against a host, on the word of a client. Once enough
    /// of them count, each further one rests the host, for twice as long as the one before.
    pub(crate) fn strike(&mut self, host: u32, client: u32, context: Context<'_>) {
        let (Some(reporter), Some(handle)) = (reporter(client, context), context.agents.handle(host)) else { return };
        let needed = reporters_needed(context.limits);
        let Some(more) = self.strikes.count(host, reporter, context.limits).checked_sub(needed) else { return };
        let factor = 1_u64.checked_shl(u32::try_from(more).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
        self.suspend_host(host, handle, host_backoff_ms(context.limits, factor), context);
    }

    /// A host and a client are connected: one more of the host's slots is used. If the client's word counts, that lifts its
    /// strikes.
    pub(crate) fn host_paired(&mut self, host: u32, client: u32, context: Context<'_>) {
        if reporter(client, context).is_some() {
            self.strikes.forget(host);
        }
        let Some(entry) = self.nodes.get_mut(host) else { return };
        let [client, host] = [client, host].map(|node| context.agents.wide_block(node));
        entry.paired.begin(client, host, context.limits.members_only);
    }

    /// A host and a client that were connected have no lease any more.
    pub(crate) fn host_unpaired(&mut self, host: u32) {
        if let Some(entry) = self.nodes.get_mut(host) {
            entry.paired.end();
        }
    }

    /// The connected clients of a host, for checks.
    pub(crate) fn paired_clients(&self, host: u32) -> usize {
        self.nodes.get(host).paired.now().into()
    }

    /// Whether enough clients whose word counts found a host silent.
    pub(in crate::matching) fn is_struck(&self, host: u32, context: Context<'_>) -> bool {
        self.strikes.reporters(host) >= reporters_needed(context.limits)
    }
}

fn host_backoff_ms(limits: &Limits, factor: u64) -> u64 {
    limits.host_backoff_ms.saturating_mul(factor).min(limits.max_host_backoff_ms)
}
