use vipnode_types::wire::Excluded;

use crate::{
    agents::node::Node,
    matching::{Context, Matching, compatibility::Incompatibility, rejection::Rejection},
};

/// Counts of the connected hosts examined for a client, by the reason against them.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Without the client itself.
    pub(crate) examined: u32,
    pub(crate) candidates: u32,
    /// Each reason once, so no more than hosts were examined.
    rejections: Vec<(Rejection, u32)>,
    /// Whether every connected host was examined.
    pub(crate) complete: bool,
    /// How long it takes until the first of those that failed to connect to the client may be offered again, in
    /// milliseconds.
    pub(in crate::matching) retry_ms: Option<u64>,
}

impl Matching {
    /// Examines so many connected hosts for a client, beginning with the one at `start`.
    pub(crate) fn survey(&self, client: u32, start: usize, most: usize, context: Context<'_>) -> Survey {
        let hosts = self.open_hosts.connected();
        let most = most.min(hosts.len());
        let mut criteria = self.criteria(client, context);
        let mut survey = Survey { complete: most == hosts.len(), ..Survey::default() };
        for step in 0..most {
            let at = start.saturating_add(step).checked_rem(hosts.len()).unwrap_or(0);
            let Some(&host) = hosts.get(at) else { break };
            match self.rejection(&mut criteria, host, context) {
                Some(Rejection::Full) => survey.count(Some(self.why_no_slot(client, host, context))),
                Some(Rejection::Failed) => match self.recent_pairs.failed_for(context.now, host, client) {
                    Some(ms) => survey.count_failed(ms),
                    None => survey.count(Some(Rejection::Failed)),
                },
                rejection => survey.count(rejection),
            }
        }
        survey
    }

    /// Why a host has no slot that could be offered to a client.
    fn why_no_slot(&self, client: u32, host: u32, context: Context<'_>) -> Rejection {
        let nodes = context.agents.get(client).zip(context.agents.get(host));
        let Some((wants, gives)) = nodes else { return Rejection::Full };
        if !gives.may_be_dialed_by(wants, context.limits.members_only) {
            return Rejection::Incompatible(Incompatibility::NoAddress);
        }
        self.why_no_free_slot(host, gives)
    }

    /// Why a host that a client could dial has no slot that could be offered.
    pub(in crate::matching) fn why_no_free_slot(&self, host: u32, gives: &Node) -> Rejection {
        if gives.open_slots() == 0 {
            Rejection::OffersNone
        } else if self.is_backing_off(host) {
            Rejection::BackingOff
        } else {
            Rejection::Full
        }
    }
}

impl Survey {
    /// Counts a host. The client itself is not counted.
    pub(in crate::matching) fn count(&mut self, rejection: Option<Rejection>) {
        let Some(why) = rejection else {
            self.examined = self.examined.saturating_add(1);
            self.candidates = self.candidates.saturating_add(1);
            return;
        };
        if why == Rejection::Itself {
            return;
        }
        self.examined = self.examined.saturating_add(1);
        match self.rejections.iter_mut().find(|(other, _)| *other == why) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.rejections.push((why, 1)),
        }
    }

    /// Counts a host that failed to connect with the client, and may be offered again in so many milliseconds.
    pub(in crate::matching) fn count_failed(&mut self, retry_ms: u64) {
        self.retry_ms = self.retry_ms.into_iter().chain([retry_ms]).min();
        self.count(Some(Rejection::Failed));
    }

    /// The reasons against hosts, each with the number of hosts, except that they are on another chain.
    pub(crate) fn against(&self) -> impl Iterator<Item = &(Rejection, u32)> {
        self.rejections.iter().filter(|(why, _)| *why != Rejection::Chain)
    }

    /// How many of the examined hosts are on the client's chain.
    pub(crate) fn on_chain(&self) -> u32 {
        self.against().fold(self.candidates, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The counts, as the pool reports them.
    pub(crate) fn excluded(&self) -> Excluded {
        let mut excluded = Excluded::default();
        for (why, count) in &self.rejections {
            if let Some(sum) = count_of(&mut excluded, why) {
                *sum = sum.saturating_add(*count);
            }
        }
        excluded
    }
}

/// Returns the counter for a reason; the client itself is not counted.
const fn count_of<'a>(excluded: &'a mut Excluded, why: &Rejection) -> Option<&'a mut u32> {
    Some(match why {
        Rejection::Itself => return None,
        Rejection::Chain => &mut excluded.other_chain,
        Rejection::Yours => &mut excluded.already_leased,
        Rejection::Price => &mut excluded.too_expensive,
        Rejection::NoTrials => &mut excluded.no_trials,
        Rejection::OffersNone => &mut excluded.offers_none,
        Rejection::Full | Rejection::Incompatible(Incompatibility::LightFull) => &mut excluded.full,
        Rejection::BackingOff | Rejection::TooNew | Rejection::LateOffers | Rejection::HostOffers => {
            &mut excluded.waiting
        }
        Rejection::Avoided => &mut excluded.avoided,
        Rejection::Failed | Rejection::Barred | Rejection::Ending => &mut excluded.recently_failed,
        Rejection::Address => &mut excluded.same_address,
        Rejection::Incompatible(Incompatibility::NoAddress) => &mut excluded.unreachable,
        Rejection::Kind | Rejection::Incompatible(_) => &mut excluded.incompatible,
    })
}
