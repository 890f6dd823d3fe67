use vipnode_types::{ChainSpec, NodeId, PaymentMode, Price, ShortHash};

use crate::{
    agents::node::Node,
    ledger::shortage::Shortage,
    matching::{Context, Matching, compatibility::Incompatibilities, rejection::Rejection, survey::Survey},
};

/// Why a client gets no host now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoHost {
    /// The price is above its maximum.
    Price(Price),
    /// No host on its chain has a free slot.
    NoneFree,
    /// No host with a free slot can be assigned to it now.
    NoneFits,
    /// Every host with a free slot is incompatible.
    Incompatible(Incompatibilities),
    /// Slots are scarce, and other clients have none yet.
    Scarce {
        /// The free slots.
        free: u64,
        /// The clients that wait for them.
        waiting: u64,
    },
    /// It has used up today's unpaired time.
    Unpaired,
    /// Its address block has too many pending offers.
    Block,
    /// Its address block ended too many billing periods in this hour.
    Periods,
    /// Nobody pays for it, or not enough.
    Payment(Box<Shortage>),
    /// Nobody pays for it, or not enough, and its trial runs.
    InTrial(PaymentMode),
    /// It would get a trial, and clients that pay wait for all free slots.
    PayersFirst,
    /// The operator drains it, or the whole pool.
    Drained,
}

impl NoHost {
    /// The reason as text, where it does not depend on the hosts, or where they are too many to examine each.
    pub(in crate::matching) fn words(self, chain: &ChainSpec) -> String {
        match self {
            Self::Price(price) => format!("a slot costs {price} here, more than your --max-price"),
            Self::NoneFree => format!("no host on {chain} has a free slot"),
            Self::NoneFits => format!(
                "no host on {chain} with a free slot can be assigned to your node now; `vipnode status --why` counts \
                 the reasons"
            ),
            Self::Incompatible(incompatibilities) => {
                format!("no host on {chain} with a free slot is compatible: {}", incompatibilities.words())
            }
            Self::Scarce { free, waiting } => {
                let are = if free == 1 { "slot is" } else { "slots are" };
                let wait = if waiting == 1 { "client waits" } else { "clients wait" };
                format!(
                    "only {free} {are} free on {chain} and {waiting} {wait}, so free slots are kept for clients that \
                     have no host"
                )
            }
            Self::Unpaired => "hosts reported your node as connected for too long today while its agent did not; keep the agent running".to_owned(),
            Self::Drained => "the operator of this pool has paused new leases, for your node or for all".to_owned(),
            Self::Payment(shortage) => shortage.lasting_error(0).to_string(),
            Self::PayersFirst => {
                format!("paying clients are waiting for the free slots on {chain}, and have priority over a free trial")
            }
            Self::InTrial(PaymentMode::X402) => {
                "a client gets one host in its free trial; to get more, deposit into a payment channel: run \
                 `vipnode wallet deposit AMOUNT --channel FILE`"
                    .to_owned()
            }
            Self::InTrial(_) => {
                "a client gets one host in its free trial; to get more, link an account that has funds: run \
                 `vipnode account link --keystore FILE`"
                    .to_owned()
            }
            Self::Periods => "nodes in your address block ended too many billing periods in this hour".to_owned(),
            Self::Block => "clients in your address block have too many pending offers".to_owned(),
        }
    }
}

/// The number of connected hosts examined for their chains: only the text depends on it.
const LOOKS: usize = 256;
/// The most connected hosts that are counted for the answer to a request, which clients repeat: only the text depends on it.
const COUNTED: usize = 32;
/// The number of chains, or of reasons, named in the text.
const NAMED: usize = 3;

impl Matching {
    /// Explains to a client's user why it gets no host, with the number of hosts for each reason, and returns how many hosts
    /// were examined for it. Where the pool has more hosts than it examines, the text has no numbers.
    pub(crate) fn explain_no_host(&self, client: u32, why: NoHost, context: Context<'_>) -> (Option<String>, u32) {
        let of_hosts = matches!(why, NoHost::NoneFree | NoHost::NoneFits | NoHost::Incompatible(_));
        let survey = if of_hosts { self.short_survey(client, context) } else { Survey::default() };
        (self.no_host_text(client, why, &survey, context), survey.examined)
    }

    /// Explains why a client gets no host beyond the one that it just got, and returns how many hosts were examined for it.
    /// `None` if none is missing, or where the pool looks for further ones next and may find some.
    pub(crate) fn explain_rest(&self, client: u32, context: Context<'_>) -> (Option<String>, u32) {
        if self.missing(client, context) == 0 {
            return (None, 0);
        }
        if let Some(why) = self.why_missing(client, None, context) {
            return self.explain_no_host(client, why, context);
        }
        let survey = self.short_survey(client, context);
        let none = survey.complete && survey.candidates == 0;
        let text = if none { self.no_host_text(client, NoHost::NoneFits, &survey, context) } else { None };
        (text, survey.examined)
    }

    /// A survey of all connected hosts, if they are few; else it is empty and not complete.
    fn short_survey(&self, client: u32, context: Context<'_>) -> Survey {
        let most = COUNTED.min(context.limits.explained_hosts as usize);
        let few = self.open_hosts.connected().len() <= most;
        if few { self.survey(client, 0, most, context) } else { Survey::default() }
    }

    /// Explains that a client wants more hosts than the pool assigns.
    pub(crate) fn most_hosts_text(context: Context<'_>) -> String {
        let most = context.limits.leases_a_client;
        format!("the pool assigns at most {most} {} to one client", if most == 1 { "host" } else { "hosts" })
    }

    /// As [`Self::explain_no_host`], by the hosts that were examined.
    pub(in crate::matching) fn no_host_text(
        &self,
        client: u32,
        why: NoHost,
        survey: &Survey,
        context: Context<'_>,
    ) -> Option<String> {
        let node = context.agents.get(client)?;
        let chain = context.agents.chain(node.chain())?;
        if !matches!(why, NoHost::NoneFree | NoHost::NoneFits | NoHost::Incompatible(_)) {
            return Some(why.words(chain));
        }
        if survey.on_chain() == 0
            && let (Some(words), _) = self.other_chains(Some(node.chain()), chain, Some(client), context)
        {
            return Some(words);
        }
        let other = if node.is_host() { "other " } else { "" };
        Some(if survey.complete { survey.words(chain, other) } else { why.words(chain) })
    }

    /// Explains that hosts can be assigned to a client that misses some: its search begins again in a moment. `None` if none can,
    /// or if not all were examined.
    pub(in crate::matching) fn assignable_text(
        &self,
        client: u32,
        survey: &Survey,
        context: Context<'_>,
    ) -> Option<String> {
        let node = context.agents.get(client)?;
        let other = if node.is_host() { "other " } else { "" };
        (survey.complete && survey.candidates > 0).then_some(survey.words(context.agents.chain(node.chain())?, other))
    }

    /// How many slots are free on a client's chain, and how many of them others need before it. Without a free slot, that is
    /// the reason.
    pub(crate) fn scarcity(&self, client: u32, context: Context<'_>) -> NoHost {
        let of_node =
            |node| (self.free_on(Node::chain(node), context), self.needed_before_further(client, node, context));
        let (free, waiting) = context.agents.get(client).map_or((0, 0), of_node);
        if free == 0 { NoHost::NoneFree } else { NoHost::Scarce { free, waiting } }
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
        let mut examined_hosts = 0_u32;
        for &host in self.open_hosts.connected().iter().take(LOOKS).filter(|host| Some(**host) != own) {
            examined_hosts = examined_hosts.saturating_add(1);
            let Some(on) = context.agents.get(host).map(Node::chain) else { continue };
            if Self::is_on(number, on, chain, context) {
                return (None, examined_hosts);
            }
            if !others.contains(&on) {
                others.push(on);
            }
        }
        let none = if self.open_hosts.connected().len() <= LOOKS {
            format!("no host here is on {chain}")
        } else if self.has_free_slot_on(number, chain, context) {
            return (None, examined_hosts);
        } else {
            format!("no host on {chain} has a free slot here, and none of the {examined_hosts} examined hosts is on it")
        };
        (name_chains(&none, &others, chain, context), examined_hosts)
    }

    /// Whether a host on the chain `on` could serve a node on a chain with this number. Without one, no node is on it.
    pub(in crate::matching) fn is_on(number: Option<u32>, on: u32, chain: &ChainSpec, context: Context<'_>) -> bool {
        match number {
            Some(number) => context.agents.are_joined(number, on, context.limits),
            // A chain whose genesis is unknown may be this one.
            None => context.agents.chain(on).is_some_and(|on| on.lacks_genesis() && on.chain_id == chain.chain_id),
        }
    }

    /// Whether a host on this chain has a free slot, or one whose genesis is unknown and that may be on it.
    fn has_free_slot_on(&self, number: Option<u32>, chain: &ChainSpec, context: Context<'_>) -> bool {
        let unknown = context.agents.chain_number(&ChainSpec::without_genesis(chain.chain_id));
        [number, unknown].into_iter().flatten().any(|chain| self.free_on(chain, context) > 0)
    }
}

/// Adds to `none`, that no host is on a chain, on which chains the others are. `None` if there are none.
fn name_chains(none: &str, others: &[u32], chain: &ChainSpec, context: Context<'_>) -> Option<String> {
    let others: Vec<&ChainSpec> = others.iter().filter_map(|&on| context.agents.chain(on)).collect();
    if let Some(other) = others.iter().find(|other| other.chain_id == chain.chain_id) {
        let genesis = if other.lacks_genesis() { String::new() } else { format!(", {}", ShortHash(other.genesis)) };
        return Some(format!(
            "{none}; hosts with the same chain ID have a different genesis block{genesis}: compare \
             your genesis file with the pool operator's"
        ));
    }
    let named: Vec<String> = others.iter().take(NAMED).map(ToString::to_string).collect();
    let and_more = if others.len() > NAMED { " and others" } else { "" };
    (!named.is_empty()).then(|| format!("{none}; hosts are on {}{and_more}", named.join(", ")))
}

impl Survey {
    /// When the pool tries hosts again that failed.
    fn next_try(&self, why: &Rejection) -> String {
        let retry_ms = self.retry_ms.filter(|_| *why == Rejection::Failed);
        retry_ms.map(|ms| format!(" (next try in {} s)", ms.div_ceil(1_000))).unwrap_or_default()
    }

    /// Why none of the connected hosts, all of which were examined, is assigned. `other` is "other " if the client is a
    /// host itself.
    pub(in crate::matching) fn words(&self, chain: &ChainSpec, other: &str) -> String {
        let all = self.on_chain();
        if all == 0 {
            return match self.examined {
                0 => format!("no {other}host is connected to the pool"),
                _ => format!("no {other}host is on {chain}"),
            };
        }
        if self.candidates > 0 {
            let candidates = self.candidates;
            let hosts = if all == 1 { "host" } else { "hosts" };
            return format!("{candidates} of {all} {other}{hosts} on {chain} can be assigned; the pool keeps trying");
        }
        let words = |(why, count): &(Rejection, u32)| (*count, why.words(*count) + &self.next_try(why));
        let mut reasons: Vec<(u32, String)> = self.against().map(words).collect();
        // The text of a state is always the same, in whatever order the hosts joined.
        reasons.sort_by(|(count, words), (less, after)| (less, words).cmp(&(count, after)));
        match &*reasons {
            [(1, only)] => format!("the only {other}host on {chain} {only}"),
            [(all, each)] => format!("all {all} {other}hosts on {chain} {each}"),
            some => {
                let named = some.iter().take(NAMED).map(|(count, words)| format!("{count} {words}"));
                let named: Vec<String> = named.collect();
                let more = if some.len() > NAMED { ", and others" } else { "" };
                format!("{all} {other}hosts on {chain}: {}{more}", named.join(", "))
            }
        }
    }
}

impl Rejection {
    /// What is against so many hosts, for the client's user: a predicate of which they are the subject.
    fn words(&self, hosts: u32) -> String {
        let one = hosts == 1;
        let of_number = |singular: &'static str, plural: &'static str| if one { singular } else { plural };
        let words = match self {
            Self::Itself => of_number("is your own node", "are your own node"),
            Self::Chain => of_number("is on another chain", "are on another chain"),
            Self::Yours => of_number("already serves your node", "already serve your node"),
            Self::Price => of_number("costs more than your --max-price", "cost more than your --max-price"),
            Self::NoTrials => of_number(
                "gives no free trials, and no account with enough funds pays for your node",
                "give no free trials, and no account with enough funds pays for your node",
            ),
            Self::Full => of_number("is full", "are full"),
            Self::OffersNone => of_number("offers no slots", "offer no slots"),
            Self::BackingOff => "recently refused a client or did not answer",
            Self::TooNew => of_number(
                "is new and takes no more clients until its first have connected",
                "are new and take no more clients until their first have connected",
            ),
            Self::LateOffers => of_number(
                "reports its clients late, and clients in your address block have too many pending offers of such hosts",
                "report their clients late, and clients in your address block have too many pending offers of such hosts",
            ),
            Self::HostOffers => of_number(
                "is in a network of which clients in your address block have too many pending offers",
                "are in networks of which clients in your address block have too many pending offers",
            ),
            Self::Avoided => of_number(
                "is avoided by your agent after a failed connection",
                "are avoided by your agent after failed connections",
            ),
            Self::Failed => "failed to connect to your node a moment ago",
            Self::Barred => of_number(
                "is not matched with your node today, because your agent, or one in your address block, did not report it",
                "are not matched with your node today, because your agent, or one in your address block, did not report them",
            ),
            Self::Ending => {
                of_number("is still ending a connection with your node", "are still ending a connection with your node")
            }
            Self::Address => of_number(
                "was just assigned to another client at your address",
                "were just assigned to other clients at your address",
            ),
            Self::Kind => of_number(
                "does not run the execution client that your agent asks for",
                "do not run the execution client that your agent asks for",
            ),
            Self::Incompatible(why) => return why.words(hosts),
        };
        words.to_owned()
    }
}
