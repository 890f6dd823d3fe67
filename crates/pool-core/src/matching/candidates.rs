use vipnode_types::{Account, protocol2::Kind, wire::Selection};

use crate::{
    agents::node::Node,
    collections::{address_block::AddressBlock, seeded_rng::SeededRng},
    matching::{
        Context, Matching,
        compatibility::{Incompatibilities, Incompatibility, incompatibility},
        no_host::NoHost,
    },
};

/// What a client's host is selected by, collected once per search.
#[derive(Debug)]
pub(crate) struct Criteria {
    client: u32,
    /// Its current hosts.
    hosts: Vec<u32>,
    /// Nodes that it hosts itself: already connected, in the other direction.
    pub(crate) clients: Vec<u32>,
    pub(crate) blocks: Vec<AddressBlock>,
    pub(crate) payouts: Vec<Account>,
    /// Nodes that it avoids.
    avoid: Vec<u32>,
    /// The execution client that a host has to be; unknown for any.
    kind: Kind,
}

/// Why a host is not offered to a client now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    Itself,
    Chain,
    Yours,
    Price,
    Full,
    Avoided,
    /// The pair recently failed to connect.
    Failed,
    /// It was recently offered to another client at the same address.
    Address,
    /// It is a different execution client than requested.
    Kind,
    /// The two are incompatible by what they serve and run.
    Incompatible(Incompatibility),
}

impl Matching {
    /// Returns the best of a few hosts with a free slot, starting at a random one. The cost does not grow with the pool.
    pub(crate) fn find_host(
        &self,
        client: u32,
        rng: &mut SeededRng,
        context: Context<'_>,
    ) -> Result<(u32, Selection), NoHost> {
        let limits = context.limits;
        let Some(node) = context.agents.get(client) else { return Err(NoHost::NoneFree) };
        if limits.price > node.max_price() {
            return Err(NoHost::Price(limits.price));
        }
        let hosts = self.open_hosts.of(node.chain()).map_or(&[][..], |open| &open.hosts);
        if hosts.is_empty() {
            return Err(NoHost::NoneFree);
        }
        let criteria = self.criteria(client, context);
        let start = rng.below(hosts.len());
        let candidates = limits.candidates.max(1) as usize;
        let most = candidates.max(limits.looks as usize);
        let most_by_rules = most.max(limits.looks_by_rules as usize);
        let mut best: Option<(u32, Selection)> = None;
        let mut among = 0_u32;
        let mut incompatibilities = Incompatibilities::default();
        for step in 0..most_by_rules.min(hosts.len()) {
            if (step >= candidates && best.is_some()) || (step >= most && incompatibilities.is_empty()) {
                break;
            }
            let at = start.saturating_add(step).checked_rem(hosts.len()).unwrap_or(0);
            let Some(&host) = hosts.get(at) else { break };
            match self.rejection(&criteria, host, context) {
                None => {}
                Some(Rejection::Incompatible(why)) => {
                    incompatibilities.count(why);
                    continue;
                }
                Some(_) => continue,
            }
            among = among.saturating_add(1);
            let score = self.score(&criteria, host, context);
            if best.is_none_or(|(_, other)| score.total > other.score.total) {
                best = Some((host, Selection { score, candidates: among }));
            }
        }
        match best {
            Some((host, selection)) => Ok((host, Selection { candidates: among, ..selection })),
            None if incompatibilities.is_empty() => Err(NoHost::NoneFits),
            None => Err(NoHost::Incompatible(incompatibilities)),
        }
    }

    /// Collects what a client's host is selected by.
    pub(crate) fn criteria(&self, client: u32, context: Context<'_>) -> Criteria {
        let hosts: Vec<u32> = context.leases.of_client(client).map(|(_, lease)| lease.host()).collect();
        let clients = context.leases.of_host(client).map(|(_, lease)| lease.client()).collect();
        let near = hosts.iter().filter_map(|&host| context.agents.get(host));
        let blocks = near.clone().filter_map(Node::address).map(AddressBlock::of).collect();
        let payouts = near.filter_map(Node::payout).collect();
        let avoid = self.nodes.get(client).avoid.iter().flat_map(|avoided| avoided.0.iter());
        let avoid = avoid.filter_map(|&handle| context.agents.live(handle)).collect();
        let kind = self.asks.kind(client);
        Criteria { client, hosts, clients, blocks, payouts, avoid, kind }
    }

    /// Returns the first reason why a host cannot be offered to a client now.
    pub(crate) fn rejection(&self, criteria: &Criteria, host: u32, context: Context<'_>) -> Option<Rejection> {
        let client = criteria.client;
        let (node, gives) = (context.agents.get(client)?, context.agents.get(host)?);
        let (now, recent) = (context.now, &self.recent_pairs);
        if host == client {
            return Some(Rejection::Itself);
        }
        let unnamed_roles = || !node.dialect().names_roles() || !gives.dialect().names_roles();
        let reasons = [
            (Rejection::Chain, gives.chain() != node.chain()),
            (Rejection::Yours, criteria.hosts.contains(&host)),
            (Rejection::Yours, criteria.clients.contains(&host) && unnamed_roles()),
            (Rejection::Price, context.limits.price > node.max_price()),
            (Rejection::Full, self.nodes.get(host).open_free == 0),
            (Rejection::Avoided, criteria.avoid.contains(&host)),
        ];
        let lasting = reasons.into_iter().find_map(|(reason, holds)| holds.then_some(reason));
        let other_kind = || {
            let kind = context.agents.kind(host);
            criteria.kind != Kind::Unknown && kind != Kind::Unknown && kind != criteria.kind
        };
        lasting
            .or_else(|| other_kind().then_some(Rejection::Kind))
            .or_else(|| incompatibility(client, host, context.agents).map(Rejection::Incompatible))
            .or_else(|| recent.recently_failed(now, host, client).then_some(Rejection::Failed))
            .or_else(|| drops_unclear(node, gives).then_some(Rejection::Failed))
            .or_else(|| recent.offered_nearby(now, host, client, node.address()).then_some(Rejection::Address))
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
