//! Peers that the user named: whether the node has them.

use vipnode_agent_core::DirectConfig;
use vipnode_types::PeerFact;

use super::{Finding, NodeFound};

pub(super) fn judge(direct: &DirectConfig, node: &NodeFound, peers: &[PeerFact]) -> Vec<Finding> {
    let is_there = |id| peers.iter().any(|peer| peer.id == id && peer.ready);
    let hosts = direct.hosts.iter().map(|host| {
        let who = host.id.short();
        if is_there(host.id) {
            return Finding::well("direct", format!("host {who} is connected"));
        }
        let hint = format!(
            "run `vipnode client` with it beside this node, have its operator run `vipnode host --allow {}`, and see \
             that its p2p port is open",
            node.facts.id
        );
        Finding::warning("direct", format!("host {who} is not connected"), hint)
    });
    let clients = direct.allow.iter().map(|client| match is_there(client.id) {
        true => Finding::well("direct", format!("client {} is connected", client.id.short())),
        false => Finding::skipped("direct", format!("client {} is not connected now", client.id.short())),
    });
    hosts.chain(clients).collect()
}
