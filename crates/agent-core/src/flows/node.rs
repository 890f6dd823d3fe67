//! The node comes up and goes down.

use vipnode_types::{Failure, Ms, NodeFacts};

use crate::{Action, AgentCore, Notice, node::light_slots::LightSlots};

impl AgentCore {
    /// Handles a node that came up. It has forgotten its trusted and static peers, so all commands are repeated.
    pub(crate) fn node_up(&mut self, now: Ms, facts: NodeFacts, out: &mut Vec<Action>) {
        let came_up = self.node.came_up(now, facts);
        if came_up.down_announced {
            out.push(Action::Notice(Notice::NodeReconnected));
        }
        // Changes of an earlier run are repeated once they are confirmed, or kept by the last list of a strict agent.
        let kept = self.strict.has_last_list();
        for lease in self.leases.iter_mut() {
            if lease.runs() && (kept || !lease.is_unreleased()) {
                lease.node_restarted(now);
            }
            lease.retry_now();
        }
        self.present(now, came_up.another, out);
    }

    /// Handles a node that went down. Its tasks are dropped, and repeated once it is up again.
    pub(crate) fn node_down(&mut self, why: Failure, out: &mut Vec<Action>) {
        let news = self.node.went_down();
        self.strict.node_down();
        self.light_slots = LightSlots::default();
        if news {
            out.push(Action::Notice(Notice::NodeDisconnected { why }));
        }
        self.fail_all_tasks(out);
    }
}
