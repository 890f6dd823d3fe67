use crate::{Core, PoolCall, leases::agent_calls::CallKind, output::Output};

impl Core {
    /// A call in the words that its agent knows; `None` where it knows none and hears of it otherwise, or
    /// not at all.
    pub(crate) fn in_its_words(
        &mut self,
        output: &mut Output,
        node: u32,
        message: PoolCall,
        kind: CallKind,
    ) -> Option<PoolCall> {
        if !self.nodes.get(node)?.credentials.is_node_key() {
            return Some(message);
        }
        match message {
            PoolCall::Admit(admit) => Some(PoolCall::Whitelist(admit.client)),
            PoolCall::Evict(evict) => {
                self.drop_peer(output, node, evict.peer);
                if let CallKind::Evict(eviction) = kind {
                    // It hears of it with its next update: what sampling costs.
                    let heard = output.now.plus(self.limits.report_interval_ms);
                    self.end_unpaired(heard, eviction.unpaired);
                }
                None
            }
            PoolCall::Dial(_) | PoolCall::Whitelist(_) => None,
        }
    }
}
