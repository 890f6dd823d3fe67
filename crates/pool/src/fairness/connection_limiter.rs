use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use axum::http::StatusCode;
use vipnode_pool_core::{AddressBlock, BlockShares, PoolLimits};

use crate::fairness::{Block, block_resources::Rate, block_table::BlockTable, fair_semaphore::PermitsHeld};

/// Limits on open connections: in total, by address, and by address block.
#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    limits: PoolLimits,
    table: Mutex<AddressTable>,
    /// Charged for authenticated members of a closed pool.
    members: Arc<Block>,
}

#[derive(Debug)]
struct AddressTable {
    open: usize,
    /// Open connections of each address (a whole /64 with IPv6).
    addresses: BTreeMap<IpAddr, usize>,
    /// Open connections of each block.
    shares: BlockShares,
    blocks: BlockTable,
}

/// The limit that refuses a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitReached {
    /// The pool has reached its limit on connections.
    Pool,
    /// The address has reached its limit.
    Address,
    /// The address block, or its wide block, has as many connections as are left for all others.
    Block,
    /// The address block, or its wide block, opens connections too fast.
    TooFast,
}

/// One of the pool's connections, which is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionGuard(Arc<ConnectionLimiter>);

/// The remote end of a connection, or of a request that a proxy forwards; counted for its address until this is dropped.
#[derive(Debug)]
pub(crate) struct Caller {
    limiter: Arc<ConnectionLimiter>,
    pub(crate) address: IpAddr,
    block: Arc<Block>,
    /// Whether it has authenticated as a member of a closed pool.
    member: AtomicBool,
    /// Permits for signature checks.
    checks: PermitsHeld,
    /// When it may be served: later than now if its block opens connections too fast.
    pub(crate) ready: Instant,
}

impl LimitReached {
    /// Returns the HTTP status of the refusal.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Pool => StatusCode::SERVICE_UNAVAILABLE,
            Self::Address | Self::Block | Self::TooFast => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// Returns the HTTP body of the refusal.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Pool => "this pool has reached its limit on connections; try again later\n",
            Self::Address => "too many connections from this address; close some\n",
            Self::Block => "too many connections from this address block; close some\n",
            Self::TooFast => "too many new connections from this address block; wait a second\n",
        }
    }
}

impl ConnectionLimiter {
    pub(crate) fn new(limits: &PoolLimits) -> Self {
        let table = AddressTable {
            open: 0,
            addresses: BTreeMap::new(),
            shares: BlockShares::new(limits.block_minimum),
            blocks: BlockTable::new(limits),
        };
        Self { limits: limits.clone(), table: Mutex::new(table), members: Arc::new(Block::unlimited()) }
    }

    /// Counts a TCP connection.
    pub(crate) fn acquire(self: &Arc<Self>) -> Result<ConnectionGuard, LimitReached> {
        let mut table = self.lock();
        if table.open >= self.limits.connections {
            return Err(LimitReached::Pool);
        }
        table.open += 1;
        Ok(ConnectionGuard(Arc::clone(self)))
    }

    /// Counts a caller at an address. Its connection, or its proxy's, is already counted.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, now: Instant) -> Result<Caller, LimitReached> {
        let address = address.to_canonical();
        let mut table = self.lock();
        let key = AddressBlock::of(address);
        let block = table.blocks.block(key, &self.limits, now);
        let own = whole(address);
        if table.addresses.get(&own).is_some_and(|count| *count >= self.limits.connections_an_address) {
            return Err(LimitReached::Address);
        }
        // Those that were free before this connection was counted.
        let free = self.limits.connections.saturating_sub(table.open).saturating_add(1);
        if !table.shares.may_take(key, u32::try_from(free).unwrap_or(u32::MAX)) {
            return Err(LimitReached::Block);
        }
        let wait = block.reserve(Rate::Opens, now, self.limits.opens_wait).map_err(|_later| LimitReached::TooFast)?;
        *table.addresses.entry(own).or_default() += 1;
        table.shares.take(key);
        let member = AtomicBool::new(false);
        let checks = PermitsHeld::default();
        Ok(Caller { limiter: Arc::clone(self), address, block, member, checks, ready: now + wait })
    }

    /// Returns each block with its open connections and its bytes received and sent.
    pub(crate) fn usage(&self) -> Vec<(AddressBlock, usize, (u64, u64))> {
        let table = self.lock();
        let connections = |key| usize::try_from(table.shares.held_by(key)).unwrap_or(usize::MAX);
        table.blocks.iter().map(|(key, block)| (key, connections(key), block.traffic.bytes())).collect()
    }

    /// No code panics while it holds the lock; if one did, the table would still be whole.
    fn lock(&self) -> MutexGuard<'_, AddressTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    pub(crate) fn address_block(&self) -> AddressBlock {
        AddressBlock::of(self.address)
    }

    /// The permits for signature checks that it holds.
    pub(crate) const fn checks(&self) -> &PermitsHeld {
        &self.checks
    }

    /// The resources of its address block, whatever it is charged to; for what is done before it authenticates.
    pub(crate) const fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// What its work is charged to: its address block or, once it has authenticated as a member of a closed pool, all members.
    pub(crate) fn charged_to(&self) -> &Arc<Block> {
        if self.member.load(Ordering::Relaxed) { self.members() } else { &self.block }
    }

    /// What the work of authenticated members of a closed pool is charged to. It has no limits, because all members may be at
    /// one address.
    pub(crate) fn members(&self) -> &Arc<Block> {
        &self.limiter.members
    }

    /// Remembers that it has authenticated as a member of a closed pool. Only for a connection that nobody else shares.
    pub(crate) fn set_member(&self) {
        self.member.store(true, Ordering::Relaxed);
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut table = self.0.lock();
        table.open = table.open.saturating_sub(1);
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut table = self.limiter.lock();
        table.shares.give_back(AddressBlock::of(self.address));
        if let Some(count) = table.addresses.get_mut(&whole(self.address)) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                table.addresses.remove(&whole(self.address));
            }
        }
    }
}

/// Returns an IPv4 address, or the /64 that one IPv6 customer has.
fn whole(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limiter(change: impl FnOnce(&mut PoolLimits)) -> Arc<ConnectionLimiter> {
        let mut limits = PoolLimits::default();
        change(&mut limits);
        Arc::new(ConnectionLimiter::new(&limits))
    }

    fn come(
        limiter: &Arc<ConnectionLimiter>,
        address: &str,
        now: Instant,
    ) -> Result<(ConnectionGuard, Caller), LimitReached> {
        let guard = limiter.acquire()?;
        Ok((guard, limiter.admit(address.parse().unwrap(), now)?))
    }

    #[test]
    fn d4_connections_are_limited_in_all_and_by_address_and_come_back() {
        let now = Instant::now();
        let limiter = limiter(|limits| (limits.connections, limits.connections_an_address) = (9, 2));
        let enter = |address: &str| come(&limiter, address, now);
        let first = enter("2001:db8::1").unwrap();
        let _second = enter("2001:db8::2").unwrap();
        assert_eq!(enter("2001:db8::3").unwrap_err(), LimitReached::Address, "the same /64");
        let others: Vec<_> = (0..7).map(|n| enter(&format!("10.0.{n}.1")).unwrap()).collect();
        assert_eq!(enter("10.1.0.1").unwrap_err(), LimitReached::Pool);
        drop(first);
        assert!(enter("::ffff:10.0.9.1").is_ok());
        drop(others);
        assert_eq!(limiter.lock().addresses.len(), 1);
    }

    #[test]
    fn d4_one_address_block_leaves_two_thirds_of_all_connections() {
        let now = Instant::now();
        let limiter = limiter(|limits| limits.connections = 100);
        let flood: Vec<_> = (0..200).filter_map(|n| come(&limiter, &format!("10.0.0.{n}"), now).ok()).collect();
        assert_eq!(flood.len(), 34);
        assert_eq!(come(&limiter, "10.0.0.250", now).unwrap_err(), LimitReached::Block);
        assert!((0..25).all(|n| come(&limiter, &format!("10.1.{n}.1"), now).is_ok()));
    }

    #[test]
    fn d4_a_thousand_blocks_of_a_wide_block_leave_half_of_all_connections() {
        let now = Instant::now();
        let limiter = limiter(|limits| limits.connections = 1_000);
        let from = |n: u32| come(&limiter, &format!("2001:db8:{n:x}::1"), now);
        let flood: Vec<_> = (0..1_000).filter_map(|n| from(n).ok()).collect();
        assert_eq!(flood.len(), 500);
        assert_eq!(from(1_001).unwrap_err(), LimitReached::Block);
        let others: Vec<_> = (0..100).map(|n| come(&limiter, &format!("10.{n}.0.1"), now).unwrap()).collect();
        drop((flood, others));
        assert_eq!(limiter.lock().shares.held(), 0);
    }

    #[test]
    fn a_block_has_its_minimum_while_a_connection_is_free() {
        let now = Instant::now();
        for (minimum, come_in) in [(1, 2), (4, 4)] {
            let limiter = limiter(|limits| (limits.connections, limits.block_minimum) = (10, minimum));
            let come = |address: String| come(&limiter, &address, now);
            let _others: Vec<_> = (0..4).map(|n| come(format!("10.{n}.0.1")).unwrap()).collect();
            let own: Vec<_> = (0..6).filter_map(|_| come("10.9.0.1".to_owned()).ok()).collect();
            assert_eq!(own.len(), come_in, "{minimum}");
        }
    }

    #[test]
    fn d4_a_storm_of_connects_of_a_thousand_blocks_of_a_wide_block_is_slowed_and_nobody_elses() {
        let now = Instant::now();
        let limiter = limiter(|limits| {
            (limits.opens_a_second, limits.opens_at_once, limits.wide_block_factor) = (10, 5, 2);
        });
        let storm = (0..1_000).filter(|n| come(&limiter, &format!("2001:db8:{n:x}::1"), now).is_ok()).count();
        assert_eq!(storm, 10 + 100, "two times those of one block");
        assert_eq!(come(&limiter, "2001:db8::1", now).unwrap_err(), LimitReached::TooFast);
        assert!(come(&limiter, "2001:db9::1", now).is_ok());
    }

    #[test]
    fn d4_a_storm_of_connects_of_one_block_is_slowed_and_nobody_elses() {
        let now = Instant::now();
        let limiter = limiter(|limits| (limits.opens_a_second, limits.opens_at_once) = (10, 5));
        let (_place, caller) = come(&limiter, "10.2.2.2", now).unwrap();
        assert_eq!(caller.ready, now);
        let storm = (0..1_000).filter(|n| come(&limiter, &format!("10.0.0.{}", n % 250), now).is_ok()).count();
        assert_eq!(storm, 5 + 50, "five at once, and five seconds' worth of them wait");
        assert_eq!(come(&limiter, "10.0.0.1", now).unwrap_err(), LimitReached::TooFast);
        assert!(come(&limiter, "10.0.1.1", now).is_ok());
        let later = now + Duration::from_millis(100);
        let (_place, caller) = come(&limiter, "10.0.0.1", later).unwrap();
        assert_eq!(caller.ready, later + Duration::from_secs(5));
    }

    #[test]
    fn an_authenticated_member_is_charged_to_no_block() {
        let limiter = limiter(|_| {});
        let caller = limiter.admit("10.0.0.1".parse().unwrap(), Instant::now()).unwrap();
        assert!(Arc::ptr_eq(caller.charged_to(), caller.block()));
        caller.set_member();
        assert!(Arc::ptr_eq(caller.charged_to(), caller.members()));
    }
}
