use vipnode_types::{ChainSpec, Price};

use crate::matching::{Context, Matching, compatibility::Incompatibilities};

/// Why a client is given no host now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoHost {
    /// The price is above what it takes.
    Price(Price),
    /// No host on its chain has a free slot.
    NoneFree,
    /// Those with free slots were tried, are barred for a while or it has them already.
    NoneFits,
    /// Those with free slots do not suit it, or it does not suit them.
    Incompatible(Incompatibilities),
    /// Others have none yet.
    Scarce,
    /// Too much unpaired time.
    Unpaired,
    /// Too many offers in its address block.
    Block,
}

impl NoHost {
    fn why(self, chain: &ChainSpec) -> String {
        match self {
            Self::Price(price) => format!("a slot costs {price} here, more than your --max-price"),
            Self::NoneFree => format!("no host on {chain} has a free slot now; the pool gives you one when there is"),
            Self::NoneFits => {
                format!("each host on {chain} with a free slot is yours already, or was tried a moment ago")
            }
            Self::Incompatible(incompatibilities) => {
                format!("no host on {chain} with a free slot suits: {}", incompatibilities.words())
            }
            Self::Scarce => format!("slots on {chain} are scarce; clients that have none come first"),
            Self::Unpaired => "too much time today that only hosts saw; keep the agent running".to_owned(),
            Self::Block => "too many slots are offered to your address block and not connected yet".to_owned(),
        }
    }
}

/// Connected hosts that are looked at to say where they are: only the text depends on it.
const LOOKS: usize = 256;
/// Chains that are named.
const NAMED: usize = 3;

impl Matching {
    /// Why a client is given no host, for its user: where none is on its chain, where they are.
    pub(crate) fn explain_no_host(&self, client: u32, why: NoHost, context: Context<'_>) -> Option<String> {
        let number = context.agents.get(client)?.chain();
        let chain = context.agents.chain(number)?;
        if why == NoHost::NoneFree
            && let Some(words) = self.other_chains(number, chain, context)
        {
            return Some(words);
        }
        Some(why.why(chain))
    }

    /// Where hosts are while none is on this chain; `None` where one is, or there are none at all.
    fn other_chains(&self, number: u32, chain: &ChainSpec, context: Context<'_>) -> Option<String> {
        let mut others: Vec<u32> = Vec::new();
        for &host in self.open_hosts.connected().iter().take(LOOKS) {
            let on = context.agents.get(host)?.chain();
            if on == number {
                return None;
            }
            if !others.contains(&on) {
                others.push(on);
            }
        }
        let others: Vec<&ChainSpec> = others.iter().filter_map(|&on| context.agents.chain(on)).collect();
        // A chain whose genesis is unknown may be this one.
        let unlike = |other: &&&ChainSpec| {
            let both_told = [**other, chain].into_iter().all(|one| *one != ChainSpec::untold(one.chain_id));
            both_told && other.chain_id == chain.chain_id
        };
        if let Some(other) = others.iter().find(unlike) {
            return Some(format!(
                "no host here is on {chain}; hosts of the same chain id have another genesis block, {}: compare your \
                 genesis file with the pool's operator",
                other.genesis
            ));
        }
        let named: Vec<String> = others.iter().take(NAMED).map(ToString::to_string).collect();
        let and_more = if others.len() > NAMED { " and others" } else { "" };
        (!named.is_empty()).then(|| format!("no host here is on {chain}; hosts are on {}{and_more}", named.join(", ")))
    }
}
