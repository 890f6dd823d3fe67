use std::{os::fd::OwnedFd, time::Duration};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

use super::{PeerConnection, sock_diag::Query};

/// Bytes of an answer; a longer one is cut, and then does not count. Linux 6.18 answers with 408.
const MAX_ANSWER: usize = 4 << 10;

/// A socket at which the kernel answers questions about TCP connections, of any user's processes.
#[derive(Debug)]
pub(super) struct Kernel(OwnedFd);

impl Kernel {
    /// `None` if the system does not allow it, as in a sandbox without netlink sockets.
    pub(super) fn open() -> Option<Self> {
        let (family, kind, flags) = (AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC);
        socket_with(family, kind, flags, Some(netlink::SOCK_DIAG)).ok().map(Self)
    }

    /// The shortest recent round trip of a connection; `None` if this machine does not have it, or has not measured it yet.
    pub(super) fn round_trip(&self, connection: &PeerConnection) -> Option<Duration> {
        let query = Query::of(connection);
        send(&self.0, &query.message(), SendFlags::empty()).ok()?;
        let mut answer = [0; MAX_ANSWER];
        // The kernel queues its answer before the question returns, so there is nothing to wait for.
        let (length, _) = recv(&self.0, &mut answer[..], RecvFlags::DONTWAIT).ok()?;
        query.round_trip(answer.get(..length)?)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
    };

    use vipnode_types::NodeId;

    use super::*;

    /// A connection over loopback on which each side has sent something.
    fn connected(at: &str) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(at).unwrap();
        let mut near = TcpStream::connect(("127.0.0.1", listener.local_addr().unwrap().port())).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        for _ in 0..2 {
            near.write_all(b"ping").unwrap();
            far.read_exact(&mut [0; 4]).unwrap();
            far.write_all(b"pong").unwrap();
            near.read_exact(&mut [0; 4]).unwrap();
        }
        (near, far)
    }

    fn of(stream: &TcpStream) -> PeerConnection {
        let (local, remote) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
        PeerConnection { peer: NodeId::new([1; 64]), local, remote }
    }

    #[test]
    fn both_ends_of_a_connection_over_loopback_have_a_round_trip() {
        let kernel = Kernel::open().unwrap();
        // A Go program listens for IPv4 and IPv6 at one socket.
        for at in ["127.0.0.1:0", "[::]:0"] {
            let (near, far) = connected(at);
            for end in [&near, &far] {
                let time = kernel.round_trip(&of(end)).expect("it was measured");
                assert!(time > Duration::ZERO && time < Duration::from_secs(1), "{at}: {time:?}");
            }
        }
    }

    #[test]
    fn a_connection_that_this_machine_does_not_have_has_none() {
        let kernel = Kernel::open().unwrap();
        let (near, _far) = connected("127.0.0.1:0");
        let mut other = of(&near);
        other.remote.set_ip([192, 0, 2, 1].into());
        assert_eq!(kernel.round_trip(&other), None);
        // The kernel would answer with the socket that listens there.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        assert_eq!(kernel.round_trip(&PeerConnection { local, ..of(&near) }), None);
        // The socket is of use after an error.
        assert!(kernel.round_trip(&of(&near)).is_some());
    }
}
