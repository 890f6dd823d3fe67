//! What the nodes do by themselves, and what their agents have them do.

use std::collections::btree_map::Entry;

use vipnode_agent_core::{Event, NodeCall, NodeTask};
use vipnode_types::{DropCause, HeadFact, NodeId};

use super::{Ev, World};
use crate::EPOCH_MS;

/// A node without a free dial slot looks again after this time.
const SLOT_AGAIN_MS: u64 = 200;
/// The time between two blocks.
const BLOCK_MS: u64 = 12_000;

impl World {
    /// A call of the agent reaches its node.
    pub(crate) fn node_exec(&mut self, agent: usize, life: u32, task: NodeTask, call: &NodeCall) {
        if self.agents[agent].life != life {
            // A killed agent's calls that were on their way are done; nobody hears how they ended.
            self.node_does(agent, call);
            return;
        }
        let flaky = self.faults.flaky.contains(&agent) && self.dice.chance(300);
        let up = self.devp2p.nodes[agent].up;
        if up && !(flaky && self.dice.chance(500)) {
            self.node_does(agent, call);
        }
        let result = if up && !flaky { Ok(()) } else { Err("the node does not answer".to_owned()) };
        self.within(0, 3, Ev::Tell { agent, life, event: Box::new(Event::NodeDone { task, result }) });
    }

    fn node_does(&mut self, number: usize, call: &NodeCall) {
        let node = &mut self.devp2p.nodes[number];
        if !node.up {
            return;
        }
        match call {
            NodeCall::Admit(peer) => {
                node.trusted.insert(peer.id);
            }
            NodeCall::Dial(peer) => {
                if let Entry::Vacant(entry) = node.statics.entry(peer.id) {
                    entry.insert(0);
                    self.plan_dial(number, peer.id);
                }
            }
            NodeCall::Drop(peer) => self.remove_peer(number, peer.id),
            NodeCall::Evict(peer) => {
                node.trusted.remove(&peer.id);
                self.remove_peer(number, peer.id);
            }
            NodeCall::Untrust(peer) => {
                node.trusted.remove(&peer.id);
            }
        }
        let check = self.checker.places(number, self.devp2p.nodes[number].trusted.len());
        self.hold(check);
    }

    fn remove_peer(&mut self, number: usize, peer: NodeId) {
        self.devp2p.nodes[number].statics.remove(&peer);
        if let Some(link) = self.devp2p.end_of(number, peer) {
            self.break_link(number, peer, link, 40);
        }
    }

    fn plan_dial(&mut self, number: usize, peer: NodeId) {
        if let Some((at, token)) = self.devp2p.nodes[number].next_dial(peer, self.now) {
            self.at(at, Ev::DialDue { node: number, peer, token });
        }
    }

    pub(crate) fn dial_due(&mut self, number: usize, peer: NodeId, token: u64) {
        let node = &self.devp2p.nodes[number];
        if node.statics.get(&peer) != Some(&token) || self.devp2p.end_of(number, peer).is_some() {
            return;
        }
        let boot = node.boot;
        if self.devp2p.begins_dial(number, peer, self.now) {
            self.within(4, 12, Ev::DialEnds { node: number, boot, peer });
        } else {
            self.at(self.now + SLOT_AGAIN_MS, Ev::DialDue { node: number, peer, token });
        }
    }

    pub(crate) fn dial_ends(&mut self, number: usize, boot: u32, peer: NodeId) {
        if self.devp2p.nodes[number].boot != boot {
            return;
        }
        let ip = self.scenario.agents.iter().find(|plan| plan.id == peer).map(|plan| plan.ip);
        let connected = ip.is_some_and(|ip| self.devp2p.ends_dial(number, peer, ip, self.now));
        let id = self.devp2p.nodes[number].id;
        self.log(|| {
            format!("node {} dials {}: {}", id.short(), peer.short(), if connected { "in" } else { "refused" })
        });
        if !connected {
            self.plan_dial(number, peer);
        }
    }

    /// Breaks a connection at one end; the other end notices within `most_ms`.
    pub(crate) fn break_link(&mut self, number: usize, peer: NodeId, link: u64, most_ms: u64) {
        self.end_drops(number, peer, link);
        let Some(other) = self.devp2p.number(peer) else { return };
        let id = self.devp2p.nodes[number].id;
        self.within(1, most_ms.max(1), Ev::EndDrops { node: other, peer: id, link });
    }

    pub(crate) fn end_drops(&mut self, number: usize, peer: NodeId, link: u64) {
        if !self.devp2p.drop_end(number, peer, link, self.now) {
            return;
        }
        self.plan_dial(number, peer);
        let a = &self.agents[number];
        if a.mind.is_some() && a.plan.peer_events {
            let life = a.life;
            let event = Box::new(Event::PeerGone(peer, DropCause::Untold));
            self.within(1, 5, Ev::Tell { agent: number, life, event });
        }
    }

    /// A node's process goes. Its peers notice at once, or after a while where the machine went with it.
    pub(crate) fn node_falls(&mut self, number: usize, down_ms: u64) {
        let hard = self.dice.chance(300);
        let id = self.devp2p.nodes[number].id;
        let ends = self.devp2p.ends(number);
        self.devp2p.stop(number, self.now);
        for (peer, link) in ends {
            let Some(other) = self.devp2p.number(peer) else { continue };
            self.within(1, if hard { 30_000 } else { 50 }, Ev::EndDrops { node: other, peer: id, link });
        }
        let life = self.agents[number].life;
        self.within(0, 1_000, Ev::Probe { agent: number, life });
        self.at(self.now + down_ms, Ev::NodeRises { node: number });
    }

    pub(crate) fn node_rises(&mut self, number: usize) {
        self.devp2p.start(number);
        let life = self.agents[number].life;
        self.within(0, 2_000, Ev::Probe { agent: number, life });
    }

    /// Has the agent told of a node that came or went, each time once.
    pub(crate) fn probe(&mut self, agent: usize, life: u32) {
        if self.agents[agent].life != life || self.agents[agent].mind.is_none() {
            return;
        }
        let node = &self.devp2p.nodes[agent];
        let here = node.up.then_some(node.boot);
        let told = self.agents[agent].told_boot.replace(here);
        if told == Some(here) {
            return;
        }
        if here.is_none() || told.flatten().is_some() {
            self.tell(agent, life, Event::NodeDown { why: "the node is gone".to_owned() });
        }
        if here.is_some() {
            let facts = self.agents[agent].facts();
            self.tell(agent, life, Event::NodeUp(Box::new(facts)));
            self.tell_head(agent);
            self.list_peers(agent, life);
        }
    }

    /// A block comes each 12 s.
    pub(crate) fn head(&mut self, agent: usize) {
        self.at(self.now + BLOCK_MS, Ev::Head { agent });
        self.tell_head(agent);
    }

    fn tell_head(&mut self, agent: usize) {
        let a = &self.agents[agent];
        if a.mind.is_none() || !self.devp2p.nodes[agent].up || a.told_boot.flatten().is_none() {
            return;
        }
        let life = a.life;
        let number = self.faults.stuck.get(&agent).copied().unwrap_or(self.now) / BLOCK_MS;
        let timestamp_s = (EPOCH_MS + number * BLOCK_MS) / 1_000;
        let head = HeadFact { number: 1_000 + number, timestamp_s, syncing: false };
        let wall_s = ((EPOCH_MS + self.now) / 1_000).saturating_add_signed(a.wall_skew_s);
        self.tell(agent, life, Event::Head { head, wall_s });
    }
}
