use vipnode_types::{Account, Price, protocol2::Kind};

use crate::{Core, address_block::AddressBlock, errors::NoHost, lease_table::List, node::Node};

/// What decides which hosts suit a client, gathered once.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) client: u32,
    /// Nodes that host it now.
    hosts: Vec<u32>,
    /// Nodes that it hosts itself: connected already, the other way round.
    pub(crate) clients: Vec<u32>,
    pub(crate) blocks: Vec<AddressBlock>,
    pub(crate) payouts: Vec<Account>,
    /// Which execution client a host has to be; unknown for any.
    kind: Kind,
}

/// How many times `candidates` are looked at where the first ones do not fit.
const SCAN: usize = 4;

impl Core {
    /// The best of a few hosts with a free place, from a random one on. Its cost does not grow with the
    /// pool.
    pub(crate) fn find_host(&mut self, client: u32) -> Result<u32, NoHost> {
        let Some(node) = self.nodes.get(client) else { return Err(NoHost::NoneFree) };
        if self.limits.price > node.max_price {
            return Err(NoHost::Price(self.limits.price));
        }
        let chain = node.chain;
        let open = self.places.of(chain).map_or(0, |open| open.hosts.len());
        if open == 0 {
            return Err(NoHost::NoneFree);
        }
        let wish = self.wish(client, node);
        let start = self.dice.below(open);
        let candidates = self.limits.candidates.max(1) as usize;
        let most = candidates.saturating_mul(SCAN.saturating_add(1)).min(open);
        let mut best: Option<(i64, u32)> = None;
        for step in 0..most {
            if step >= candidates && best.is_some() {
                break;
            }
            let at = start.saturating_add(step).checked_rem(open).unwrap_or(0);
            let Some(host) = self.places.of(chain).and_then(|open| open.hosts.get(at)).copied() else { break };
            if !self.suits(&wish, host) {
                continue;
            }
            let score = self.score(&wish, host);
            if best.is_none_or(|(other, _)| score > other) {
                best = Some((score, host));
            }
        }
        best.map(|(_, host)| host).ok_or(NoHost::NoneFits)
    }

    fn wish(&self, client: u32, node: &Node) -> Wish {
        let hosts: Vec<u32> = self.leases.walk(List::Client, node.client_head).map(|(_, lease)| lease.host).collect();
        let clients = self.leases.walk(List::Host, node.host_head).map(|(_, lease)| lease.client).collect();
        let near = hosts.iter().filter_map(|&host| self.nodes.get(host));
        let blocks = near.clone().filter_map(|host| host.address).map(AddressBlock::of).collect();
        let payouts = near.filter_map(|host| host.payout).collect();
        let kind = self.asks.get(&client).map(crate::ask::PendingAsk::kind).unwrap_or_default();
        Wish { client, hosts, clients, blocks, payouts, kind }
    }

    fn suits(&self, wish: &Wish, host: u32) -> bool {
        let Some(client) = self.nodes.get(wish.client) else { return false };
        host != wish.client
            && !wish.hosts.contains(&host)
            && !client.avoid.iter().any(|&handle| self.nodes.live(handle) == Some(host))
            && !self.recent.bars(self.now, host, wish.client, client.address)
            && (wish.kind == Kind::Unknown || [wish.kind, Kind::Unknown].contains(&self.kind_of(host)))
    }

    /// Whether a client takes a price.
    pub(crate) fn takes(&self, client: u32, price: Price) -> bool {
        self.nodes.get(client).is_some_and(|node| price <= node.max_price)
    }
}
