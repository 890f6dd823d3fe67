use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::HostileShape;
use crate::SimRng;

/// What a group of attackers does. They have valid signatures and send only frames that the protocol allows. No node of theirs
/// is ever connected; only [`Self::KnownHosts`] and [`Self::RowFlood`] report that they are, with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttackerKind {
    /// New ids connect, ask, leave what they get, and are replaced by further ids.
    FreeIds,
    /// Hosts that admit every client and never connect with one.
    SilentHosts,
    /// Hosts that refuse every client, for any reason that the protocol has.
    RefusingHosts,
    /// Hosts and clients that send invented chains, versions, capabilities, connections, and faults.
    Liars,
    /// Clients that have the pool search for hosts as often as they may, each for something else.
    Flood,
    /// Hosts and clients that are first connected with each other, in several networks, until the pool knows the hosts and the
    /// clients are proven. Then the hosts are silent toward everybody else, and the clients hold the offers of others.
    KnownHosts,
    /// Hosts and clients in one block that report to be connected with each other, begin a billing period with every other report,
    /// and are replaced by further ids.
    RowFlood,
}

/// The kinds that are drawn; [`HostileShape`] adds the others.
const KINDS: [AttackerKind; 4] =
    [AttackerKind::FreeIds, AttackerKind::SilentHosts, AttackerKind::Liars, AttackerKind::Flood];

/// The /48s of [`AttackerKind::RowFlood`] in one /32.
const BLOCKS_OF_ROW_FLOOD: u32 = 40;

impl AttackerKind {
    /// Whether they are hosts, of which there are in no more address blocks than of honest ones.
    const fn is_host(self) -> bool {
        matches!(self, Self::SilentHosts | Self::RefusingHosts | Self::KnownHosts)
    }

    /// Whether a part of them is hosts, and the others are clients of these.
    pub(crate) const fn has_hosts_and_clients(self) -> bool {
        matches!(self, Self::KnownHosts | Self::RowFlood)
    }

    /// Their provider, one for each kind, so that the shares of a /16 or /32 matter too.
    const fn provider(self) -> u8 {
        match self {
            Self::FreeIds => 66,
            Self::SilentHosts | Self::RefusingHosts | Self::KnownHosts => 77,
            Self::Liars => 88,
            Self::Flood => 99,
            Self::RowFlood => 44,
        }
    }
}

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
    /// Draws some groups. Hosts are in no more address blocks than the honest ones, `host_blocks`.
    pub(super) fn draw_all(rng: &mut SimRng, host_blocks: u32, shape: &HostileShape, more: &mut SimRng) -> Vec<Self> {
        let mut groups: Vec<AttackerKind> = KINDS.into_iter().filter(|_| rng.chance(500)).collect();
        if groups.is_empty() {
            groups.push(KINDS[rng.index(KINDS.len())]);
        }
        let mut plans: Vec<Self> = groups.into_iter().map(|kind| Self::draw(rng, kind, host_blocks)).collect();
        if shape.refusing_hosts {
            plans.retain(|plan| !plan.kind.is_host());
            plans.push(Self::draw(more, AttackerKind::RefusingHosts, host_blocks));
        }
        if shape.known_hosts {
            plans.retain(|plan| !plan.kind.is_host());
            plans.push(Self::draw(&mut more.apart(), AttackerKind::KnownHosts, host_blocks));
        }
        if shape.ipv6 {
            for plan in plans.iter_mut().filter(|plan| plan.kind != AttackerKind::KnownHosts) {
                plan.ips = ipv6(plan.kind, more.count(20, 200));
            }
        }
        if shape.row_flood {
            // Toward others, its hosts are silent.
            plans.retain(|plan| !plan.kind.is_host());
            let mut plan = Self::draw(&mut more.apart(), AttackerKind::RowFlood, host_blocks);
            if shape.ipv6 {
                plan.ips = ipv6(plan.kind, BLOCKS_OF_ROW_FLOOD);
            }
            plans.push(plan);
        }
        plans
    }

    /// Addresses of the clients of this group, at least one in each of their wide blocks (/16, /32).
    pub(crate) fn client_ips(&self) -> Vec<IpAddr> {
        match self.kind {
            AttackerKind::SilentHosts | AttackerKind::RefusingHosts => Vec::new(),
            AttackerKind::KnownHosts => (0..2).map(client_of_known_hosts).collect(),
            AttackerKind::FreeIds | AttackerKind::Liars | AttackerKind::Flood | AttackerKind::RowFlood => {
                self.ips.clone()
            }
        }
    }

    fn draw(rng: &mut SimRng, kind: AttackerKind, host_blocks: u32) -> Self {
        let blocks = match kind {
            AttackerKind::SilentHosts | AttackerKind::RefusingHosts | AttackerKind::KnownHosts => host_blocks,
            AttackerKind::Flood | AttackerKind::RowFlood => 1,
            AttackerKind::FreeIds | AttackerKind::Liars => rng.count(1, 4),
        };
        let ip = |block: u32| {
            let [.., block] = block.to_be_bytes();
            // Each block of hosts is a network of its own.
            let second = if kind.is_host() { block } else { 1 };
            IpAddr::V4(Ipv4Addr::new(kind.provider(), second, block, 1))
        };
        let ips = (0..blocks).map(ip).collect();
        let (sockets, every_ms) = match kind {
            AttackerKind::FreeIds => (rng.index(20) + 5, rng.range(50, 1_000)),
            AttackerKind::SilentHosts | AttackerKind::RefusingHosts => (rng.index(30) + 5, 5_000),
            AttackerKind::Liars => (rng.index(15) + 5, rng.range(100, 2_000)),
            AttackerKind::Flood => (60, 200),
            AttackerKind::KnownHosts => (rng.index(20) + 20, 300),
            AttackerKind::RowFlood => (rng.index(12) + 12, 200),
        };
        Self { kind, ips, sockets, every_ms }
    }
}

/// The address of a client of [`AttackerKind::KnownHosts`], by its number. Some are in one /16, and the others each in another /48
/// of one /32: these are the two networks that make a host known.
pub(crate) fn client_of_known_hosts(number: u32) -> IpAddr {
    let [.., block] = number.to_be_bytes();
    if number.is_multiple_of(3) {
        IpAddr::V4(Ipv4Addr::new(78, 1, block, 1))
    } else {
        IpAddr::V6(Ipv6Addr::new(0x2a00, 78, block.into(), 1, 0, 0, 0, 1))
    }
}

/// Addresses in so many /48s of one /32.
fn ipv6(kind: AttackerKind, blocks: u32) -> Vec<IpAddr> {
    let provider = u16::from(kind.provider());
    let block = |block: u32| u16::try_from(block).unwrap_or(u16::MAX);
    (0..blocks).map(|number| IpAddr::V6(Ipv6Addr::new(0x2a00, provider, block(number), 1, 0, 0, 0, 1))).collect()
}
