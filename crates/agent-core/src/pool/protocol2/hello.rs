use std::net::{IpAddr, Ipv6Addr};

use vipnode_types::{
    Enode, EnodeHost, NodeFacts, is_public,
    protocol2::{Call, Kind, NodeInfo, Protocol2ConnectRequest},
};

use crate::{Advertise, AgentConfig, ToPool, pool::hello::advertised};

/// Returns the connect call for an original pool.
pub(in crate::pool) fn connect(config: &AgentConfig, facts: &NodeFacts) -> ToPool {
    let host = config.host.as_ref();
    let node_info = NodeInfo {
        version: facts.client_version.clone(),
        // Current clients do not report one (fault D39, docs/faults.md).
        eth_protocol: String::new(),
        kind: Kind::of_client(&facts.client_version),
        network: i64::try_from(facts.chain.chain_id).unwrap_or(i64::MAX),
        // The original takes a node with this value as a host.
        is_full_node: host.is_some() && facts.full,
    };
    let payout = host.and_then(|host| host.payout).map(|payout| payout.to_string());
    ToPool::Protocol2(Box::new(Call::Connect(Box::new(Protocol2ConnectRequest {
        vipnode_version: config.agent_version.clone(),
        node_info,
        node_uri: node_uri(&config.advertise, facts),
        num_hosts: 0,
        payout: payout.unwrap_or_default(),
    }))))
}

/// Returns the address for others to dial. An address that others cannot dial is not sent (fault D34, docs/faults.md):
/// the unspecified address stands for the source address of the socket; the port is kept.
fn node_uri(advertise: &Advertise, facts: &NodeFacts) -> String {
    let Some(enode) = advertised(advertise, facts) else { return String::new() };
    let hidden = *advertise == Advertise::Node && !can_be_dialed(&enode.host);
    let host = if hidden { EnodeHost::Ip(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) } else { enode.host };
    Enode { host, disc_port: None, ..enode }.to_string()
}

fn can_be_dialed(host: &EnodeHost) -> bool {
    match host {
        EnodeHost::None => false,
        EnodeHost::Dns(_) => true,
        EnodeHost::Ip(ip) => is_public(*ip),
    }
}
