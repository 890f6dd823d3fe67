use std::fmt::Write as _;

use vipnode_types::{
    Enode, Ms, NodeId,
    protocol2::{Protocol2Reply, Update, UpdateReply},
};

use super::{PORT, reply};
use crate::{ConnectionId, Core, RequestId, agents::node::Node, output::Output};

/// Agents of protocol 2 update at least this often.
const LONGEST_INTERVAL_MS: u64 = 119_000;
/// By default they update each minute, and on a new socket some seconds later.
const OVER_SOCKETS_MS: u64 = 70_000;

impl Core {
    /// Handles a node's full list of peers. Only peers with a lease count, for either side (faults D13 and D16,
    /// docs/faults.md); a lease whose peer is missing was last seen with the previous update (fault D20).
    pub(super) fn update2(
        &mut self,
        output: &mut Output,
        index: u32,
        (connection, request): (ConnectionId, RequestId),
        update: Update,
    ) {
        self.counters.reports = self.counters.reports.saturating_add(1);
        if self.is_silent(index) {
            self.go_down(output, index);
        }
        let before = self.agents.seen(index);
        self.agents.note_update(index, output.now.since(before));
        self.agents.seen_now(index, output.now);
        self.agents.set_head(index, update.block_number);
        let Some(node) = self.agents.get(index) else { return };
        let idle = !self.leases.any(index) && !node.credentials().drops();
        let mut answer = if idle {
            UpdateReply { latest_block_number: update.block_number, ..UpdateReply::default() }
        } else {
            let mut peers = update.peers;
            peers.sort_unstable();
            self.take_peers(output, index, &peers, before);
            self.news(output, index, &peers)
        };
        answer.balance = self.balance2(index, output.now);
        let answer = reply(Protocol2Reply::Update(answer));
        if output.writes() {
            output.reply_durably(connection, request, answer);
        } else {
            output.reply(connection, request, Ok(answer));
        }
    }

    fn take_peers(&mut self, output: &mut Output, index: u32, peers: &[NodeId], before: Ms) {
        // All other sides are looked up before any is judged: among a million nodes, none of them is in the CPU cache,
        // and memory serves several independent reads in the time of one.
        let across = self.leases.of(index).into_iter().filter_map(|(lease, side)| {
            let at = self.leases.get(lease).filter(|lease| !lease.is_admitting())?;
            Some((lease, side, self.agents.id(at.node(side.other()))?))
        });
        // An update does not cover the time since the previous one. If that is longer than an interval, because the pool
        // or the agent was down, a new row begins.
        let same_socket = self.agents.get(index).is_some_and(|node| node.since() <= before);
        let most = if same_socket { LONGEST_INTERVAL_MS } else { OVER_SOCKETS_MS };
        let bridged = output.now.since(before) <= most;
        for (lease, side, other) in across.collect::<Vec<_>>() {
            if peers.binary_search(&other).is_err() {
                self.side_down(output, lease, side, before);
            } else if !bridged && self.leases.get(lease).is_some_and(|lease| lease.sees(side)) {
                self.returned(output, lease, side, before);
            } else {
                self.side_up(output, lease, side);
            }
        }
    }

    /// Returns the answer to a node's update.
    fn news(&mut self, output: &mut Output, index: u32, peers: &[NodeId]) -> UpdateReply {
        let invalid_peers = self.still_to_drop(output, index, peers);
        self.peers_of(index, invalid_peers)
    }

    /// Returns the answer to a node's update that names these peers to drop.
    pub(in crate::flows) fn peers_of(&self, index: u32, invalid_peers: Vec<String>) -> UpdateReply {
        let mut heads: Vec<u64> = self.agents.get(index).map(Node::head).into_iter().collect();
        let mut contacts = Vec::new();
        for (lease, side) in self.leases.of(index) {
            let Some(lease) = self.leases.get(lease).filter(|lease| !lease.is_admitting()) else { continue };
            let other = lease.node(side.other());
            contacts.extend(self.contact(other, index));
            let here = self.agents.get(other).filter(|node| node.is_connected() && node.head() > 0);
            heads.extend(here.map(Node::head));
        }
        let active_peers = contacts.iter().map(text).collect();
        UpdateReply { balance: None, invalid_peers, active_peers, latest_block_number: median(heads) }
    }

    /// Returns a node's enode, with host and port even for a client that does not listen: a strict host treats an active
    /// peer without an address as a stranger (fault D33, docs/faults.md). Where the node was not observed in a scope that
    /// reaches the other one, the address is the other one's own: it reveals nothing, and nobody else is dialed.
    fn contact(&self, index: u32, to: u32) -> Option<Enode> {
        let (node, other) = (self.agents.get(index)?, self.agents.get(to)?);
        let dialed = self.agents.dialed_by(index, to, &self.limits);
        let address = || node.address_for(other).or_else(|| other.address());
        dialed.or_else(|| Some(Enode::at(node.id(), address()?.to_canonical(), PORT)))
    }
}

/// Returns an enode as text.
fn text(enode: &Enode) -> String {
    let mut text = String::with_capacity(192);
    // Writing into a string cannot fail.
    let _infallible = write!(text, "{enode}");
    text
}

/// Returns the lower median. One false value moves it by at most one position (fault D36, docs/faults.md).
pub(crate) fn median(mut heads: Vec<u64>) -> u64 {
    heads.sort_unstable();
    let middle = heads.len().saturating_sub(1) / 2;
    heads.get(middle).copied().unwrap_or(0)
}
