use std::collections::BTreeMap;

use vipnode_types::{Direction, HeadFact, Ms, NodeFacts, NodeId, wire::Side};

use crate::{Action, AgentCore, Notice, leases::lease::DialState, limits, node::light_slots::LightPlaces};

/// What the agent knows of its node.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeSide {
    /// From the last probe; kept while the node is away.
    pub(crate) facts: Option<NodeFacts>,
    pub(crate) up: bool,
    away_said: bool,
    /// Peers that run a sub-protocol, and what the node says of them; empty while the node is away.
    pub(crate) peers: BTreeMap<NodeId, Linked>,
    /// Of these, how many the node dialled.
    pub(crate) dialled: u32,
    /// The peers were seen since it came up.
    pub(crate) looked: bool,
    /// When the peers were last seen, or the node came up.
    pub(crate) watched: Ms,
    pub(crate) head: Option<Head>,
}

/// A connected peer, as far as the client tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linked {
    pub(crate) trusted: bool,
    /// The node dials it and keeps it connected.
    pub(crate) is_static: bool,
}

/// The newest block, and how old it was when it was told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) fact: HeadFact,
    pub(crate) age_ms: u64,
    pub(crate) told: Ms,
}

impl Head {
    /// How old the block is by now.
    pub(crate) const fn age_ms(&self, now: Ms) -> u64 {
        self.age_ms.saturating_add(now.since(self.told))
    }
}

impl NodeSide {
    pub(crate) fn see_head(&mut self, now: Ms, fact: HeadFact, wall_s: u64) {
        let age_ms = wall_s.saturating_sub(fact.timestamp_s).saturating_mul(1_000);
        self.head = Some(Head { fact, age_ms, told: now });
    }
}

impl AgentCore {
    /// A node that comes back has forgotten trust and static peers: all of it is told anew.
    pub(crate) fn node_up(&mut self, now: Ms, facts: NodeFacts, out: &mut Vec<Action>) {
        let another = self.node.facts.as_ref().is_some_and(|old| *old != facts);
        self.node.facts = Some(facts);
        self.node.up = true;
        self.node.watched = now;
        if std::mem::take(&mut self.node.away_said) {
            out.push(Action::Notice(Notice::NodeBack));
        }
        // What an earlier run left is told once it is known to live on; the last list of a strict agent does.
        let kept = self.strict.has_last_list();
        for lease in self.leases.iter_mut().filter(|lease| lease.runs() && (kept || !lease.leftover)) {
            if lease.task.is_none() {
                lease.applied = false;
                if let Some(dial) = lease.dial.as_mut().filter(|dial| dial.state == DialState::Done) {
                    dial.state = DialState::Due;
                }
            }
            if lease.id.is_direct() && lease.side == Side::Host {
                // What it knows of trust by itself it shows of connected peers only, and there are none: to serve whom
                // the user named comes first.
                lease.nodes_own = false;
            }
            if lease.side == Side::Client {
                lease.given = now;
                lease.returning = lease.up.is_some();
            }
        }
        for lease in self.leases.iter_mut() {
            lease.again = None;
        }
        self.present(now, another, out);
    }

    /// What the node was doing is void; it is told anew when the node is back.
    pub(crate) fn node_down(&mut self, why: String, out: &mut Vec<Action>) {
        self.node.up = false;
        self.node.peers.clear();
        self.node.looked = false;
        self.strict.node_down();
        self.node.dialled = 0;
        self.node.head = None;
        self.light_places = LightPlaces::default();
        if !std::mem::replace(&mut self.node.away_said, true) {
            out.push(Action::Notice(Notice::NodeAway { why }));
        }
        self.fail_all_tasks(out);
    }
}

impl NodeSide {
    /// Remembers who is connected.
    pub(crate) fn see_peers(&mut self, now: Ms, peers: &[vipnode_types::PeerFact]) {
        self.watched = now;
        self.looked = true;
        let ready = peers.iter().filter(|peer| peer.ready).take(limits::PEERS);
        let linked = |peer: &vipnode_types::PeerFact| Linked {
            trusted: peer.trusted == Some(true),
            is_static: peer.is_static == Some(true),
        };
        self.peers = ready.clone().map(|peer| (peer.id, linked(peer))).collect();
        let dialled = ready.filter(|peer| peer.direction == Direction::Outbound).count();
        self.dialled = u32::try_from(dialled).unwrap_or(u32::MAX);
    }
}
