use vipnode_types::wire::EvictReason;

use crate::{
    Core,
    matching::{funding::Funding, no_host::NoHost},
    output::Output,
};

impl Core {
    /// A client found no host for this reason: if it can pay, the newest trial ends whose host fits it. It then gets the slot, once the
    /// host has evicted the client of the trial, as it waits before any client that does not pay.
    pub(crate) fn displace_for(&mut self, output: &mut Output, client: u32, why: &NoHost) {
        let of_slots = matches!(why, NoHost::NoneFree | NoHost::NoneFits | NoHost::Incompatible(_));
        let any = self.leases.trials().next().is_some();
        if !of_slots || !any || self.context().funding(client) != Funding::Paid || self.check_client(client).is_err() {
            return;
        }
        let (matching, context) = self.matching();
        if !matching.may_displace(client, context) {
            return;
        }
        let Some(index) = self.trial_for(output, client) else { return };
        let (matching, context) = self.matching();
        matching.displaces(client, context);
        self.end_lease(output, index, EvictReason::PayersFirst, None, None);
    }

    /// As [`Self::displace_for`], for the client of a chain whose turn it is, while the chain has no free slot.
    pub(crate) fn displace_for_waiting(&mut self, output: &mut Output, chain: u32) {
        if self.leases.trials().next().is_none() || self.matching.free_on(chain, self.context()) > 0 {
            return;
        }
        if let Some(client) = self.matching.next_payer(chain) {
            self.displace_for(output, client, &NoHost::NoneFree);
        }
    }

    /// The newest trial whose host fits a client, among so many as a search looks at. In the reconnect window, those from before it
    /// stay.
    fn trial_for(&self, output: &mut Output, client: u32) -> Option<u32> {
        let (context, mut steps) = (self.context(), 0_u32);
        let mut criteria = self.matching.criteria(client, context);
        let window = self.clock.in_window_since();
        let found = self.leases.trials().take(self.limits.examined_hosts as usize).find_map(|id| {
            steps = steps.saturating_add(1);
            let index = self.leases.find(id)?;
            let lease = self.leases.get(index)?;
            let may_end = !lease.is_admitting() && window.is_none_or(|began| lease.offered() >= began);
            let fits = may_end && self.matching.fits_once_free(&mut criteria, lease.host(), context);
            fits.then_some(index)
        });
        output.count_steps(self.agents.address(client), steps);
        found
    }
}
