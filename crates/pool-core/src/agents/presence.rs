use std::net::IpAddr;

use vipnode_types::{LeaseSetHash, Ms};

use crate::{
    ConnectionId,
    agents::{listen_address::ListenAddress, node_flags::NodeFlags, update_gaps::UpdateGaps},
    collections::slab::NIL,
};

/// What each report of a node's agent changes, and what a search reads of each host that it examines. It is one field of
/// [`Node`](crate::agents::node::Node), with its own fields in this order, so that it is contiguous: among a million nodes, each
/// further part of the memory misses the CPU cache. What reports change comes first.
#[derive(Debug)]
#[repr(C)]
pub(in crate::agents) struct Presence {
    /// When its agent last reported.
    pub(in crate::agents) seen: Ms,
    pub(in crate::agents) hash: LeaseSetHash,
    pub(in crate::agents) head: u64,
    /// The current connection, while [`CONNECTED`](crate::agents::node_flags::NodeFlag::CONNECTED) is set. The fields below
    /// describe it.
    pub(in crate::agents) connection: ConnectionId,
    pub(in crate::agents) flags: NodeFlags,
    _present: Present,
    pub(in crate::agents) seq: u32,
    pub(in crate::agents) update_gaps: UpdateGaps,
    pub(in crate::agents) chain: u32,
    pub(in crate::agents) slots: u32,
    /// Number of the version of its execution client, or [`NIL`] if it is unknown or there are too many.
    pub(in crate::agents) client_version: u32,
    /// Number of the profile, or [`NIL`] if it sent none.
    pub(in crate::agents) profile: u32,
    /// When it last connected or left.
    pub(in crate::agents) since: Ms,
    pub(in crate::agents) endpoint: Option<ListenAddress>,
    pub(in crate::agents) rtt_us: u32,
    pub(in crate::agents) address: Option<IpAddr>,
}

/// A byte with 255 unused values. The compiler marks a missing node by an unused value of the field that has most of them, so
/// it reads this one, and not one in a part of the node that is used less.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Present {
    Yes = 1,
}

impl Presence {
    /// Of a node that is not connected.
    pub(in crate::agents) fn new(seen: Ms, chain: u32) -> Self {
        Self {
            seen,
            hash: LeaseSetHash::default(),
            head: 0,
            connection: ConnectionId { gateway: 0, connection: 0, generation: 0 },
            flags: NodeFlags::default(),
            _present: Present::Yes,
            seq: 0,
            update_gaps: UpdateGaps::default(),
            chain,
            slots: 0,
            client_version: NIL,
            profile: NIL,
            since: seen,
            endpoint: None,
            rtt_us: 0,
            address: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_two_lines_of_the_cpu_cache_and_what_reports_change_one() {
        assert!(size_of::<Presence>() <= 120, "{}", size_of::<Presence>());
        assert!(std::mem::offset_of!(Presence, chain) <= 48);
        assert_eq!(size_of::<Option<Presence>>(), size_of::<Presence>());
    }
}
