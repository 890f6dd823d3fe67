use vipnode_types::wire::{ExplainReply, ExplainedHost, WireError};

use crate::{
    agents::node::Node,
    collections::seeded_rng::SeededRng,
    core_error::CoreError,
    matching::{Context, Matching, funding::Funding, no_host::NoHost},
};

impl Matching {
    /// Explains why a client has its hosts and no others. The answer has only numbers about other hosts.
    ///
    /// # Errors
    /// The node is not a client.
    pub(crate) fn explain(
        &self,
        index: u32,
        rng: &mut SeededRng,
        context: Context<'_>,
    ) -> Result<ExplainReply, WireError> {
        if !context.agents.get(index).is_some_and(Node::is_client) {
            return Err(CoreError::NoClient.into());
        }
        let hosts = self.open_hosts.connected().len();
        let most = hosts.min(context.limits.explained_hosts as usize);
        let start = if most < hosts { rng.below(hosts) } else { 0 };
        let survey = self.survey(index, start, most, context);
        let missing = self.missing(index, context);
        let given = context.leases.of_client(index).filter(|(_, lease)| lease.is_known_to_client());
        let given = given.filter_map(|(_, lease)| {
            let host = context.agents.id(lease.host())?;
            Some(ExplainedHost { lease: lease.id(), host, selection: self.selections.get(lease.id()) })
        });
        let given: Vec<ExplainedHost> = given.collect();
        let none = (survey.candidates == 0 && survey.complete).then_some(NoHost::NoneFits);
        let why = if missing > 0 { self.why_missing(index, none, context) } else { None };
        let reason = match why {
            Some(NoHost::Payment(shortage)) => Some(shortage.error(0).to_string()),
            Some(why) => self.no_host_text(index, why, &survey, context),
            None if missing > 0 => self.assignable_text(index, &survey, context),
            None => None,
        };
        Ok(ExplainReply {
            want: self.want(index),
            missing,
            reason,
            price: context.limits.price,
            connected_hosts: u64::try_from(hosts).unwrap_or(u64::MAX),
            examined: survey.examined,
            candidates: survey.candidates,
            excluded: survey.excluded(),
            hosts: given,
        })
    }

    /// The number of hosts that a client wants beyond those that it knows of.
    pub(crate) fn missing(&self, client: u32, context: Context<'_>) -> u32 {
        self.want(client).saturating_sub(context.leases.known_count(client))
    }

    /// Returns why a client would get no offer now; `none` is the reason if no host fits.
    pub(in crate::matching) fn why_missing(
        &self,
        index: u32,
        none: Option<NoHost>,
        context: Context<'_>,
    ) -> Option<NoHost> {
        let Context { now, limits, agents, leases, metering, .. } = context;
        let node = agents.get(index)?;
        // In the order of the checks of a request for hosts, so that both give the same reason.
        let before_payment = [
            (NoHost::Drained, agents.is_drained(index)),
            (NoHost::Unpaired, metering.past_unpaired(index, now, (agents, leases), limits)),
            (NoHost::Periods, metering.lacks_periods(index, now, agents, limits)),
        ];
        let after_payment = [
            (NoHost::Block, self.offers_exhausted(index, context)),
            (NoHost::Price(limits.price), !node.accepts(limits.price)),
            (NoHost::NoneFree, self.free_on(node.chain(), context) == 0),
        ];
        let of_payment = || match context.funding(index) {
            Funding::Short(shortage) => Some(NoHost::Payment(Box::new(shortage))),
            Funding::InTrial => Some(NoHost::InTrial(limits.payment)),
            Funding::Trial => self.why_trial_waits(index, context),
            Funding::Paid => None,
        };
        let of_all = first_of(before_payment).or_else(of_payment).or_else(|| first_of(after_payment));
        let scarce = || {
            let kept = leases.client_count(index) > 0 && self.scarce(index, context);
            kept.then(|| self.scarcity(index, context))
        };
        of_all.or(none).or_else(scarce)
    }
}

/// The first reason that holds.
fn first_of(reasons: [(NoHost, bool); 3]) -> Option<NoHost> {
    reasons.into_iter().find_map(|(why, holds)| holds.then_some(why))
}
