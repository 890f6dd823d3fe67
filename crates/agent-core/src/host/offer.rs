use vipnode_types::{Ms, Price, errors};

use crate::{AgentConfig, HostConfig, limits, node::state::NodeState};

errors! {
    /// Why a host cannot start with its settings.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum HostConfigError {
        /// The host offers more slots than the node has in addition to those reserved for its own peers.
        TooMany {
            /// Slots to sell.
            slots: u32,
            /// Clients of `--allow`.
            allowed: Allowed,
            /// Slots kept for the node's own peers.
            reserve: u32,
            /// The node's limit of peers.
            node_max_peers: u32,
            /// How many slots are available.
            most: u32,
        }: local, "--slots {slots}{allowed} is too many: --node-max-peers {node_max_peers} minus --reserve {reserve} leaves \
                   room for at most {most}. Trusted clients use slots in the node's peer table, and a node whose peer table \
                   is full does not dial any peers",
            hint "Lower --slots, remove clients from --allow, or raise the node's own --maxpeers and pass the same \
                  number with --node-max-peers.";
        /// The host offers more slots than one agent can hold.
        Limit {
            /// Slots to sell.
            slots: u32,
            /// Slots that `--allow` gives away.
            allowed: Allowed,
            /// How many slots one agent may offer.
            most: u32,
        }: local, "--slots {slots}{allowed} exceeds the limit of one agent ({most})", hint "Lower --slots.";
    }
}

/// Slots that `--allow` gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed(pub u32);

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(" plus one --allow client"),
            more => write!(f, " plus {more} --allow clients"),
        }
    }
}

impl HostConfig {
    /// Checks that the slots to sell and those of `--allow` fit next to the node's own peers.
    ///
    /// # Errors
    /// The numbers, the reason and the flags that fix it.
    pub const fn check(&self, allowed: u32) -> Result<(), HostConfigError> {
        let (slots, reserve, node_max_peers) = (self.slots, self.reserve, self.node_max_peers);
        let (needed, most) = (slots.saturating_add(allowed), self.room());
        if needed > most {
            return Err(HostConfigError::TooMany { slots, allowed: Allowed(allowed), reserve, node_max_peers, most });
        }
        if needed > limits::SLOTS {
            return Err(HostConfigError::Limit { slots, allowed: Allowed(allowed), most: limits::SLOTS });
        }
        Ok(())
    }

    /// Returns how many slots can be sold at once.
    pub(crate) fn sellable(&self, allowed: u32) -> u32 {
        self.slots.min(self.room().min(limits::SLOTS).saturating_sub(allowed))
    }

    const fn room(&self) -> u32 {
        self.node_max_peers.saturating_sub(self.reserve)
    }
}

/// The slots that a host currently offers to its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfferedSlots {
    /// In total; 0 for none.
    pub(crate) slots: u32,
    /// Why it offers none.
    pub(crate) why_none: Option<String>,
}

impl OfferedSlots {
    /// `price` is what the host gets for a slot; `None` if the pool has not reported it yet.
    pub(crate) fn of(config: &AgentConfig, node: &NodeState, price: Option<Price>, stopping: bool, now: Ms) -> Self {
        let Some(host) = &config.host else { return Self { slots: 0, why_none: None } };
        match offers_nothing(host, node, stopping, now).or_else(|| too_cheap(host, price?)) {
            Some(why) => Self { slots: 0, why_none: Some(why) },
            None => Self { slots: host.sellable(config.direct.allowed()), why_none: None },
        }
    }
}

/// Why a host sells no slots for this price, which the pool's fee is taken off already.
pub(crate) fn too_cheap(host: &HostConfig, price: Price) -> Option<String> {
    let asked = host.min_price.as_ref()?;
    match asked.in_asset(price.asset()) {
        Ok(least) if !least.exceeds(price) => None,
        Ok(_) => Some(format!(
            "the host gets {} for a slot at this pool, which is less than --min-price {asked}",
            asked.in_same_unit(price)
        )),
        Err(why) => Some(format!("this pool charges in {}, and --min-price is {asked}: {why}", price.asset())),
    }
}

/// What a host on a chain without new blocks can do.
const AT_REST_HINT: &str = "(for a chain that does not produce blocks, pass --max-head-age off)";

fn offers_nothing(host: &HostConfig, node: &NodeState, stopping: bool, now: Ms) -> Option<String> {
    if stopping {
        return Some("the host is stopping".to_owned());
    }
    let Some(facts) = node.facts_if_up() else {
        return Some("the host's node is down".to_owned());
    };
    if !facts.full {
        return Some("the node is not a full node, and only full nodes can be hosts".to_owned());
    }
    let Some(head) = node.head() else {
        return Some("the node has not reported its newest block yet".to_owned());
    };
    // geth reports that it is syncing for as long as its head is the genesis block.
    let at_rest = host.max_head_age_s.is_none() && head.fact.number == 0;
    if head.fact.syncing && !at_rest {
        let hint = if head.fact.number == 0 { format!(" {AT_REST_HINT}") } else { String::new() };
        return Some(format!("the node is not in sync{hint}"));
    }
    let most_s = host.max_head_age_s?;
    let late = head.age_ms(now) > most_s.saturating_mul(1_000);
    late.then(|| format!("the node's newest block is older than {most_s} s, so the node is not in sync {AT_REST_HINT}"))
}

/// Returns when the newest block becomes too old to offer slots.
pub(crate) fn head_due(config: &AgentConfig, node: &NodeState, now: Ms) -> Option<Ms> {
    let most_ms = config.host.as_ref()?.max_head_age_s?.saturating_mul(1_000);
    let due = node.head()?.is_older_at(most_ms);
    (due > now).then_some(due)
}
