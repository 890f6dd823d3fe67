use vipnode_types::wire::{Excluded, ExplainReply, ExplainedHost, WireError};

use crate::{
    ConnectionId, Core, Reply, RequestId,
    error::{self, NoHost},
    leases::table::List,
    matching::candidates::Rejection,
    matching::compatibility::{Incompatibilities, Incompatibility},
    output::Output,
};

impl Core {
    /// Tells a client why it has its hosts. What it is told of others are numbers.
    pub(crate) fn explain(&mut self, output: &mut Output, peer: ConnectionId, request: RequestId) {
        let reply = match self.nodes.at_peer(peer) {
            Some(index) => self.explanation(index).map(|reply| Reply::Explain(Box::new(reply))),
            None => Err(error::not_connected()),
        };
        output.reply(peer, request, reply);
    }

    fn explanation(&mut self, index: u32) -> Result<ExplainReply, WireError> {
        let all = self.open_hosts.connected().len();
        let most = all.min(self.limits.explained_hosts as usize);
        let start = if most < all { self.rng.below(all) } else { 0 };
        let node = self.nodes.get(index).filter(|node| node.consuming).ok_or_else(error::no_client)?;
        let criteria = self.criteria(index, node);
        let (mut examined, mut candidates, mut excluded) = (0_u32, 0, Excluded::default());
        let mut incompatibilities = Incompatibilities::default();
        for step in 0..most {
            let at = start.saturating_add(step).checked_rem(all).unwrap_or(0);
            let Some(&host) = self.open_hosts.connected().get(at) else { break };
            let rejection = self.rejection(&criteria, host);
            if let Some(count) = count_of(&mut excluded, &mut candidates, rejection.as_ref()) {
                *count = count.saturating_add(1);
                examined = examined.saturating_add(1);
            }
            if let Some(Rejection::Incompatibility(why)) = rejection {
                incompatibilities.count(why);
            }
        }
        let given = self.leases.walk(List::Client, node.client_head).filter(|(_, lease)| lease.told);
        let given = given.filter_map(|(_, lease)| {
            let host = self.nodes.get(lease.host)?.id;
            Some(ExplainedHost { lease: lease.id, host, selection: self.selections.get(lease.id) })
        });
        let given: Vec<ExplainedHost> = given.collect();
        let missing = node.want.saturating_sub(node.client_leases.saturating_sub(node.admitting));
        let unsuited =
            if incompatibilities.is_empty() { NoHost::NoneFits } else { NoHost::Incompatibility(incompatibilities) };
        let none = (candidates == 0 && most == all).then_some(unsuited);
        let why = if missing > 0 { self.why_missing(index, none) } else { None };
        let why = why.and_then(|why| self.no_host_words(index, why));
        Ok(ExplainReply {
            want: node.want,
            missing,
            reason: why,
            price: self.limits.price,
            connected_hosts: u64::try_from(all).unwrap_or(u64::MAX),
            examined,
            candidates,
            excluded,
            hosts: given,
        })
    }

    /// Why a client would be given nothing now; `none` is why no host fits, where none does.
    fn why_missing(&self, index: u32, none: Option<NoHost>) -> Option<NoHost> {
        let node = self.nodes.get(index)?;
        let reasons = [
            (NoHost::Unpaired, self.past_unpaired(index)),
            (NoHost::Block, self.pending_offers.of(node.address) >= self.limits.offers_a_block),
            (NoHost::Price(self.limits.price), self.limits.price > node.max_price),
            (NoHost::NoneFree, self.open_hosts.free(node.chain) == 0),
        ];
        let of_all = reasons.into_iter().find_map(|(why, holds)| holds.then_some(why));
        let scarce = || (node.client_leases > 0 && self.scarce(node.chain)).then_some(NoHost::Scarce);
        of_all.or(none).or_else(scarce)
    }
}

/// Where a host is counted; the client itself is not.
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
        Some(Rejection::Full | Rejection::Incompatibility(Incompatibility::LightFull)) => &mut excluded.full,
        Some(Rejection::Avoided) => &mut excluded.avoided,
        Some(Rejection::Failed) => &mut excluded.recently_failed,
        Some(Rejection::Address) => &mut excluded.same_address,
        Some(Rejection::Kind | Rejection::Incompatibility(_)) => &mut excluded.incompatible,
    })
}
