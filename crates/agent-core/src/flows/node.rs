//! The node comes up, and goes down.

use vipnode_types::{Failure, Ms, NodeFacts};

use crate::{Action, AgentCore, Notice, node::light_slots::LightSlots};

impl AgentCore {
    /// A node that comes back has forgotten trusted and static peers: it is told all of them again.
    pub(crate) fn node_up(&mut self, now: Ms, facts: NodeFacts, out: &mut Vec<Action>) {
        let came_up = self.node.came_up(now, facts);
        if came_up.down_announced {
            out.push(Action::Notice(Notice::NodeReconnected));
        }
        // What an earlier run left is told once it is known to live on; the last list of a strict agent does.
        let kept = self.strict.has_last_list();
        for lease in self.leases.iter_mut() {
            if lease.runs() && (kept || !lease.is_leftover()) {
                lease.node_restarted(now);
            }
            lease.set_retry(None);
        }
        self.present(now, came_up.another, out);
    }

    /// What the node was doing is void; it is told again when the node is back.
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
