use vipnode_types::protocol2::Kind;

use crate::{
    agents::{node::Node, node_class::NodeClass},
    collections::address_block::AddressBlock,
    matching::{
        Context, Matching,
        compatibility::{Incompatibility, host_incompatibility},
        host_search::Criteria,
    },
};

/// Why a host is not offered to a client now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    Itself,
    Chain,
    Yours,
    Price,
    /// The client cannot pay, and the host gives no trials.
    NoTrials,
    /// All its slots are taken.
    Full,
    /// It offers no slots.
    OffersNone,
    /// It refused, or did not answer, and gets no offer for a while.
    BackingOff,
    /// It is new, and its address block has as many offers of new hosts as it may.
    TooNew,
    /// It reports with its updates only, and the client's address block has as many pending offers of such hosts as it may.
    LateOffers,
    /// The client's address block has as many pending offers of hosts in its wide block as it may.
    HostOffers,
    Avoided,
    /// The pair recently failed to connect.
    Failed,
    /// The pair is kept apart today, for time that the client was not billed.
    Barred,
    /// One of the two has yet to drop the other as a peer.
    Ending,
    /// It was recently offered to another client at the same address.
    Address,
    /// It is a different execution client than requested.
    Kind,
    /// The two are incompatible by what they serve and run.
    Incompatible(Incompatibility),
}

/// Whether the offers of new hosts of a host's address block are yet to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::matching) enum NewHostCheck {
    Due,
    Done,
}

/// A client and a host that may be offered to it.
#[derive(Debug, Clone, Copy)]
struct Candidates<'a> {
    client: &'a Node,
    host: &'a Node,
    /// The host's index.
    index: u32,
}

impl Matching {
    /// Returns the first reason why a host cannot be offered to a client now. A host without a free slot counts as full;
    /// [`Self::survey`] distinguishes why it has none. The checks that need no lookup come first, because a search makes
    /// them for each host that it draws.
    pub(crate) fn rejection(&self, criteria: &mut Criteria, host: u32, context: Context<'_>) -> Option<Rejection> {
        self.rejection_of(criteria, host, NewHostCheck::Due, context)
    }

    /// As [`Self::rejection`].
    pub(in crate::matching) fn rejection_of(
        &self,
        criteria: &mut Criteria,
        host: u32,
        check: NewHostCheck,
        context: Context<'_>,
    ) -> Option<Rejection> {
        let (client, agents) = (criteria.client, context.agents);
        let candidates = Candidates { client: agents.get(client)?, host: agents.get(host)?, index: host };
        if let Some(reason) = self.lasting_rejection(criteria, candidates, check, context) {
            return Some(reason);
        }
        let why = criteria.incompatibility_with(host, NodeClass::of(candidates.host), agents);
        if let Some(why) = why.or_else(|| host_incompatibility(client, host, agents, context.limits)) {
            return Some(Rejection::Incompatible(why));
        }
        self.recent_rejection(criteria, candidates, context)
    }

    /// The reasons that depend on the two nodes, their leases, and the host's slots.
    fn lasting_rejection(
        &self,
        criteria: &Criteria,
        candidates: Candidates<'_>,
        check: NewHostCheck,
        context: Context<'_>,
    ) -> Option<Rejection> {
        let Candidates { client, host, index } = candidates;
        let unnamed_roles = || !client.dialect().names_roles() || !host.dialect().names_roles();
        if index == criteria.client {
            return Some(Rejection::Itself);
        }
        if !context.agents.are_joined(client.chain(), host.chain(), context.limits) {
            return Some(Rejection::Chain);
        }
        if criteria.hosts.contains(&index) || (criteria.clients.contains(&index) && unnamed_roles()) {
            return Some(Rejection::Yours);
        }
        if !client.accepts(context.limits.price) {
            return Some(Rejection::Price);
        }
        if criteria.is_trial && !host.gives_trials() {
            return Some(Rejection::NoTrials);
        }
        if self.nodes.get(index).open_free == 0 && !criteria.frees_slot {
            return Some(Rejection::Full);
        }
        if check == NewHostCheck::Due
            && criteria.any_has_served
            && self.awaits_first_clients(index, criteria.client, context)
        {
            return Some(Rejection::TooNew);
        }
        if criteria.late_offers_exhausted
            && !host.dialect().reports_at_once()
            && self.counts_to_share(index, client.chain(), context)
        {
            return Some(Rejection::LateOffers);
        }
        if let Some(share) = criteria.share_beyond_minimum
            && criteria.any_has_served
            && self.has_served(index, context)
            && self.host_offers_exhausted(share, (host, client.chain()), context)
        {
            return Some(Rejection::HostOffers);
        }
        if criteria.avoid.contains(&index) || criteria.leaves_out(host) {
            return Some(Rejection::Avoided);
        }
        if criteria.kind == Kind::Unknown {
            return None;
        }
        let kind = context.agents.kind(index);
        (kind != Kind::Unknown && kind != criteria.kind).then_some(Rejection::Kind)
    }

    /// The reasons that depend on what happened between the two, or between the host and others like the client.
    fn recent_rejection(
        &self,
        criteria: &Criteria,
        candidates: Candidates<'_>,
        context: Context<'_>,
    ) -> Option<Rejection> {
        let Candidates { client: node, host, index } = candidates;
        let (now, recent, client) = (context.now, &self.recent_pairs, criteria.client);
        if recent.recently_failed(now, index, client) || self.light_nodes_failed(client, index, context) {
            return Some(Rejection::Failed);
        }
        if criteria.barred.contains(&index) || criteria.spent.contains(host.address().map(AddressBlock::of)) {
            return Some(Rejection::Barred);
        }
        if drops_unclear(node, host) {
            return Some(Rejection::Ending);
        }
        recent.offered_nearby(now, index, client, node.address()).then_some(Rejection::Address)
    }
}

/// Whether one of them has yet to drop the other as a peer in an unknown role: a new lease would keep the old connection
/// alive there.
fn drops_unclear(a: &Node, b: &Node) -> bool {
    let both = |node: &Node| node.ever_host() && node.ever_client();
    let drops =
        |node: &Node, other: &Node| node.credentials().drops() && node.credentials().to_drop().contains(&other.id());
    both(a) && both(b) && (drops(a, b) || drops(b, a))
}
