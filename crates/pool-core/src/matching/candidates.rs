use vipnode_types::{Account, Price, protocol2::Kind, wire::Selection};

use crate::{
    Core,
    agents::node::Node,
    collections::address_block::AddressBlock,
    error::NoHost,
    leases::table::List,
    matching::compatibility::{Incompatibilities, Incompatibility},
};

/// What decides which hosts suit a client, gathered once.
#[derive(Debug)]
pub(crate) struct Criteria {
    pub(crate) client: u32,
    /// Nodes that host it now.
    hosts: Vec<u32>,
    /// Nodes that it hosts itself: connected already, the other way round.
    pub(crate) clients: Vec<u32>,
    pub(crate) blocks: Vec<AddressBlock>,
    pub(crate) payouts: Vec<Account>,
    /// Nodes that it does not want.
    avoid: Vec<u32>,
    /// Which execution client a host has to be; unknown for any.
    kind: Kind,
}

/// Why a host is not given to a client now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    Itself,
    Chain,
    Yours,
    Price,
    Full,
    Avoided,
    /// The two did not come together a moment ago.
    Failed,
    /// It was given to a neighbour at the same address a moment ago.
    Address,
    /// It is another execution client than was asked for.
    Kind,
    /// The two do not suit each other by what they serve and run.
    Incompatibility(Incompatibility),
}

impl Core {
    /// The best of a few hosts with a free place, from a random one on. Its cost does not grow with the
    /// pool.
    pub(crate) fn find_host(&mut self, client: u32) -> Result<(u32, Selection), NoHost> {
        let Some(node) = self.nodes.get(client) else { return Err(NoHost::NoneFree) };
        if self.limits.price > node.max_price {
            return Err(NoHost::Price(self.limits.price));
        }
        let chain = node.chain;
        let open = self.open_hosts.of(chain).map_or(0, |open| open.hosts.len());
        if open == 0 {
            return Err(NoHost::NoneFree);
        }
        let criteria = self.criteria(client, node);
        let start = self.rng.below(open);
        let candidates = self.limits.candidates.max(1) as usize;
        let most = candidates.max(self.limits.looks as usize);
        let most_by_rules = most.max(self.limits.looks_by_rules as usize);
        let mut best: Option<(u32, Selection)> = None;
        let mut among = 0_u32;
        let mut incompatibilities = Incompatibilities::default();
        for step in 0..most_by_rules.min(open) {
            if (step >= candidates && best.is_some()) || (step >= most && incompatibilities.is_empty()) {
                break;
            }
            let at = start.saturating_add(step).checked_rem(open).unwrap_or(0);
            let Some(host) = self.open_hosts.of(chain).and_then(|open| open.hosts.get(at)).copied() else { break };
            match self.rejection(&criteria, host) {
                None => {}
                Some(Rejection::Incompatibility(why)) => {
                    incompatibilities.count(why);
                    continue;
                }
                Some(_) => continue,
            }
            among = among.saturating_add(1);
            let score = self.score(&criteria, host);
            if best.is_none_or(|(_, other)| score.total > other.score.total) {
                best = Some((host, Selection { score, candidates: among }));
            }
        }
        match best {
            Some((host, won)) => Ok((host, Selection { candidates: among, ..won })),
            None if incompatibilities.is_empty() => Err(NoHost::NoneFits),
            None => Err(NoHost::Incompatibility(incompatibilities)),
        }
    }

    pub(crate) fn criteria(&self, client: u32, node: &Node) -> Criteria {
        let hosts: Vec<u32> = self.leases.walk(List::Client, node.client_head).map(|(_, lease)| lease.host).collect();
        let clients = self.leases.walk(List::Host, node.host_head).map(|(_, lease)| lease.client).collect();
        let near = hosts.iter().filter_map(|&host| self.nodes.get(host));
        let blocks = near.clone().filter_map(|host| host.address).map(AddressBlock::of).collect();
        let payouts = near.filter_map(|host| host.payout).collect();
        let avoid = node.avoid.iter().flat_map(|avoided| avoided.iter());
        let avoid = avoid.filter_map(|handle| self.nodes.live(handle)).collect();
        let kind = self.asks.get(&client).map(crate::flows::ask::PendingAsk::kind).unwrap_or_default();
        Criteria { client, hosts, clients, blocks, payouts, avoid, kind }
    }

    /// Why a host cannot be given to a client now, by the first reason that holds.
    pub(crate) fn rejection(&self, criteria: &Criteria, host: u32) -> Option<Rejection> {
        let (client, node) = (self.nodes.get(criteria.client)?, self.nodes.get(host)?);
        let (now, recent) = (self.now, &self.recent_pairs);
        if host == criteria.client {
            return Some(Rejection::Itself);
        }
        let reasons = [
            (Rejection::Chain, node.chain != client.chain),
            (Rejection::Yours, criteria.hosts.contains(&host)),
            (Rejection::Yours, criteria.clients.contains(&host) && self.names_no_roles(criteria.client, host)),
            (Rejection::Price, self.limits.price > client.max_price),
            (Rejection::Full, node.open_free == 0),
            (Rejection::Avoided, criteria.avoid.contains(&host)),
        ];
        let lasting = reasons.into_iter().find_map(|(reason, holds)| holds.then_some(reason));
        let kinds = [criteria.kind, Kind::Unknown];
        let other_kind = || criteria.kind != Kind::Unknown && !kinds.contains(&self.kind_of(host));
        lasting
            .or_else(|| other_kind().then_some(Rejection::Kind))
            .or_else(|| self.incompatibility(criteria.client, host).map(Rejection::Incompatibility))
            .or_else(|| recent.failed_of_late(now, host, criteria.client).then_some(Rejection::Failed))
            .or_else(|| self.drops_unclear(criteria.client, host).then_some(Rejection::Failed))
            .or_else(|| recent.given_nearby(now, host, criteria.client, client.address).then_some(Rejection::Address))
    }

    /// Whether a client takes a price.
    pub(crate) fn takes(&self, client: u32, price: Price) -> bool {
        self.nodes.get(client).is_some_and(|node| price <= node.max_price)
    }
}
