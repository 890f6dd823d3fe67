//! The PROXY protocol (versions 1 and 2 of HAProxy's specification): the header in which a balancer names the two ends of
//! the connection that it passes on.
//!
//! The header is accepted only on connections from the load balancers that `--proxy-protocol` names. Behind a load
//! balancer that does not send it, all agents would have the same address and share the limits of one address block.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use proxy_header::{ParseConfig, Protocol, ProxiedAddress, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The two ends of a connection: those of its socket, or as a balancer describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionEnds {
    /// The client's address, as the proxy reports it.
    pub remote: SocketAddr,
    /// The address that the client connected to: the pool's, or the balancer's.
    pub local: SocketAddr,
}

impl ConnectionEnds {
    /// Whether both ends are at loopback addresses.
    pub(crate) fn are_on_one_machine(&self) -> bool {
        [self.remote, self.local].iter().all(|end| end.ip().to_canonical().is_loopback())
    }

    /// Whether a balancer at the remote end of `own`, its connection to the pool, can pass on this connection. One on another
    /// machine cannot know of a connection within this one, which would be trusted more than others.
    pub(super) fn can_be_from(&self, own: &Self) -> bool {
        let is_local = |ends: &Self| ends.remote.ip().to_canonical().is_loopback();
        !is_local(self) || is_local(own)
    }
}

/// How a header of version 2 begins. A header of version 1 has more bytes than this too.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// How a header of version 1 begins.
const WORD: &[u8] = b"PROXY ";
/// Bytes of a header of version 1, which is one line, at most: a bound of the specification.
const TEXT_BYTES: usize = 107;
/// Bytes of a header of version 2 up to the addresses.
const FIXED_BYTES: usize = 16;
/// Bytes of a header of version 2, at most: addresses and some extensions, which the pool does not read.
const BINARY_BYTES: usize = 4 << 10;

/// Reads the header and nothing behind it. Returns `None` for a connection of the balancer itself, such as a health check.
///
/// # Errors
/// The stream ends or fails, or does not begin with a header that this pool can use.
pub async fn read_ends<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<ConnectionEnds>> {
    let mut header = SIGNATURE.to_vec();
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE {
        read_binary(stream, &mut header).await?;
    } else if header.starts_with(WORD) {
        while !header.ends_with(b"\r\n") {
            if header.len() >= TEXT_BYTES {
                return Err(invalid("its line is too long"));
            }
            header.push(stream.read_u8().await?);
        }
    } else {
        return Err(invalid("it does not begin with one"));
    }
    ends(&header)
}

async fn read_binary<S: AsyncRead + Unpin>(stream: &mut S, header: &mut Vec<u8>) -> io::Result<()> {
    let mut fixed = [0; FIXED_BYTES - SIGNATURE.len()];
    stream.read_exact(&mut fixed).await?;
    header.extend(fixed);
    let [_version, _family, high, low] = fixed;
    let whole = FIXED_BYTES.saturating_add(u16::from_be_bytes([high, low]).into());
    if whole > BINARY_BYTES {
        return Err(invalid("it is too long"));
    }
    header.resize(whole, 0);
    stream.read_exact(header.get_mut(FIXED_BYTES..).unwrap_or_default()).await?;
    Ok(())
}

/// Returns what a whole header describes.
fn ends(header: &[u8]) -> io::Result<Option<ConnectionEnds>> {
    let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    let (parsed, length) = ProxyHeader::parse(header, config).map_err(|error| invalid(&error.to_string()))?;
    match parsed.proxied_address() {
        _ if length != header.len() => Err(invalid("its length is wrong")),
        None => Ok(None),
        Some(&ProxiedAddress { protocol: Protocol::Stream, source: remote, destination: local }) => {
            Ok(Some(ConnectionEnds { remote, local }))
        }
        Some(ProxiedAddress { protocol: Protocol::Datagram, .. }) => Err(invalid("it describes datagrams")),
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the header of the PROXY protocol cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balancer_on_another_machine_vouches_for_no_connection_within_this_machine() {
        let ends = |remote: &str| ConnectionEnds {
            remote: format!("{remote}:5").parse().unwrap(),
            local: "127.0.0.1:8080".parse().unwrap(),
        };
        let (here, there) = (ends("127.0.0.1"), ends("10.7.7.7"));
        assert!(!here.can_be_from(&there) && !ends("[::ffff:127.0.0.1]").can_be_from(&there));
        assert!(here.can_be_from(&here) && there.can_be_from(&here) && there.can_be_from(&there));
    }

    async fn read(bytes: &[u8]) -> io::Result<(Option<ConnectionEnds>, Vec<u8>)> {
        let mut stream = bytes;
        let ends = read_ends(&mut stream).await?;
        Ok((ends, stream.to_vec()))
    }

    fn ends(remote: &str, local: &str) -> Option<ConnectionEnds> {
        Some(ConnectionEnds { remote: remote.parse().unwrap(), local: local.parse().unwrap() })
    }

    fn binary(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut header = SIGNATURE.to_vec();
        header.extend([0x20 | command, family]);
        header.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        header.extend(body);
        header
    }

    #[tokio::test]
    async fn both_versions_are_read_up_to_their_end() {
        let (v4, v6) = (ends("198.51.100.7:5000", "192.0.2.1:443"), ends("[2001:db8::7]:5000", "[2001:db8::1]:443"));
        let body = [198, 51, 100, 7, 192, 0, 2, 1, 0x13, 0x88, 0x01, 0xbb];
        let mut body6 = Vec::new();
        for ip in ["2001:db8::7", "2001:db8::1"] {
            body6.extend(ip.parse::<std::net::Ipv6Addr>().unwrap().octets());
        }
        body6.extend([0x13, 0x88, 0x01, 0xbb]);
        let with_extension = [&body[..], &[0x04, 0, 3, 1, 2, 3]].concat();
        for (header, expected) in [
            (b"PROXY TCP4 198.51.100.7 192.0.2.1 5000 443\r\n".to_vec(), v4),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 5000 443\r\n".to_vec(), v6),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (binary(1, 0x11, &body), v4),
            (binary(1, 0x11, &with_extension), v4),
            (binary(1, 0x21, &body6), v6),
            (binary(0, 0x11, &body), None),
            (binary(0, 0, &[]), None),
        ] {
            let (found, rest) = read(&[&header[..], b"GET / HTTP"].concat()).await.unwrap();
            assert_eq!((found, &rest[..]), (expected, &b"GET / HTTP"[..]), "{}", String::from_utf8_lossy(&header));
        }
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        let body = [198, 51, 100, 7, 192, 0, 2, 1, 0x13, 0x88, 0x01, 0xbb];
        let long = format!("PROXY TCP4 {}\r\n", "1".repeat(200));
        for bad in [
            &b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..],
            b"PROXY",
            b"PROXY TCP4 198.51.100.7\r\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.1 5000 99999\r\n",
            b"PROXY TCP4 2001:db8::7 2001:db8::1 5000 443\r\n",
            long.as_bytes(),
            &binary(1, 0x11, &[1, 2, 3]),
            &binary(7, 0x11, &[0; 12]),
            &binary(1, 0x12, &body),
            &binary(1, 0x11, &[0; 5_000]),
            &binary(1, 0x11, &[0; 12])[..20],
        ] {
            assert!(read(bad).await.is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[tokio::test]
    async fn no_bytes_make_it_panic() {
        let mut seed = 7_u64;
        let good = binary(1, 0x21, &[7; 36]);
        for _ in 0..20_000 {
            let mut bytes = if seed.is_multiple_of(2) { good.clone() } else { b"PROXY TCP6 ::1 ::2 1 2\r\n".to_vec() };
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = usize::try_from(seed >> 33).unwrap() % bytes.len();
                bytes[at] = seed.to_be_bytes()[2];
            }
            let _either = read(&bytes).await;
        }
    }
}
