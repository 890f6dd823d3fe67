use std::net::{IpAddr, Ipv4Addr};

use crate::SimRng;

/// What a group of attackers does. They have valid signatures and send only frames that the protocol allows, but no node of
/// theirs is ever connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttackerKind {
    /// New ids connect, ask, leave what they get, and are replaced by further ids.
    FreeIds,
    /// Hosts that admit every client and never connect with one.
    SilentHosts,
    /// Hosts and clients that send invented chains, versions, capabilities, connections, and faults.
    Liars,
    /// Clients that have the pool search for hosts as often as they may, each for something else.
    Flood,
}

/// Every kind of attackers.
const KINDS: [AttackerKind; 4] =
    [AttackerKind::FreeIds, AttackerKind::SilentHosts, AttackerKind::Liars, AttackerKind::Flood];

/// A group of attackers.
#[derive(Debug, Clone)]
pub struct AttackerPlan {
    /// What it does.
    pub kind: AttackerKind,
    /// Its addresses, each in another address block.
    pub ips: Vec<IpAddr>,
    /// Sockets that it has open at once.
    pub sockets: usize,
    /// The mean time between two of its acts, in ms.
    pub every_ms: u64,
}

/// Whether an agent with a node reports what is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Honesty {
    /// It does.
    Honest,
    /// A client that reports anything that the protocol allows, to be served without being billed.
    FreeRider,
    /// A host that reports its clients as connected, to harm them by its word.
    FalseHost,
}

impl AttackerPlan {
    /// Draws some groups. Silent hosts are in no more address blocks than the honest ones, `host_blocks`.
    pub(super) fn draw_all(rng: &mut SimRng, host_blocks: u32) -> Vec<Self> {
        let mut groups: Vec<AttackerKind> = KINDS.into_iter().filter(|_| rng.chance(500)).collect();
        if groups.is_empty() {
            groups.push(KINDS[rng.index(KINDS.len())]);
        }
        groups.into_iter().map(|kind| Self::draw(rng, kind, host_blocks)).collect()
    }

    fn draw(rng: &mut SimRng, kind: AttackerKind, host_blocks: u32) -> Self {
        let blocks = match kind {
            AttackerKind::SilentHosts => host_blocks,
            AttackerKind::Flood => 1,
            AttackerKind::FreeIds | AttackerKind::Liars => rng.count(1, 4),
        };
        // One provider for each kind, so that the shares of a /16 matter too.
        let provider = match kind {
            AttackerKind::FreeIds => 66,
            AttackerKind::SilentHosts => 77,
            AttackerKind::Liars => 88,
            AttackerKind::Flood => 99,
        };
        let ip = |block: u32| {
            let [.., block] = block.to_be_bytes();
            let [_, second] = if kind == AttackerKind::SilentHosts { [0, block] } else { [0, 1] };
            IpAddr::V4(Ipv4Addr::new(provider, second, block, 1))
        };
        let ips = (0..blocks).map(ip).collect();
        let (sockets, every_ms) = match kind {
            AttackerKind::FreeIds => (rng.index(20) + 5, rng.range(50, 1_000)),
            AttackerKind::SilentHosts => (rng.index(30) + 5, 5_000),
            AttackerKind::Liars => (rng.index(15) + 5, rng.range(100, 2_000)),
            AttackerKind::Flood => (60, 200),
        };
        Self { kind, ips, sockets, every_ms }
    }
}
