use std::net::IpAddr;

use vipnode_types::{Capability, LeaseSetHash, Ms, NodeId, PeerRules, Price};

use crate::{
    ConnectionId, Credentials, Limits, NodeRow,
    agents::{
        Agents, Changed, hello::Hello, listen_address::ListenAddress, node::Node, node_flags::NodeFlag,
        update_gaps::UpdateGaps,
    },
};

/// A connected agent as a core knows it: what its connect and its later calls described. A core that is built again from
/// the store takes it over from the core before, so that the agent keeps its connection.
#[derive(Debug, Clone)]
pub struct AttachedAgent {
    pub(crate) node: NodeId,
    pub(crate) connection: ConnectionId,
    pub(crate) address: IpAddr,
    pub(crate) callable: bool,
    /// When it last reported.
    pub(crate) seen: Ms,
    /// The hosts that it wants, if it asked on this connection, and the nodes that it avoids.
    pub(crate) want: Option<(u32, Vec<NodeId>)>,
    /// Since when the present price counts.
    pub(crate) price_since: Ms,
    /// When an announced price was last withdrawn.
    pub(crate) price_withdrawn: Ms,
    since: Ms,
    rtt_us: u32,
    update_gaps: UpdateGaps,
    hash: LeaseSetHash,
    head: u64,
    light_full: bool,
    credentials: Credentials,
    endpoint: Option<ListenAddress>,
    /// A host's slots in total.
    host: Option<u32>,
    no_trials: bool,
    client: bool,
    max_price: Option<Price>,
    dials_late: bool,
    agent_version: String,
    client_version: String,
    serves: Box<[Capability]>,
    rules: PeerRules,
}

impl AttachedAgent {
    /// Returns the connection of the agent.
    #[must_use]
    pub const fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// Forgets when the agent last reported, because the pool did not confirm that report: what changed with it may not be
    /// durable.
    pub const fn forget_last_report(&mut self) {
        self.seen = Ms::ZERO;
    }
}

impl Agents {
    /// Returns a connected agent, without what it wants.
    pub(crate) fn attached(&self, node: &Node) -> Option<AttachedAgent> {
        let profile = self.profile(node).cloned().unwrap_or_default();
        Some(AttachedAgent {
            node: node.id(),
            connection: node.connection()?,
            address: node.address()?,
            callable: node.callable(),
            seen: node.seen(),
            want: None,
            price_since: Ms::ZERO,
            price_withdrawn: Ms::ZERO,
            since: node.since(),
            rtt_us: node.rtt_us(),
            update_gaps: node.presence.update_gaps,
            hash: node.hash(),
            head: node.head(),
            light_full: node.light_full(),
            credentials: node.credentials().clone(),
            endpoint: node.presence.endpoint.clone(),
            host: node.is_host().then(|| node.slots()),
            no_trials: !node.gives_trials(),
            client: node.is_client(),
            max_price: node.max_price.as_deref().copied(),
            dials_late: node.dials_late(),
            agent_version: self.agent_version(node),
            client_version: self.version(node).unwrap_or_default().to_owned(),
            serves: profile.serves,
            rules: profile.rules,
        })
    }

    /// Describes a node, which has its connection again, as its agent did before. Returns the row to write, if it differs
    /// from the row `before`. Reports on this connection are numbered again: the next one has to be full.
    pub(crate) fn describe_again(
        &mut self,
        index: u32,
        agent: &AttachedAgent,
        mut before: Option<NodeRow>,
        limits: &Limits,
    ) -> (Changed, Option<NodeRow>) {
        if let Some(before) = &mut before {
            // Nonces are written later.
            before.credentials.raise_nonce(agent.credentials.nonce());
        }
        let hello = Hello {
            credentials: agent.credentials.clone(),
            endpoint: agent.endpoint.clone(),
            host: agent.host.map(|slots| (slots, None)),
            no_trials: agent.no_trials,
            client: agent.client,
            max_price: agent.max_price,
            dials_late: agent.dials_late,
            agent_version: &agent.agent_version,
            client_version: &agent.client_version,
            serves: &agent.serves,
            need: &agent.rules.need,
            min_versions: &agent.rules.min_versions,
        };
        let described = self.take_in(index, hello, before.as_ref(), None, limits);
        let seen = self.seen(index).max(agent.seen);
        self.seen_now(index, seen);
        if let Some(node) = self.nodes.get_mut(index) {
            (node.presence.since, node.presence.rtt_us) = (agent.since, agent.rtt_us);
            node.presence.update_gaps = agent.update_gaps;
            node.set(NodeFlag::LIGHT_FULL, agent.light_full);
            node.take_report(0, agent.hash, Some(agent.head));
        }
        described
    }
}
