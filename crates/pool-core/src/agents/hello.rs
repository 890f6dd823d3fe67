use vipnode_types::{Capability, MinVersion, Ms, Price};

use crate::{
    Credentials, Limits, NewPayout, NodeRow,
    agents::{Agents, Changed, listen_address::ListenAddress},
    collections::slab::NIL,
};

/// The description of a node and its agent that a connect carries, in either protocol.
#[derive(Debug)]
pub(crate) struct Hello<'a> {
    pub(crate) credentials: Credentials,
    pub(crate) endpoint: Option<ListenAddress>,
    /// A host's slots in total, and the payout account that its node key ordered.
    pub(crate) host: Option<(u32, Option<NewPayout>)>,
    /// Whether a host gives no trials.
    pub(crate) no_trials: bool,
    /// Whether the node is a client.
    pub(crate) client: bool,
    /// The highest price that a client accepts; `None` for any.
    pub(crate) max_price: Option<Price>,
    /// Whether a client's node dials a host only seconds after the call.
    pub(crate) dials_late: bool,
    pub(crate) agent_version: &'a str,
    pub(crate) client_version: &'a str,
    pub(crate) serves: &'a [Capability],
    pub(crate) need: &'a [Capability],
    pub(crate) min_versions: &'a [MinVersion],
}

impl Agents {
    /// Stores the description of a node. `seen_from`, if given, becomes the time it was last seen; no meter may depend on
    /// that. Returns the row to write, if it differs from the row `before`.
    pub(crate) fn take_in(
        &mut self,
        index: u32,
        hello: Hello<'_>,
        before: Option<&NodeRow>,
        seen_from: Option<Ms>,
        limits: &Limits,
    ) -> (Changed, Option<NodeRow>) {
        self.set_versions(index, &hello, limits);
        self.set_profile(index, &hello, limits);
        let slots = most_slots(limits);
        if let Some(node) = self.nodes.get_mut(index) {
            self.roles.remove(node);
            node.presence.seen = seen_from.unwrap_or(node.presence.seen);
        }
        let (vote, counted) = (self.vote(index), self.counted(index));
        let changed = self.update(index, |node| node.take_in(hello, slots));
        self.count_vote(index, vote);
        self.count_again(index, counted);
        if let Some(node) = self.nodes.get(index) {
            self.roles.add(node);
        }
        let after = self.row(index);
        let same = |(a, b): (&NodeRow, &NodeRow)| NodeRow { seen: b.seen, ..a.clone() } == *b;
        let stored = self.nodes.get_mut(index).is_some_and(crate::agents::node::Node::store);
        let unchanged = stored && before.zip(after.as_ref()).is_some_and(same);
        (changed, after.filter(|_| !unchanged))
    }

    fn set_versions(&mut self, index: u32, hello: &Hello<'_>, limits: &Limits) {
        self.forget_versions(index);
        let charged_to = self.charged_for_node(index, limits);
        let agent = self.intern_version(hello.agent_version, charged_to, limits);
        let client = self.intern_version(hello.client_version, charged_to, limits);
        if let Some(node) = self.nodes.get_mut(index) {
            node.set_versions(agent, client);
        }
    }

    /// Releases the versions that a node uses.
    pub(in crate::agents) fn forget_versions(&mut self, index: u32) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        for number in node.set_versions(NIL, NIL) {
            self.versions.give_back(number);
        }
    }
}

/// Returns the most slots that one host may offer.
pub(crate) fn most_slots(limits: &Limits) -> u32 {
    limits.slots_a_host.min(1_000)
}
