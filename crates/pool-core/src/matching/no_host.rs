use vipnode_types::ChainSpec;

use crate::{Core, error::NoHost};

/// Connected hosts that are looked at to say where they are: only the words depend on it.
const LOOKS: usize = 256;
/// Chains that are named.
const NAMED: usize = 3;

impl Core {
    /// Why a client is given no host, for its user: where none is on its chain, where they are.
    pub(crate) fn no_host_words(&self, client: u32, why: NoHost) -> Option<String> {
        let node = self.nodes.get(client)?;
        let chain = self.chains.get(node.chain)?;
        if why == NoHost::NoneFree
            && let Some(words) = self.elsewhere(node.chain, chain)
        {
            return Some(words);
        }
        Some(why.why(chain))
    }

    /// Where hosts are while none is on this chain; `None` where one is, or there are none at all.
    fn elsewhere(&self, number: u32, chain: &ChainSpec) -> Option<String> {
        let mut others: Vec<u32> = Vec::new();
        for &host in self.open_hosts.connected().iter().take(LOOKS) {
            let on = self.nodes.get(host)?.chain;
            if on == number {
                return None;
            }
            if !others.contains(&on) {
                others.push(on);
            }
        }
        let others: Vec<&ChainSpec> = others.iter().filter_map(|&on| self.chains.get(on)).collect();
        // One whose genesis nobody told is no other chain.
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
