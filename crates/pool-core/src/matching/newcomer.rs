use std::net::IpAddr;

use vipnode_types::{AddressScope, ChainSpec, NodeId, PeerRules, Price, wire::HostSupply};

use crate::{
    agents::{node::Node, node_class::NodeClass},
    matching::{
        Context, Matching, compatibility::Incompatibility, no_host::NoHost, rejection::Rejection, survey::Survey,
    },
};

/// A node that is not connected, as the connect describes it that the pool checks.
#[derive(Debug)]
pub(crate) struct Newcomer<'a> {
    pub(crate) node: NodeId,
    pub(crate) chain: &'a ChainSpec,
    /// Where its agent calls from.
    pub(crate) address: IpAddr,
    /// Whether it would be a host too.
    pub(crate) host: bool,
    /// The highest price that it accepts; `None` for any.
    pub(crate) max_price: Option<Price>,
    pub(crate) client_version: &'a str,
    pub(crate) rules: PeerRules,
}

impl Matching {
    /// Returns which of the connected hosts could be assigned to a node if it were a client, and how many hosts were
    /// examined. Of what the pool remembers of the node, only the hosts with which it failed to connect count: the rest can be of
    /// another role.
    pub(crate) fn supply_for(&self, newcomer: &Newcomer<'_>, context: Context<'_>) -> (HostSupply, u32) {
        let hosts = self.open_hosts.connected();
        let most = hosts.len().min(context.limits.explained_hosts as usize);
        let mut survey = Survey::default();
        survey.complete = most == hosts.len();
        let known = context.agents.find(&newcomer.node);
        for &host in hosts.iter().take(most) {
            let rejection = self.rejection_of_newcomer(newcomer, host, context);
            let failed_ms = known.and_then(|client| self.recent_pairs.failed_for(context.now, host, client));
            if let (None, Some(ms)) = (&rejection, failed_ms) {
                survey.count_failed(ms);
            } else {
                survey.count(rejection);
            }
        }
        let price = context.limits.price;
        let (reason, steps) = if context.agents.drains_node(&newcomer.node) {
            (Some(NoHost::Drained.words(newcomer.chain)), 0)
        } else if !newcomer.accepts(price) {
            (Some(NoHost::Price(price).words(newcomer.chain)), 0)
        } else if survey.candidates > 0 {
            (None, 0)
        } else {
            self.why_no_supply(newcomer, &survey, context)
        };
        let candidates = if reason.is_some() { 0 } else { survey.candidates };
        (
            HostSupply { price, hosts: survey.on_chain(), candidates, reason, ..HostSupply::default() },
            survey.examined.saturating_add(steps),
        )
    }

    /// Explains why none of the examined hosts could be assigned, and returns how many were examined for it.
    fn why_no_supply(&self, newcomer: &Newcomer<'_>, survey: &Survey, context: Context<'_>) -> (Option<String>, u32) {
        let (chains, steps) = match survey.on_chain() {
            0 => self.no_hosts_on(newcomer.chain, newcomer.node, context),
            _ => (None, 0),
        };
        let other = if newcomer.host { "other " } else { "" };
        (chains.or_else(|| survey.complete.then(|| survey.words(newcomer.chain, other))), steps)
    }

    /// Returns the first reason why a host could not be assigned to a node that connects as described.
    fn rejection_of_newcomer(&self, newcomer: &Newcomer<'_>, host: u32, context: Context<'_>) -> Option<Rejection> {
        let agents = context.agents;
        let node = agents.get(host)?;
        if node.id() == newcomer.node {
            return Some(Rejection::Itself);
        }
        if !Self::is_on(agents.chain_number(newcomer.chain), node.chain(), newcomer.chain, context) {
            return Some(Rejection::Chain);
        }
        let scope = AddressScope::of(newcomer.address.to_canonical()).unwrap_or(AddressScope::Public);
        if node.dialed_from(scope, context.limits.members_only).is_none() {
            return Some(Rejection::Incompatible(Incompatibility::NoAddress));
        }
        if self.listed_slots(host).0 == 0 {
            return Some(self.why_no_free_slot(host, node));
        }
        self.mismatch(newcomer, node, context).map(Rejection::Incompatible)
    }

    /// By the rules of the two for each other.
    fn mismatch(&self, newcomer: &Newcomer<'_>, host: &Node, context: Context<'_>) -> Option<Incompatibility> {
        let (agents, class) = (context.agents, NodeClass::of(host));
        let profile = agents.class_profile(class);
        let served = profile.map(|profile| &*profile.serves).unwrap_or_default();
        let outdated = || newcomer.rules.outdates(agents.class_version(class)?);
        if let Some(unmet) = newcomer.rules.misses(served).or_else(outdated) {
            return Some(Incompatibility::Host(unmet));
        }
        profile?.rules.outdates(newcomer.client_version).map(|_| Incompatibility::Refused)
    }
}

impl Newcomer<'_> {
    /// Whether it accepts a price, as [`Node::accepts`].
    fn accepts(&self, price: Price) -> bool {
        self.max_price.is_none_or(|most| !price.exceeds(most))
    }
}
