use std::net::{IpAddr, Ipv4Addr};

use crate::SimRng;

/// What a group of strangers does. They have valid signatures and send only frames that the protocol allows, but no node of
/// theirs is ever connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StrangerKind {
    /// New ids connect, ask, leave what they get, and are replaced by further ids.
    FreeIds,
    /// Hosts that admit every client and never connect with one.
    SilentHosts,
    /// Hosts and clients that send invented chains, versions, capabilities, connections, and faults.
    Liars,
    /// Clients that have the pool search for hosts as often as they may, each for something else.
    Flood,
}

/// Every kind of strangers.
const KINDS: [StrangerKind; 4] =
    [StrangerKind::FreeIds, StrangerKind::SilentHosts, StrangerKind::Liars, StrangerKind::Flood];

/// A group of strangers.
#[derive(Debug, Clone)]
pub struct StrangerPlan {
    /// What it does.
    pub kind: StrangerKind,
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

impl StrangerPlan {
    /// Draws some groups. Silent hosts are in no more address blocks than the honest ones, `host_blocks`.
    pub(super) fn draw_all(rng: &mut SimRng, host_blocks: u32) -> Vec<Self> {
        let mut groups: Vec<StrangerKind> = KINDS.into_iter().filter(|_| rng.chance(500)).collect();
        if groups.is_empty() {
            groups.push(KINDS[rng.index(KINDS.len())]);
        }
        groups.into_iter().map(|kind| Self::draw(rng, kind, host_blocks)).collect()
    }

    fn draw(rng: &mut SimRng, kind: StrangerKind, host_blocks: u32) -> Self {
        let blocks = match kind {
            StrangerKind::SilentHosts => host_blocks,
            StrangerKind::Flood => 1,
            StrangerKind::FreeIds | StrangerKind::Liars => rng.count(1, 4),
        };
        // One provider for each kind, so that the shares of a /16 matter too.
        let provider = match kind {
            StrangerKind::FreeIds => 66,
            StrangerKind::SilentHosts => 77,
            StrangerKind::Liars => 88,
            StrangerKind::Flood => 99,
        };
        let ip = |block: u32| {
            let [.., block] = block.to_be_bytes();
            let [_, second] = if kind == StrangerKind::SilentHosts { [0, block] } else { [0, 1] };
            IpAddr::V4(Ipv4Addr::new(provider, second, block, 1))
        };
        let ips = (0..blocks).map(ip).collect();
        let (sockets, every_ms) = match kind {
            StrangerKind::FreeIds => (rng.index(20) + 5, rng.range(50, 1_000)),
            StrangerKind::SilentHosts => (rng.index(30) + 5, 5_000),
            StrangerKind::Liars => (rng.index(15) + 5, rng.range(100, 2_000)),
            StrangerKind::Flood => (60, 200),
        };
        Self { kind, ips, sockets, every_ms }
    }
}
