//! Why a pair that the pool brought together is not connected, seen from either side.

use std::collections::BTreeSet;

use vipnode_types::{
    DropCause,
    wire::{LeaveReason, PairFault, Side},
};

use crate::{leases::Lease, limits};

/// Why a peer that was let in, or that let the node in, is not connected, as far as this side can see.
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
    /// It is a light node, or ours is, and was disconnected at once: the host's node has no free slot for light nodes.
    NoLightSlot,
    /// It came, and the connection ended before a protocol ran; neither side said why.
    NoCommonProtocol,
    /// It never showed, and the node already dials as many peers as it may, so it has not dialed this one.
    NoDialSlot {
        /// Peers that the node dialed.
        dialed: u32,
    },
    /// It never showed.
    Silent,
}

/// Causes that were announced to the user; two of a kind are announced once.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnnouncedCauses(BTreeSet<ConnectFailure>);

impl AnnouncedCauses {
    /// Whether it is the first of its kind.
    pub(crate) fn insert(&mut self, cause: ConnectFailure) -> bool {
        let kind = match cause {
            ConnectFailure::NoDialSlot { .. } => ConnectFailure::NoDialSlot { dialed: 0 },
            other => other,
        };
        self.0.insert(kind)
    }
}

impl ConnectFailure {
    /// A cause that the node reported and that no further dial changes.
    pub(crate) const fn lasting(cause: DropCause, light: bool) -> Option<Self> {
        match cause {
            DropCause::Genesis => Some(Self::Genesis),
            DropCause::Network => Some(Self::Network),
            DropCause::Forks => Some(Self::Forks),
            DropCause::EthVersion => Some(Self::EthVersion),
            DropCause::Requested if light => Some(Self::NoLightSlot),
            DropCause::Requested | DropCause::Untold => None,
        }
    }

    /// What the other side hears of it.
    pub(crate) const fn fault(self) -> Option<PairFault> {
        match self {
            Self::Genesis => Some(PairFault::Genesis),
            Self::Network => Some(PairFault::Network),
            Self::Forks => Some(PairFault::Forks),
            Self::EthVersion => Some(PairFault::EthVersion),
            Self::NoLightSlot => Some(PairFault::LightSlots),
            Self::NoCommonProtocol | Self::NoDialSlot { .. } | Self::Silent => None,
        }
    }

    /// What the other side reported.
    pub(crate) const fn reported(fault: PairFault) -> Self {
        match fault {
            PairFault::Genesis => Self::Genesis,
            PairFault::Network => Self::Network,
            PairFault::Forks => Self::Forks,
            PairFault::EthVersion => Self::EthVersion,
            PairFault::LightSlots => Self::NoLightSlot,
            PairFault::Other => Self::NoCommonProtocol,
        }
    }

    /// What the pool hears of it: it remembers that versions are incompatible, so that it brings no such pair again.
    pub(crate) const fn leave_reason(self) -> LeaveReason {
        match self {
            Self::EthVersion => LeaveReason::Rejected,
            _ => LeaveReason::NotConnected,
        }
    }
}

/// Why the pair is not connected, as far as this side sees. `light` says whether it needs a slot for light nodes that may
/// be taken; `dialed` is how many peers the node dialed, of `max_peers` that it takes. A host whose client never showed
/// is told when the client's lease ends, and no more is known of it there.
pub(crate) fn find_cause(lease: &Lease, light: bool, dialed: u32, max_peers: u32) -> Option<ConnectFailure> {
    match (lease.presence().failing(), lease.side()) {
        (Some(cause), _) => Some(ConnectFailure::lasting(cause, light).unwrap_or(ConnectFailure::NoCommonProtocol)),
        (None, Side::Host) => None,
        (None, Side::Client) if dialed >= (max_peers / limits::DIAL_RATIO).max(1) => {
            Some(ConnectFailure::NoDialSlot { dialed })
        }
        (None, Side::Client) => Some(ConnectFailure::Silent),
    }
}
