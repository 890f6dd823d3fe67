use vipnode_types::{Ms, wire::Side};

use crate::{
    CallOutcome, Core,
    agents::node::Node,
    leases::{calls_in_flight::CallInFlight, lease::Lease, pricing::Pricing},
    metering::{
        billed_period::Ends,
        final_parts::{FinalPart, PartSide},
        unpaired::Pair,
    },
    output::Output,
};

impl Core {
    /// Returns the last part of a lease that ends now, if its sides may confirm more than they reported. `ends` is when
    /// they last were connected to each other by their reports, and `by` is the side that ended the lease: its own word
    /// counts, and it is not asked. A trial is billed nothing.
    pub(crate) fn final_part(&self, lease: &Lease, ends: Ends, by: Option<Side>) -> Option<FinalPart> {
        if !lease.is_running() || self.leases.is_trial(lease) {
            return None;
        }
        let of_side = |side: Side, end: Ms| {
            let node = lease.node(side);
            let confirms = by != Some(side) && self.may_confirm(lease, side);
            let until = if confirms { self.sees_until(node).max(end) } else { end };
            Some(PartSide::new(self.agents.handle(node)?, end, until))
        };
        let sides = [of_side(Side::Client, ends.client)?, of_side(Side::Host, ends.host)?];
        FinalPart::new(self.lease_row(lease)?, ends.common().max(lease.both_up()), sides)
    }

    /// Whether a side that is asked to undo its lease confirms by that that it saw the other until now: it reported so on this
    /// connection, and since the pool resumed. Over protocol 2, no call asks it.
    fn may_confirm(&self, lease: &Lease, side: Side) -> bool {
        let node = lease.node(side);
        let reports = |agent: &Node| agent.can_dial() && agent.seq() > 0 && agent.seen() >= self.clock.resumed();
        lease.sees(side) && self.agents.get(node).is_some_and(reports) && !self.is_silent(node)
    }

    /// Until when a connected agent sees what it last reported: until now, but no longer than its next report takes.
    pub(crate) fn sees_until(&self, node: u32) -> Ms {
        self.clock.now().min(self.agents.seen(node).plus(self.limits.report_interval_ms))
    }

    /// Has the last part of a lease wait for the answers of its sides. Its payer keeps what it costs at most.
    pub(crate) fn await_answers(&mut self, part: FinalPart, now: Ms) {
        if let (Some(ledger), Some(payer)) = (&mut self.ledger, part.payer()) {
            ledger.cost_waits(payer, part.cost, now);
        }
        self.metering.wait_for_final_part(part);
    }

    /// Handles the end of a call that asked a side to undo a lease.
    pub(crate) fn lease_undone(&mut self, output: &mut Output, call: &CallInFlight, outcome: &CallOutcome) {
        let confirmed = *outcome == CallOutcome::Done;
        if let Some(part) = self.metering.final_part_answered(call.lease, call.node, confirmed) {
            self.settle_part(output, part);
        }
    }

    /// A node that stops saw until now whom it was asked about.
    pub(crate) fn confirm_final_parts(&mut self, output: &mut Output, index: u32) {
        let Some(node) = self.agents.handle(index) else { return };
        for lease in self.metering.final_parts_awaited_from(node) {
            if let Some(part) = self.metering.final_part_answered(lease, node, true) {
                self.settle_part(output, part);
            }
        }
    }

    /// Bills what both sides confirmed, and counts the rest as unpaired time.
    fn settle_part(&mut self, output: &mut Output, part: FinalPart) {
        if let (Some(ledger), Some(payer)) = (&mut self.ledger, part.payer()) {
            ledger.cost_posted(payer, part.cost, output.now);
        }
        let (Some(client), Some(host)) = (self.agents.live(part.client.node), self.agents.live(part.host.node)) else {
            return;
        };
        let pair = Pair { client, host };
        let payer = self.payer(client);
        if payer.is_some() && payer != part.lease.payer {
            // Periods of two payers are not added up, and to write them at once would have no limit.
            let pricing = Pricing::new(part.lease.price, part.lease.fee_bps);
            self.add_unpaired(output, pair, pricing, part.most_ms);
            return;
        }
        let ends = part.ends();
        self.write_period(output, pair, (*part.lease, ends), part.most_ms);
    }
}
