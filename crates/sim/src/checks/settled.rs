use vipnode_pool_core::Row;
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
    /// Whether its node serves snap.
    pub snap: bool,
    /// Whether it wants hosts that do.
    pub needs_snap: bool,
    /// Whether its agent speaks protocol 2.
    pub protocol2: bool,
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
    lacks_nothing(standings, &leases, may_lack)
}

/// Whoever has no host comes first: while there are fewer free places than clients that lack one, those
/// that have one may be kept waiting.
fn lacks_nothing(standings: &[Standing], leases: &[(usize, usize)], may_lack: bool) -> Result<(), String> {
    let has = |client: usize| leases.iter().filter(|lease| lease.0 == client).count();
    let free = |host: usize| {
        let taken = leases.iter().filter(|lease| lease.1 == host).count();
        (standings[host].sells as usize).saturating_sub(taken)
    };
    let lacking = |client: &usize| has(*client) < standings[*client].wants as usize;
    let hungry: Vec<usize> = (0..standings.len()).filter(lacking).collect();
    let places: usize = (0..standings.len()).map(free).sum();
    for &client in hungry.iter().filter(|client| !may_lack && (has(**client) == 0 || places >= hungry.len())) {
        let suits = |host: usize| standings[host].snap || !standings[client].needs_snap;
        // Protocol 2 has one lease a pair: which of two an update means nobody could tell.
        let other_way = |host: usize| {
            leases.contains(&(host, client)) && (standings[host].protocol2 || standings[client].protocol2)
        };
        let leased = |host: usize| leases.contains(&(client, host)) || other_way(host);
        let fits = |host: &usize| *host != client && free(*host) > 0 && suits(*host) && !leased(*host);
        if let Some(host) = (0..standings.len()).find(fits) {
            return Err(format!(
                "client {client} has {} hosts of {}, and host {host} has {} free places",
                has(client),
                standings[client].wants,
                free(host)
            ));
        }
    }
    Ok(())
}
