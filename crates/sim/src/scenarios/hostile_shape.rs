use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::SimRng;

/// What a scenario with attackers has beyond the groups of attackers that are always drawn.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HostileShape {
    /// Whether the attackers are in many /48s of one /32 instead of a few /24s.
    pub(super) ipv6: bool,
    /// Whether there are hosts that refuse every client, in place of silent ones.
    pub(super) refusing_hosts: bool,
    /// Whether some honest clients want two hosts.
    pub(super) two_hosts: bool,
    /// Whether the honest hosts have fewer slots than honest clients want.
    pub(super) scarce: bool,
    /// Free riders of one provider, all at once.
    pub(super) riders: u32,
    /// The address blocks (/24, /48) of these riders.
    rider_blocks: u32,
    /// Whether these riders are in one /32 instead of one /16.
    ipv6_riders: bool,
    /// Whether there are hosts that the pool knows, in place of silent ones, with clients of theirs that are proven.
    pub(super) known_hosts: bool,
    /// Whether hosts and clients in one block fill the journal with rows. Free riders are not drawn then.
    pub(super) row_flood: bool,
}

impl HostileShape {
    pub(super) fn draw(rng: &mut SimRng) -> Self {
        let (ipv6, refusing_hosts, two_hosts) = (rng.chance(350), rng.chance(300), rng.chance(350));
        let scarce = rng.chance(200);
        let riders = if !scarce && rng.chance(200) { rng.count(4, 8) } else { 0 };
        let rider_blocks = rng.count(1, 4);
        let mut more = rng.apart();
        let (ipv6_riders, known_hosts) = (more.chance(500), more.chance(250));
        let row_flood = more.chance(150);
        let riders = if row_flood { 0 } else { riders };
        Self { ipv6, refusing_hosts, two_hosts, scarce, riders, rider_blocks, ipv6_riders, known_hosts, row_flood }
    }

    /// The address of one of the riders.
    pub(super) fn rider_ip(&self, number: u32) -> IpAddr {
        let part = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let block = part(number % self.rider_blocks.max(1));
        if self.ipv6_riders {
            IpAddr::V6(Ipv6Addr::new(0x2a00, 55, block.into(), 0, 0, 0, 0, part(number).into()))
        } else {
            IpAddr::V4(Ipv4Addr::new(55, 1, block, part(number)))
        }
    }
}
