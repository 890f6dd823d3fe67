use vipnode_types::{HeadFact, Ms, NodeFacts, Price, wire::ConnectRequest};

use crate::{
    AgentConfig,
    host::offer::{OfferedSlots, too_cheap},
    node::state::NodeState,
    pool::hello::hello,
};

/// What an agent would do with a node as it is now. Computed without an agent, by the code of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What it would send to a pool over protocol 3.
    pub hello: ConnectRequest,
    /// Why it would offer no slots; `None` if it would, or does not host.
    pub why_no_slots: Option<String>,
}

impl Preview {
    /// Returns what an agent with these settings would do. `head` is the node's newest block, if it has one.
    #[must_use]
    pub fn of(config: &AgentConfig, facts: &NodeFacts, head: Option<HeadFact>, wall: Ms) -> Self {
        let mut node = NodeState::default();
        let _first = node.came_up(wall, facts.clone());
        if let Some(head) = head {
            node.see_head(wall, head, wall.get().wrapping_div(1_000));
        }
        let offer = OfferedSlots::of(config, &node, None, false, wall);
        Self { hello: hello(config, facts, offer.slots), why_no_slots: offer.why_none }
    }
    /// Returns why an agent with these settings would offer no slots at a pool with this price and this fee; `None` if it would, or
    /// does not host.
    #[must_use]
    pub fn why_too_cheap(config: &AgentConfig, price: Price, fee_bps: u16) -> Option<String> {
        too_cheap(config.host.as_ref()?, price.less_fee(fee_bps))
    }
}
