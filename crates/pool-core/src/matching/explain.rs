use vipnode_types::wire::{Excluded, ExplainReply, ExplainedHost, WireError};

use crate::{
    collections::seeded_rng::SeededRng,
    core_error::CoreError,
    matching::{
        Context, Matching,
        candidates::Rejection,
        compatibility::{Incompatibilities, Incompatibility},
        no_host::NoHost,
    },
};

/// Counts of the connected hosts examined for a client, by the reason against them.
#[derive(Debug, Default)]
struct Survey {
    examined: u32,
    candidates: u32,
    excluded: Excluded,
    incompatibilities: Incompatibilities,
    /// Whether every connected host was examined.
    complete: bool,
}

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
        let survey = self.survey(index, rng, context)?;
        let missing = self.missing(index, context);
        let given = context.leases.of_client(index).filter(|(_, lease)| lease.is_known_to_client());
        let given = given.filter_map(|(_, lease)| {
            let host = context.agents.id(lease.host())?;
            Some(ExplainedHost { lease: lease.id(), host, selection: self.selections.get(lease.id()) })
        });
        let given: Vec<ExplainedHost> = given.collect();
        let Survey { examined, candidates, excluded, incompatibilities, complete } = survey;
        let incompatible =
            if incompatibilities.is_empty() { NoHost::NoneFits } else { NoHost::Incompatible(incompatibilities) };
        let none = (candidates == 0 && complete).then_some(incompatible);
        let why = if missing > 0 { self.why_missing(index, none, context) } else { None };
        let reason = why.and_then(|why| self.explain_no_host(index, why, context));
        Ok(ExplainReply {
            want: self.want(index),
            missing,
            reason,
            price: context.limits.price,
            connected_hosts: u64::try_from(self.open_hosts.connected().len()).unwrap_or(u64::MAX),
            examined,
            candidates,
            excluded,
            hosts: given,
        })
    }

    /// Examines a bounded number of connected hosts, starting at a random one.
    fn survey(&self, index: u32, rng: &mut SeededRng, context: Context<'_>) -> Result<Survey, WireError> {
        let hosts = self.open_hosts.connected();
        let most = hosts.len().min(context.limits.explained_hosts as usize);
        let start = if most < hosts.len() { rng.below(hosts.len()) } else { 0 };
        if !context.agents.get(index).is_some_and(crate::agents::node::Node::consuming) {
            return Err(CoreError::NoClient.into());
        }
        let mut criteria = self.criteria(index, context);
        let mut survey = Survey { complete: most == hosts.len(), ..Survey::default() };
        for step in 0..most {
            let at = start.saturating_add(step).checked_rem(hosts.len()).unwrap_or(0);
            let Some(&host) = hosts.get(at) else { break };
            survey.count(self.rejection(&mut criteria, host, context));
        }
        Ok(survey)
    }

    /// The number of hosts that a client wants beyond those that it knows of.
    pub(crate) fn missing(&self, client: u32, context: Context<'_>) -> u32 {
        self.want(client).saturating_sub(context.leases.known_count(client))
    }

    /// Returns why a client would get no offer now; `none` is the reason if no host fits.
    fn why_missing(&self, index: u32, none: Option<NoHost>, context: Context<'_>) -> Option<NoHost> {
        let Context { now, limits, agents, leases, metering } = context;
        let node = agents.get(index)?;
        let reasons = [
            (NoHost::Drained, agents.is_drained(index)),
            (NoHost::Unpaired, metering.past_unpaired(index, now, (agents, leases), limits)),
            (NoHost::Block, self.offers_exhausted(index, context)),
            (NoHost::Price(limits.price), limits.price > node.max_price()),
            (NoHost::NoneFree, self.free_on(node.chain(), context) == 0),
        ];
        let of_all = reasons.into_iter().find_map(|(why, holds)| holds.then_some(why));
        let scarce =
            || (leases.client_count(index) > 0 && self.scarce(index, context)).then_some(NoHost::Scarce);
        of_all.or(none).or_else(scarce)
    }
}

impl Survey {
    /// Counts a host. The client itself is not counted.
    fn count(&mut self, rejection: Option<Rejection>) {
        if let Some(count) = count_of(&mut self.excluded, &mut self.candidates, rejection.as_ref()) {
            *count = count.saturating_add(1);
            self.examined = self.examined.saturating_add(1);
        }
        if let Some(Rejection::Incompatible(why)) = rejection {
            self.incompatibilities.count(why, 1);
        }
    }
}

/// Returns the counter for a host; the client itself is not counted.
fn count_of<'a>(
    excluded: &'a mut Excluded,
    candidates: &'a mut u32,
    rejection: Option<&Rejection>,
) -> Option<&'a mut u32> {
    Some(match rejection {
        None => candidates,
        Some(Rejection::Itself) => return None,
        Some(Rejection::Chain) => &mut excluded.other_chain,
        Some(Rejection::Yours) => &mut excluded.already_leased,
        Some(Rejection::Price) => &mut excluded.too_expensive,
        Some(Rejection::Full | Rejection::Incompatible(Incompatibility::LightFull)) => &mut excluded.full,
        Some(Rejection::Avoided) => &mut excluded.avoided,
        Some(Rejection::Failed) => &mut excluded.recently_failed,
        Some(Rejection::Address) => &mut excluded.same_address,
        Some(Rejection::Incompatible(Incompatibility::NoAddress)) => &mut excluded.unreachable,
        Some(Rejection::Kind | Rejection::Incompatible(_)) => &mut excluded.incompatible,
    })
}
