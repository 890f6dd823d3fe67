//! Why the two nodes of a lease are not connected, as seen from either side.

use std::collections::BTreeSet;

use vipnode_types::{
    DropCause,
    wire::{LeaveReason, PairFault, Side},
};

use crate::{leases::Lease, limits};

/// Why the peer of a lease is not connected, if this side can see the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnectFailure {
    /// Its genesis block is different.
    Genesis,
    /// Its network id is different.
    Network,
    /// Its forks are different.
    Forks,
    /// The two share no version of `eth`.
    EthVersion,
    /// One of the two is a light node and was disconnected at once: the host's node has no free slot for light nodes.
    NoLightSlot,
    /// It connected, and the connection ended before a protocol ran, without a known reason.
    NoCommonProtocol,
    /// It never connected, and the node has used up its dial slots, so it has not dialed this peer.
    NoDialSlot {
        /// Peers that the node dialed.
        dialed: u32,
    },
    /// It never connected, and its address is a loopback address: it leads to the machine of the node that dials.
    Loopback,
    /// Nothing is known but that the two nodes were never connected.
    NeverConnected,
}

/// Causes of which the user was notified, each kind once.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnnouncedCauses(BTreeSet<ConnectFailure>);

impl AnnouncedCauses {
    /// Adds a cause. Returns whether it is the first of its kind.
    pub(crate) fn insert(&mut self, cause: ConnectFailure) -> bool {
        let kind = match cause {
            ConnectFailure::NoDialSlot { .. } => ConnectFailure::NoDialSlot { dialed: 0 },
            other => other,
        };
        self.0.insert(kind)
    }
}

impl ConnectFailure {
    /// Returns the failure for a cause that the node reported, if further dials cannot change it.
    pub(crate) const fn lasting(cause: DropCause, light: bool) -> Option<Self> {
        match cause {
            DropCause::Genesis => Some(Self::Genesis),
            DropCause::Network => Some(Self::Network),
            DropCause::Forks => Some(Self::Forks),
            DropCause::EthVersion => Some(Self::EthVersion),
            DropCause::Requested if light => Some(Self::NoLightSlot),
            DropCause::Requested | DropCause::Unknown => None,
        }
    }

    /// Returns what is reported to the other side.
    pub(crate) const fn fault(self) -> Option<PairFault> {
        match self {
            Self::Genesis => Some(PairFault::Genesis),
            Self::Network => Some(PairFault::Network),
            Self::Forks => Some(PairFault::Forks),
            Self::EthVersion => Some(PairFault::EthVersion),
            Self::NoLightSlot => Some(PairFault::LightSlots),
            Self::NoCommonProtocol | Self::NoDialSlot { .. } | Self::Loopback | Self::NeverConnected => None,
        }
    }

    /// Returns the failure that the other side reported.
    pub(crate) const fn reported(fault: PairFault) -> Self {
        match fault {
            PairFault::Genesis => Self::Genesis,
            PairFault::Network => Self::Network,
            PairFault::Forks => Self::Forks,
            PairFault::EthVersion => Self::EthVersion,
            PairFault::LightSlots => Self::NoLightSlot,
            PairFault::Loopback => Self::Loopback,
            PairFault::Other => Self::NoCommonProtocol,
        }
    }

    /// Returns the reason for the pool. The pool remembers incompatible versions and does not match them again.
    pub(crate) const fn leave_reason(self) -> LeaveReason {
        match self {
            Self::EthVersion => LeaveReason::Rejected,
            _ => LeaveReason::NotConnected,
        }
    }
}

/// Returns why the two nodes are not connected, if this side can see the cause. `light`: the lease needs a slot for light
/// nodes, and those may be taken. `dialed`: how many of its `max_peers` peers the node dialed. A host whose client
/// never connected learns of it when the pool ends the client's lease.
pub(crate) fn find_cause(lease: &Lease, light: bool, dialed: u32, max_peers: u32) -> Option<ConnectFailure> {
    match (lease.connection().failing(), lease.side()) {
        (Some(cause), _) => Some(ConnectFailure::lasting(cause, light).unwrap_or(ConnectFailure::NoCommonProtocol)),
        (None, Side::Host) => None,
        (None, Side::Client) if dialed >= (max_peers / limits::DIAL_RATIO).max(1) => {
            Some(ConnectFailure::NoDialSlot { dialed })
        }
        (None, Side::Client) if lease.peer().ip().is_some_and(|ip| ip.to_canonical().is_loopback()) => {
            Some(ConnectFailure::Loopback)
        }
        (None, Side::Client) => Some(ConnectFailure::NeverConnected),
    }
}
