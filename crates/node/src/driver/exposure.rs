//! Finds out whether a node's admin methods can be called from other machines.

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use vipnode_rpc::own_addresses;
use vipnode_types::NodeId;

use super::{answers, capabilities::empty};
use crate::{Endpoint, NodeAccess, Transport, TransportError, Trust, transport::RpcTransport};

/// The default ports of clients for HTTP and WebSocket.
const DEFAULT_PORTS: [(&str, u16); 3] = [("http", 8545), ("ws", 8546), ("ws", 8545)];
/// This machine answers itself quickly or not at all.
const PROBE_DEADLINE: Duration = Duration::from_secs(1);

/// Returns the addresses beyond loopback at which the node `id`, known to answer at `at`, accepts admin calls.
pub(crate) async fn find(at: &str, id: NodeId) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    if at.parse::<Endpoint>().is_ok_and(|endpoint| !endpoint.is_local()) {
        urls.push(at.to_owned());
    }
    for ip in own_addresses().into_iter().filter(|ip| !ip.is_loopback() && !ip.is_unspecified()) {
        urls.extend(DEFAULT_PORTS.map(|(scheme, port)| format!("{scheme}://{}", SocketAddr::new(ip, port))));
        let port = at.rsplit_once(':').and_then(|(_, port)| port.trim_end_matches('/').parse::<u16>().ok());
        if let (Some(port), Some((scheme, _))) = (port, at.split_once("://")) {
            urls.push(format!("{scheme}://{}", SocketAddr::new(ip, port)));
        }
    }
    urls.sort_unstable();
    urls.dedup();
    join_all(urls.into_iter().map(|url| answers_admin(url, id))).await.into_iter().flatten().collect()
}

async fn answers_admin(url: String, id: NodeId) -> Option<String> {
    let access = NodeAccess { trust: Trust::default().allow_plain(true), ..NodeAccess::default() };
    let transport = RpcTransport::new(url.parse().ok()?, &access).ok()?;
    // A node logs a warning for a call that it does not offer. One that does not list its modules is asked all the same.
    match transport.call("rpc_modules", empty(), PROBE_DEADLINE).await {
        Ok(modules) if !modules.get().contains("\"admin\"") => return None,
        Ok(_) | Err(TransportError::Remote { .. }) => {}
        Err(_) => return None,
    }
    let info = transport.call("admin_nodeInfo", empty(), PROBE_DEADLINE).await.ok()?;
    (answers::node_info(&info).ok()?.enode.id == id).then_some(url)
}
