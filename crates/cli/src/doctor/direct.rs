//! Whether the node is connected to the peers that the user named.

use vipnode_agent_core::DirectConfig;
use vipnode_types::PeerFact;

use super::{Finding, NodeFound};

pub(super) fn evaluate(direct: &DirectConfig, node: &NodeFound, peers: &[PeerFact]) -> Vec<Finding> {
    let is_there = |id| peers.iter().any(|peer| peer.id == id && peer.ready);
    let hosts = direct.hosts.iter().map(|host| {
        let who = host.id.short();
        if is_there(host.id) {
            return Finding::ok("direct", format!("Host {who} is connected"));
        }
        let hint = format!(
            "Check that its p2p port is open, run `vipnode client` with its enode, and ask its operator to run `vipnode \
             host --allow {}`",
            node.facts.id
        );
        Finding::warning("direct", format!("Host {who} is not connected"), hint)
    });
    let clients = direct.allow.iter().map(|client| match is_there(client.id) {
        true => Finding::ok("direct", format!("Client {} is connected", client.id.short())),
        false => Finding::skipped("direct", format!("Client {} is not connected at the moment", client.id.short())),
    });
    hosts.chain(clients).collect()
}
