use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Returns the addresses that this machine uses for outgoing connections: those of its default routes. Connecting a UDP socket
/// sends nothing.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    let outside: [(IpAddr, IpAddr); 2] = [
        (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into()),
        (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    ];
    let own = |(any, far): (IpAddr, IpAddr)| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((far, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    outside.into_iter().filter_map(own).collect()
}
