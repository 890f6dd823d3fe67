use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::PeerConnection;

/// A question to the kernel about one TCP connection, in the form of `linux/inet_diag.h`.
#[derive(Debug)]
pub(super) struct Query {
    local: SocketAddr,
    remote: SocketAddr,
}

// linux/netlink.h and linux/sock_diag.h
const HEADER: usize = 16;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
// linux/inet_diag.h: `inet_diag_req_v2`, `inet_diag_msg`, and the attribute that holds `tcp_info` of linux/tcp.h
const REQUEST: usize = 56;
const ANSWER: usize = 72;
const ID: usize = 4;
const NO_COOKIE: [u8; 8] = [0xff; 8];
const INET_DIAG_INFO: u16 = 2;
const TCPI_RTT: usize = 68;
const TCPI_MIN_RTT: usize = 148;
const ATTRIBUTE: usize = 4;
// linux/socket.h, linux/in.h, net/tcp_states.h
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
const ESTABLISHED: u8 = 1;

impl Query {
    pub(super) fn of(connection: &PeerConnection) -> Self {
        Self { local: canonical(connection.local), remote: canonical(connection.remote) }
    }

    /// A netlink message that asks for the connection from `local` to `remote`, with its `tcp_info`.
    pub(super) fn message(&self) -> Vec<u8> {
        let family = if self.remote.is_ipv4() { AF_INET } else { AF_INET6 };
        let length = u32::try_from(HEADER + REQUEST).unwrap_or_default();
        let mut message = Vec::with_capacity(HEADER + REQUEST);
        message.extend(length.to_ne_bytes());
        message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend(NLM_F_REQUEST.to_ne_bytes());
        // No number, no sender: one question waits for one answer.
        message.extend([0; 8]);
        message.extend([family, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0]);
        message.extend((1_u32 << ESTABLISHED).to_ne_bytes());
        message.extend(self.local.port().to_be_bytes());
        message.extend(self.remote.port().to_be_bytes());
        message.extend(octets(self.local.ip()));
        message.extend(octets(self.remote.ip()));
        // Any interface.
        message.extend([0; 4]);
        message.extend(NO_COOKIE);
        message
    }

    /// The shortest recent round trip in the kernel's answer: the smoothed one has the handshake's delays in it for long. A
    /// kernel before Linux 4.6 has the smoothed one only. `None` for an error, a connection that is not established or not
    /// this one, one whose round trip is not measured yet, and an answer that is cut.
    pub(super) fn round_trip(&self, answer: &[u8]) -> Option<Duration> {
        let length = usize::try_from(u32::from_ne_bytes(at(answer, 0)?)).ok()?;
        let message = answer.get(HEADER..length)?;
        let [family, state]: [u8; 2] = at(message, 0)?;
        if u16::from_ne_bytes(at(answer, 4)?) != SOCK_DIAG_BY_FAMILY || state != ESTABLISHED {
            return None;
        }
        if ends(family, message)? != (self.local, self.remote) {
            return None;
        }
        let info = attribute(message.get(ANSWER..)?, INET_DIAG_INFO)?;
        let measured = |place| at(info, place).map(u32::from_ne_bytes).filter(|micros| (1..u32::MAX).contains(micros));
        let micros = measured(TCPI_MIN_RTT).or_else(|| measured(TCPI_RTT))?;
        Some(Duration::from_micros(micros.into()))
    }
}

/// The two ends of the connection in an answer.
fn ends(family: u8, message: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let port = |after| at(message, ID + after).map(u16::from_be_bytes);
    let ip = |after| match family {
        AF_INET => at::<4>(message, ID + after).map(IpAddr::from),
        AF_INET6 => at::<16>(message, ID + after).map(IpAddr::from),
        _ => None,
    };
    let (local, remote) = (SocketAddr::new(ip(4)?, port(0)?), SocketAddr::new(ip(20)?, port(2)?));
    Some((canonical(local), canonical(remote)))
}

/// The value of the first attribute of this kind.
fn attribute(mut attributes: &[u8], kind: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(at(attributes, 0)?));
        let value = attributes.get(ATTRIBUTE..length)?;
        if u16::from_ne_bytes(at(attributes, 2)?) == kind {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(ATTRIBUTE)..)?;
    }
}

/// An IPv4 connection of a socket that also takes IPv6 is one of IPv4. The zone of an address is not compared.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

fn at<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vipnode_types::NodeId;

    use super::*;

    fn query(local: &str, remote: &str) -> Query {
        let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
        Query::of(&PeerConnection { peer: NodeId::new([1; 64]), local, remote })
    }

    /// What the kernel answers about a connection of which it measured `micros`, behind another attribute of 5 bytes.
    fn answer(query: &Query, state: u8, micros: u32) -> Vec<u8> {
        let asked = query.message();
        let mut answer = asked[..HEADER].to_vec();
        answer.extend([asked[HEADER], state, 0, 0]);
        answer.extend(&asked[HEADER + 8..]);
        answer.extend([0; 20]);
        answer.extend(9_u16.to_ne_bytes());
        answer.extend(8_u16.to_ne_bytes());
        answer.extend([0; 8]);
        let mut info = [0; 200];
        info[TCPI_RTT..TCPI_RTT + 4].copy_from_slice(&micros.to_ne_bytes());
        answer.extend(204_u16.to_ne_bytes());
        answer.extend(INET_DIAG_INFO.to_ne_bytes());
        answer.extend(info);
        let length = u32::try_from(answer.len()).unwrap();
        answer[..4].copy_from_slice(&length.to_ne_bytes());
        answer
    }

    #[test]
    fn reads_the_round_trip_of_this_connection_only() {
        for (local, remote) in [("10.0.0.1:40000", "10.0.0.2:30303"), ("[2001:db8::1]:30303", "[2001:db8::2]:5")] {
            let asked = query(local, remote);
            let read = |state, micros| asked.round_trip(&answer(&asked, state, micros));
            assert_eq!(read(ESTABLISHED, 23_456), Some(Duration::from_micros(23_456)));
            assert_eq!(read(ESTABLISHED, 0), None, "not measured yet");
            assert_eq!(read(10, 1_000), None, "the socket that listens");
            let other = query(remote, local);
            assert_eq!(asked.round_trip(&answer(&other, ESTABLISHED, 1_000)), None, "another connection");
        }
        let asked = query("10.0.0.1:40000", "10.0.0.2:30303");
        let mut both = answer(&asked, ESTABLISHED, 5_000);
        let info = both.len() - 200;
        both[info + TCPI_MIN_RTT..info + TCPI_MIN_RTT + 4].copy_from_slice(&100_u32.to_ne_bytes());
        assert_eq!(asked.round_trip(&both), Some(Duration::from_micros(100)), "the shortest one");
        let mapped = query("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:2");
        assert_eq!(mapped.message(), query("10.0.0.1:1", "10.0.0.2:2").message());
    }

    #[test]
    fn an_answer_that_is_cut_counts_for_nothing() {
        let asked = query("10.0.0.1:40000", "10.0.0.2:30303");
        let whole = answer(&asked, ESTABLISHED, 1_000);
        for length in 0..whole.len() {
            assert_eq!(asked.round_trip(&whole[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..600),
            at in 0_usize..400,
            byte in any::<u8>(),
        ) {
            let asked = query("10.0.0.1:40000", "10.0.0.2:30303");
            let _whatever = asked.round_trip(&bytes);
            let mut changed = answer(&asked, ESTABLISHED, 1_000);
            if let Some(there) = changed.get_mut(at) {
                *there = byte;
            }
            let _whatever = asked.round_trip(&changed);
        }
    }
}
