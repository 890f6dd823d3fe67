use vipnode_types::{ChainSpec, NodeId, Price, ShortHash};

use crate::{
    agents::node::Node,
    matching::{Context, Matching, compatibility::Incompatibilities},
};

/// Why a client gets no host now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoHost {
    /// The price is above its maximum.
    Price(Price),
    /// No host on its chain has a free slot.
    NoneFree,
    /// It already has every host with a free slot, or tried it recently.
    NoneFits,
    /// Every host with a free slot is incompatible.
    Incompatible(Incompatibilities),
    /// Slots are scarce, and other clients have none yet.
    Scarce,
    /// It has used up today's unpaired time.
    Unpaired,
    /// Its address block has too many pending offers.
    Block,
    /// The operator drains it, or the whole pool.
    Drained,
}

impl NoHost {
    fn why(self, chain: &ChainSpec) -> String {
        match self {
            Self::Price(price) => format!("a slot costs {price} here, more than your --max-price"),
            Self::NoneFree => format!("no host on {chain} has a free slot now; the pool assigns you a host as soon as a slot is free"),
            Self::NoneFits => {
                format!("you already have every host on {chain} with a free slot, or it failed a moment ago, or the pool does not assign it to you again today because your agent, or new ones in your address block, did not report it")
            }
            Self::Incompatible(incompatibilities) => {
                format!("no host on {chain} with a free slot is compatible: {}", incompatibilities.words())
            }
            Self::Scarce => format!("slots on {chain} are scarce; clients without a host come first"),
            Self::Unpaired => "hosts reported your node as connected for too long today while its agent did not; keep the agent running".to_owned(),
            Self::Drained => "the operator of this pool gives your node no new slots for now".to_owned(),
            Self::Block => "too many slots are offered to your address block and not connected yet".to_owned(),
        }
    }
}

/// The number of connected hosts examined for their chains: only the text depends on it.
const LOOKS: usize = 256;
/// The number of chains named in the text.
const NAMED: usize = 3;

impl Matching {
    /// Explains to a client's user why it gets no host. If no host is on its chain, the text names the chains that have
    /// hosts.
    pub(crate) fn explain_no_host(&self, client: u32, why: NoHost, context: Context<'_>) -> Option<String> {
        let number = context.agents.get(client)?.chain();
        let chain = context.agents.chain(number)?;
        if why == NoHost::NoneFree
            && let (Some(words), _) = self.other_chains(Some(number), chain, None, context)
        {
            return Some(words);
        }
        Some(why.why(chain))
    }

    /// Explains to the user of a node that is not connected why no other host is on its chain, and returns how many hosts
    /// were examined. `None` if there is one, or if no host is connected.
    pub(crate) fn no_hosts_on(&self, chain: &ChainSpec, node: NodeId, context: Context<'_>) -> (Option<String>, u32) {
        self.other_chains(context.agents.chain_number(chain), chain, context.agents.find(&node), context)
    }

    /// Names the chains that have hosts, except the node `own`, if this chain has none, and returns how many were examined.
    /// `None` if it has one, or if no host is connected. Without a number, no node is on the chain.
    fn other_chains(
        &self,
        number: Option<u32>,
        chain: &ChainSpec,
        own: Option<u32>,
        context: Context<'_>,
    ) -> (Option<String>, u32) {
        let mut others: Vec<u32> = Vec::new();
        let mut looks = 0_u32;
        for &host in self.open_hosts.connected().iter().take(LOOKS).filter(|host| Some(**host) != own) {
            looks = looks.saturating_add(1);
            let Some(on) = context.agents.get(host).map(Node::chain) else { continue };
            let joined = match number {
                Some(number) => context.agents.are_joined(number, on, context.limits),
                // A chain whose genesis is unknown may be this one.
                None => context.agents.chain(on).is_some_and(|on| on.is_untold() && on.chain_id == chain.chain_id),
            };
            if joined {
                return (None, looks);
            }
            if !others.contains(&on) {
                others.push(on);
            }
        }
        (name_chains(&others, chain, context), looks)
    }
}

/// `None` if there are none.
fn name_chains(others: &[u32], chain: &ChainSpec, context: Context<'_>) -> Option<String> {
    let others: Vec<&ChainSpec> = others.iter().filter_map(|&on| context.agents.chain(on)).collect();
    // A chain whose genesis is unknown may be this one.
    let unlike = |other: &&&ChainSpec| {
        let both_known = ![**other, chain].into_iter().any(ChainSpec::is_untold);
        both_known && other.chain_id == chain.chain_id
    };
    if let Some(other) = others.iter().find(unlike) {
        return Some(format!(
            "no host here is on {chain}; hosts of the same chain id have another genesis block, {}: compare your \
             genesis file with the pool's operator",
            ShortHash(other.genesis)
        ));
    }
    let named: Vec<String> = others.iter().take(NAMED).map(ToString::to_string).collect();
    let and_more = if others.len() > NAMED { " and others" } else { "" };
    (!named.is_empty()).then(|| format!("no host here is on {chain}; hosts are on {}{and_more}", named.join(", ")))
}
