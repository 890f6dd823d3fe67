use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use vipnode_pool_core::Command;
use vipnode_types::protocol2;

use crate::{PoolLimits, fairness::block::Block};

/// Places before the pool's mind, apart for what must not crowd out the other.
///
/// Of each kind an address block may hold as many as are free at that moment: alone it has half of them
/// at most, two blocks have a third each, and somebody who holds none gets one at once. Costs two
/// atomic additions and no lock.
#[derive(Debug)]
pub(crate) struct Permits {
    limits: [usize; KINDS],
    held: Held,
}

/// How many permits of each kind somebody holds.
#[derive(Debug, Default)]
pub(crate) struct Held([AtomicUsize; KINDS]);

const KINDS: usize = 3;

/// What a permit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect,
    Report,
    Other,
}

/// One place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    block: Arc<Block>,
    kind: Kind,
}

impl Kind {
    /// The class of a command, the same in both protocols: every command is named here.
    pub(crate) const fn of(command: &Command) -> Self {
        match command {
            Command::Connect { .. } => Self::Connect,
            Command::Report { .. } => Self::Report,
            Command::Protocol2 { call, .. } => match call {
                protocol2::Call::Connect(_) | protocol2::Call::Host(_) | protocol2::Call::Client(_) => Self::Connect,
                protocol2::Call::Update(_) => Self::Report,
                protocol2::Call::Peer(_) => Self::Other,
            },
            Command::Ask { .. }
            | Command::Explain { .. }
            | Command::Leave { .. }
            | Command::Bye { .. }
            | Command::Status { .. }
            | Command::CallDone { .. }
            | Command::Latency { .. }
            | Command::Disconnected { .. }
            | Command::Tick => Self::Other,
        }
    }
}

impl Held {
    const fn of(&self, kind: Kind) -> &AtomicUsize {
        let [connect, report, other] = &self.0;
        match kind {
            Kind::Connect => connect,
            Kind::Report => report,
            Kind::Other => other,
        }
    }
}

impl Permits {
    pub(crate) const fn new(limits: &PoolLimits) -> Self {
        Self {
            limits: [limits.permits_connect, limits.permits_report, limits.permits_other],
            held: Held([const { AtomicUsize::new(0) }; KINDS]),
        }
    }

    /// A place for somebody of an address block, unless all are taken or too many by that block.
    pub(crate) fn take(self: &Arc<Self>, block: &Arc<Block>, kind: Kind) -> Option<Permit> {
        let [connect, report, other] = self.limits;
        let limit = match kind {
            Kind::Connect => connect,
            Kind::Report => report,
            Kind::Other => other,
        };
        let free = limit.saturating_sub(self.held.of(kind).fetch_add(1, Ordering::Relaxed));
        let own = block.held.of(kind).fetch_add(1, Ordering::Relaxed);
        // Dropped at once, and so given back, where it is too much.
        let permit = Permit { permits: Arc::clone(self), block: Arc::clone(block), kind };
        (own < free).then_some(permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.held.of(self.kind).fetch_sub(1, Ordering::Relaxed);
        self.block.held.of(self.kind).fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use vipnode_types::{NodeId, protocol2::Call};

    use super::*;

    fn block() -> Arc<Block> {
        Arc::new(Block::new(&PoolLimits::default(), std::time::Instant::now()))
    }

    fn all(permits: &Arc<Permits>, block: &Arc<Block>, kind: Kind) -> Vec<Permit> {
        std::iter::from_fn(|| permits.take(block, kind)).collect()
    }

    #[test]
    fn d4_a_flooding_block_leaves_permits_for_others() {
        let limits =
            PoolLimits { permits_connect: 100, permits_report: 100, permits_other: 100, ..PoolLimits::default() };
        let permits = Arc::new(Permits::new(&limits));
        let (flood, second, honest) = (block(), block(), block());
        let held = all(&permits, &flood, Kind::Report);
        assert_eq!(held.len(), 50, "half, where it is alone");
        let more = all(&permits, &second, Kind::Report);
        assert_eq!(more.len(), 25);
        for _ in 0..10_000 {
            assert!(permits.take(&flood, Kind::Report).is_none());
            assert!(permits.take(&honest, Kind::Report).is_some(), "at any time");
        }
        assert_eq!(all(&permits, &flood, Kind::Connect).len(), 50, "each kind is apart");
        drop((held, more));
        assert_eq!(all(&permits, &honest, Kind::Report).len(), 50, "all came back");
    }

    #[test]
    fn a_call_of_protocol_2_competes_with_its_like_in_protocol_3() {
        let kind = |call| {
            Kind::of(&Command::Protocol2 {
                peer: crate::engine::connections::NOBODY,
                request: 1,
                node: NodeId::new([1; 64]),
                nonce: 1,
                address: Ipv4Addr::LOCALHOST.into(),
                callable: true,
                call,
            })
        };
        for (call, expected) in [
            (Call::Connect(Box::default()), Kind::Connect),
            (Call::Host(protocol2::HostRequest::default()), Kind::Connect),
            (Call::Client(protocol2::ClientRequest::default()), Kind::Connect),
            (Call::Update(protocol2::Update::default()), Kind::Report),
            (Call::Peer(protocol2::PeerRequest::default()), Kind::Other),
        ] {
            assert_eq!(kind(call.clone()), expected, "{call:?}");
        }
    }

    #[test]
    fn where_all_are_taken_nobody_gets_one() {
        let limits = PoolLimits { permits_report: 8, ..PoolLimits::default() };
        let permits = Arc::new(Permits::new(&limits));
        let blocks: Vec<_> = (0..100).map(|_| block()).collect();
        let held: Vec<_> = blocks.iter().filter_map(|block| permits.take(block, Kind::Report)).collect();
        assert_eq!(held.len(), 8);
    }
}
