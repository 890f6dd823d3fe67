use vipnode_pool_core::Row;
use vipnode_types::NodeId;

use super::{Promise, Violation};

/// What [`settled`] checks of a node and its agent.
#[derive(Debug, Clone)]
pub struct Participant {
    /// Public key of the node.
    pub id: NodeId,
    /// Hosts that the agent wants.
    pub wants: u32,
    /// Slots that it sells.
    pub sells: u32,
    /// Whether the node serves snap.
    pub snap: bool,
    /// Whether the agent needs hosts that serve snap.
    pub needs_snap: bool,
    /// Whether the agent speaks protocol 2.
    pub protocol2: bool,
    /// Peers that the node trusts.
    pub trusted: Vec<NodeId>,
    /// Static peers of the node, which it keeps dialing.
    pub dialed: Vec<NodeId>,
}

/// Checks that every client has the hosts that it can get, and that no node keeps what no lease asks for.
///
/// A client has enough hosts, or no host that it lacks has a free slot. With `may_lack` it may also be forbidden more.
///
/// # Errors
/// [`Promise::Liveness`].
pub fn settled(
    participants: &[Participant],
    rows: &[Row],
    may_lack: bool,
    connected: impl Fn(usize, usize) -> bool,
) -> Result<(), Violation> {
    let number = |id: NodeId| participants.iter().position(|participant| participant.id == id);
    let leases = rows.iter().filter_map(|row| match row {
        Row::Lease(lease) => number(lease.client).zip(number(lease.host)),
        _ => None,
    });
    let leases: Vec<(usize, usize)> = leases.collect();
    for (number, participant) in participants.iter().enumerate() {
        let peer_of =
            |(client, host): &(usize, usize)| participants[if *client == number { *host } else { *client }].id;
        let mine = || leases.iter().filter(|(client, host)| *client == number || *host == number);
        if let Some(peer) = participant.trusted.iter().find(|id| !mine().any(|l| l.1 == number && peer_of(l) == **id)) {
            return Promise::Liveness.broken(format!("node {number} trusts {peer:?} without a lease"));
        }
        if let Some(peer) = participant.dialed.iter().find(|id| !mine().any(|l| peer_of(l) == **id)) {
            return Promise::Liveness.broken(format!("node {number} dials {peer:?} without a lease"));
        }
    }
    if let Some((client, host)) = leases.iter().find(|(client, host)| !connected(*client, *host)) {
        return Promise::Liveness.broken(format!("client {client} has a lease on host {host} but is not connected"));
    }
    lacks_nothing(participants, &leases, may_lack)
}

/// Clients without any host come first: while there are fewer free slots than clients that lack a host, those that
/// have one may have to wait.
fn lacks_nothing(participants: &[Participant], leases: &[(usize, usize)], may_lack: bool) -> Result<(), Violation> {
    let has = |client: usize| leases.iter().filter(|lease| lease.0 == client).count();
    let free = |host: usize| {
        let taken = leases.iter().filter(|lease| lease.1 == host).count();
        (participants[host].sells as usize).saturating_sub(taken)
    };
    let lacking = |client: &usize| has(*client) < participants[*client].wants as usize;
    let waiting: Vec<usize> = (0..participants.len()).filter(lacking).collect();
    let free_slots: usize = (0..participants.len()).map(free).sum();
    for &client in waiting.iter().filter(|client| !may_lack && (has(**client) == 0 || free_slots >= waiting.len())) {
        let compatible = |host: usize| participants[host].snap || !participants[client].needs_snap;
        // Over protocol 2 a pair has one lease: an update could not say which of two it means.
        let other_way = |host: usize| {
            leases.contains(&(host, client)) && (participants[host].protocol2 || participants[client].protocol2)
        };
        let leased = |host: usize| leases.contains(&(client, host)) || other_way(host);
        let fits = |host: &usize| *host != client && free(*host) > 0 && compatible(*host) && !leased(*host);
        if let Some(host) = (0..participants.len()).find(fits) {
            return Promise::Liveness.broken(format!(
                "client {client} has {} of {} hosts, but host {host} has {} free slots",
                has(client),
                participants[client].wants,
                free(host)
            ));
        }
    }
    Ok(())
}
