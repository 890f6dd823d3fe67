//! What nodes do on their own and at the request of their agents.

use std::collections::btree_map::Entry;

use vipnode_agent_core::{Event, NodeTask};
use vipnode_types::{DropCause, HeadFact, NodeId, PeerCommand};

use super::{RunEvent, Simulation};
use crate::EPOCH_MS;

/// How long a node without a free dial slot waits before it tries again, in ms.
const DIAL_RETRY_MS: u64 = 200;
/// The time between two blocks, in ms.
const BLOCK_MS: u64 = 12_000;

impl Simulation {
    /// Handles a call of an agent to its node.
    pub(crate) fn node_exec(&mut self, agent: usize, incarnation: u32, task: NodeTask, call: &PeerCommand) {
        if self.agents[agent].incarnation != incarnation {
            // Calls of a killed agent that were on their way are still carried out; nobody learns the outcome.
            self.node_does(agent, call);
            return;
        }
        let flaky = self.faults.flaky.contains(&agent) && self.rng.chance(300);
        let up = self.devp2p.nodes[agent].up;
        if up && !(flaky && self.rng.chance(500)) {
            self.node_does(agent, call);
        }
        let result = if up && !flaky { Ok(()) } else { Err("the node does not answer".into()) };
        self.within(
            0,
            3,
            RunEvent::ToAgentCore { agent, incarnation, event: Box::new(Event::NodeDone { task, result }) },
        );
    }

    /// Handles an agent that reads its node's list of peers.
    pub(crate) fn node_lists(&mut self, agent: usize, incarnation: u32, task: NodeTask) {
        if self.agents[agent].incarnation != incarnation {
            return;
        }
        let flaky = self.faults.flaky.contains(&agent) && self.rng.chance(300);
        let node = &self.devp2p.nodes[agent];
        let answers = node.up && !flaky;
        let result = if answers { Ok(node.peers(self.now)) } else { Err("the node does not answer".into()) };
        let event = Box::new(Event::Listed { task, result });
        self.within(0, 3, RunEvent::ToAgentCore { agent, incarnation, event });
    }

    fn node_does(&mut self, number: usize, call: &PeerCommand) {
        let node = &mut self.devp2p.nodes[number];
        if !node.up {
            return;
        }
        match call {
            PeerCommand::Admit(peer) => {
                node.trusted.insert(peer.id);
            }
            PeerCommand::Dial(peer) => {
                if let Entry::Vacant(entry) = node.statics.entry(peer.id) {
                    entry.insert(0);
                    self.plan_dial(number, peer.id);
                }
            }
            PeerCommand::Drop(peer) => self.remove_peer(number, peer.id),
            PeerCommand::Evict(peer) => {
                node.trusted.remove(&peer.id);
                self.remove_peer(number, peer.id);
            }
            PeerCommand::Untrust(peer) => {
                node.trusted.remove(&peer.id);
            }
        }
        let check = self.checker.slots(number, self.devp2p.nodes[number].trusted.len());
        self.require(check);
    }

    fn remove_peer(&mut self, number: usize, peer: NodeId) {
        self.devp2p.nodes[number].statics.remove(&peer);
        if let Some(link) = self.devp2p.link_end(number, peer) {
            self.break_link(number, peer, link, 40);
        }
    }

    fn plan_dial(&mut self, number: usize, peer: NodeId) {
        if let Some((at, token)) = self.devp2p.nodes[number].next_dial(peer, self.now) {
            self.at(at, RunEvent::DialDue { node: number, peer, token });
        }
    }

    pub(crate) fn dial_due(&mut self, number: usize, peer: NodeId, token: u64) {
        let node = &self.devp2p.nodes[number];
        if node.statics.get(&peer) != Some(&token) || self.devp2p.link_end(number, peer).is_some() {
            return;
        }
        let boot = node.boot;
        if self.devp2p.start_dial(number, peer, self.now) {
            self.within(4, 12, RunEvent::DialEnds { node: number, boot, peer });
        } else {
            self.at(self.now + DIAL_RETRY_MS, RunEvent::DialDue { node: number, peer, token });
        }
    }

    pub(crate) fn dial_ends(&mut self, number: usize, boot: u32, peer: NodeId) {
        if self.devp2p.nodes[number].boot != boot {
            return;
        }
        let ip = self.scenario.agents.iter().find(|plan| plan.id == peer).map(|plan| plan.ip);
        let connected = ip.is_some_and(|ip| self.devp2p.finish_dial(number, peer, ip, self.now));
        let id = self.devp2p.nodes[number].id;
        self.log(|| {
            format!("node {} dials {}: {}", id.short(), peer.short(), if connected { "connected" } else { "refused" })
        });
        if !connected {
            self.plan_dial(number, peer);
        }
    }

    /// Breaks a connection at one end; the other end notices within `most_ms` ms.
    pub(crate) fn break_link(&mut self, number: usize, peer: NodeId, link: u64, most_ms: u64) {
        self.end_drops(number, peer, link);
        let Some(other) = self.devp2p.number(peer) else { return };
        let id = self.devp2p.nodes[number].id;
        self.within(1, most_ms.max(1), RunEvent::EndDrops { node: other, peer: id, link });
    }

    pub(crate) fn end_drops(&mut self, number: usize, peer: NodeId, link: u64) {
        if !self.devp2p.drop_end(number, peer, link, self.now) {
            return;
        }
        self.plan_dial(number, peer);
        let a = &self.agents[number];
        if a.core.is_some() && a.plan.peer_events {
            let incarnation = a.incarnation;
            let event = Box::new(Event::PeerGone(peer, DropCause::Unknown));
            self.within(1, 5, RunEvent::ToAgentCore { agent: number, incarnation, event });
        }
    }

    /// Stops a node's process for `down_ms`. Its peers notice at once, or after a while if the machine went down too.
    pub(crate) fn node_stops(&mut self, number: usize, down_ms: u64) {
        let hard = self.rng.chance(300);
        let id = self.devp2p.nodes[number].id;
        let ends = self.devp2p.ends(number);
        self.devp2p.stop(number, self.now);
        for (peer, link) in ends {
            let Some(other) = self.devp2p.number(peer) else { continue };
            self.within(1, if hard { 30_000 } else { 50 }, RunEvent::EndDrops { node: other, peer: id, link });
        }
        let incarnation = self.agents[number].incarnation;
        self.within(0, 1_000, RunEvent::Probe { agent: number, incarnation });
        self.at(self.now + down_ms, RunEvent::NodeStarts { node: number });
    }

    pub(crate) fn node_starts(&mut self, number: usize) {
        self.devp2p.start(number);
        let incarnation = self.agents[number].incarnation;
        self.within(0, 2_000, RunEvent::Probe { agent: number, incarnation });
    }

    /// Reports to the agent's core, once, that its node came or went.
    pub(crate) fn probe(&mut self, agent: usize, incarnation: u32) {
        if self.agents[agent].incarnation != incarnation || self.agents[agent].core.is_none() {
            return;
        }
        let node = &self.devp2p.nodes[agent];
        let here = node.up.then_some(node.boot);
        let reported = self.agents[agent].reported_boot.replace(here);
        if reported == Some(here) {
            return;
        }
        if here.is_none() || reported.flatten().is_some() {
            self.deliver(agent, incarnation, Event::NodeDown { why: "the node is down".into() });
        }
        if here.is_some() {
            let facts = self.agents[agent].facts();
            self.deliver(agent, incarnation, Event::NodeUp(Box::new(facts)));
            self.report_head(agent);
            self.list_peers(agent, incarnation);
        }
    }

    /// A new block, every [`BLOCK_MS`].
    pub(crate) fn head(&mut self, agent: usize) {
        self.at(self.now + BLOCK_MS, RunEvent::NewHead { agent });
        self.report_head(agent);
    }

    fn report_head(&mut self, agent: usize) {
        let a = &self.agents[agent];
        if a.core.is_none() || !self.devp2p.nodes[agent].up || a.reported_boot.flatten().is_none() {
            return;
        }
        let incarnation = a.incarnation;
        let number = self.faults.stalled.get(&agent).copied().unwrap_or(self.now) / BLOCK_MS;
        let timestamp_s = (EPOCH_MS + number * BLOCK_MS) / 1_000;
        let head = HeadFact { number: 1_000 + number, timestamp_s, syncing: false };
        let wall_s = ((EPOCH_MS + self.now) / 1_000).saturating_add_signed(a.wall_skew_s);
        self.deliver(agent, incarnation, Event::Head { head, wall_s });
    }
}
