use vipnode_core::Row;
use vipnode_types::NodeId;

/// How one node and its agent stand.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Who.
    pub id: NodeId,
    /// Hosts it wants.
    pub wants: u32,
    /// Places it sells.
    pub sells: u32,
    /// Whom the node trusts.
    pub trusted: Vec<NodeId>,
    /// Whom it dials again and again.
    pub dialled: Vec<NodeId>,
}

/// Whether everybody has what there is to have, and no node keeps what no lease asks for.
///
/// A client has enough hosts, or no host that it lacks has a free place (`may_lack`: or it may be
/// forbidden).
///
/// # Errors
/// What is not so.
pub fn settled(
    standings: &[Standing],
    rows: &[Row],
    may_lack: bool,
    connected: impl Fn(usize, usize) -> bool,
) -> Result<(), String> {
    let number = |id: NodeId| standings.iter().position(|standing| standing.id == id);
    let leases = rows.iter().filter_map(|row| match row {
        Row::Lease(lease) => number(lease.client).zip(number(lease.host)),
        _ => None,
    });
    let leases: Vec<(usize, usize)> = leases.collect();
    for (number, standing) in standings.iter().enumerate() {
        let peer_of = |(client, host): &(usize, usize)| standings[if *client == number { *host } else { *client }].id;
        let mine = || leases.iter().filter(|(client, host)| *client == number || *host == number);
        if let Some(peer) = standing.trusted.iter().find(|id| !mine().any(|l| l.1 == number && peer_of(l) == **id)) {
            return Err(format!("node {number} trusts {peer:?} without a lease"));
        }
        if let Some(peer) = standing.dialled.iter().find(|id| !mine().any(|l| peer_of(l) == **id)) {
            return Err(format!("node {number} dials {peer:?} without a lease"));
        }
    }
    if let Some((client, host)) = leases.iter().find(|(client, host)| !connected(*client, *host)) {
        return Err(format!("client {client} has a lease on host {host} and is not connected"));
    }
    for (client, standing) in standings.iter().enumerate() {
        let has = leases.iter().filter(|lease| lease.0 == client).count();
        if has >= standing.wants as usize || may_lack {
            continue;
        }
        for (host, other) in standings.iter().enumerate() {
            let taken = leases.iter().filter(|lease| lease.1 == host).count();
            if host != client && taken < other.sells as usize && !leases.contains(&(client, host)) {
                return Err(format!(
                    "client {client} has {has} hosts of {}, and host {host} has {taken} clients on {} places",
                    standing.wants, other.sells
                ));
            }
        }
    }
    Ok(())
}
