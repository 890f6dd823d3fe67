use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use vipnode_pool_core::{AddressBlock, PoolLimits};

use crate::fairness::Block;

/// Limits on open connections: in total, by address, and by address block.
#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    limits: PoolLimits,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    open: usize,
    /// Open connections of each address (a whole /64 with IPv6).
    addresses: BTreeMap<IpAddr, usize>,
    blocks: BTreeMap<AddressBlock, Arc<Block>>,
    /// Where the search for unused blocks continues.
    swept: Option<AddressBlock>,
    /// The common block of all address blocks beyond the limit of `blocks`.
    further: Option<Arc<Block>>,
}

/// The limit that refuses a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitReached {
    /// The pool has reached its limit of connections.
    Pool,
    /// The address has reached its limit.
    Address,
    /// The address block has as many connections as are left for all others.
    Block,
    /// The address block opens connections too fast.
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
    pub(crate) block: Arc<Block>,
    /// The time after which it is served, if its block opens connections too fast.
    pub(crate) wait: Duration,
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
            Self::Pool => "this pool has reached its limit of connections; try again later\n",
            Self::Address => "too many connections from this address; close some\n",
            Self::Block => "too many connections from this address block; close some\n",
            Self::TooFast => "too many new connections from this address block; wait a second\n",
        }
    }
}

/// The number of blocks checked per caller, so that unused ones are removed faster than new ones come.
const SWEEP: usize = 2;

impl ConnectionLimiter {
    pub(crate) fn new(limits: &PoolLimits) -> Self {
        Self { limits: limits.clone(), table: Mutex::default() }
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
        table.sweep(now);
        let block = table.block(AddressBlock::of(address), &self.limits, now);
        let own = whole(address);
        if table.addresses.get(&own).is_some_and(|count| *count >= self.limits.connections_an_address) {
            return Err(LimitReached::Address);
        }
        let left = self.limits.connections.saturating_sub(table.open);
        let taken = block.connections.load(Ordering::Relaxed);
        // `left` no longer includes this connection.
        if taken > left {
            return Err(LimitReached::Block);
        }
        let wait = block.opens.reserve(now, self.limits.opens_wait).map_err(|_later| LimitReached::TooFast)?;
        *table.addresses.entry(own).or_default() += 1;
        block.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Caller { limiter: Arc::clone(self), address, block, wait })
    }

    /// Returns each block with its open connections and its bytes received and sent.
    pub(crate) fn usage(&self) -> Vec<(AddressBlock, usize, (u64, u64))> {
        let table = self.lock();
        let usage = |(key, block): (&AddressBlock, &Arc<Block>)| {
            (*key, block.connections.load(Ordering::Relaxed), block.traffic.bytes())
        };
        table.blocks.iter().map(usage).collect()
    }

    /// No code panics while it holds the lock; if one did, the table would still be whole.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn block(&mut self, key: AddressBlock, limits: &PoolLimits, now: Instant) -> Arc<Block> {
        if let Some(block) = self.blocks.get(&key) {
            return Arc::clone(block);
        }
        if self.blocks.len() >= limits.blocks {
            return Arc::clone(self.further.get_or_insert_with(|| Arc::new(Block::new(limits, now))));
        }
        let block = Arc::new(Block::new(limits, now));
        self.blocks.insert(key, Arc::clone(&block));
        block
    }

    fn sweep(&mut self, now: Instant) {
        for _ in 0..SWEEP {
            let from = self.swept.map_or(Unbounded, Excluded);
            let Some((key, block)) = self.blocks.range((from, Unbounded)).next() else {
                self.swept = None;
                return;
            };
            let key = *key;
            if Arc::strong_count(block) == 1 && block.is_idle(now) {
                self.blocks.remove(&key);
            }
            self.swept = Some(key);
        }
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
        self.block.connections.fetch_sub(1, Ordering::Relaxed);
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
        let place = limiter.acquire()?;
        Ok((place, limiter.admit(address.parse().unwrap(), now)?))
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
    fn d4_one_address_block_leaves_half_of_all_connections() {
        let now = Instant::now();
        let limiter = limiter(|limits| limits.connections = 100);
        let flood: Vec<_> = (0..200).filter_map(|n| come(&limiter, &format!("10.0.0.{n}"), now).ok()).collect();
        assert_eq!(flood.len(), 50);
        assert_eq!(come(&limiter, "10.0.0.250", now).unwrap_err(), LimitReached::Block);
        assert!((0..25).all(|n| come(&limiter, &format!("10.1.{n}.1"), now).is_ok()));
    }

    #[test]
    fn d4_a_storm_of_connects_of_one_block_is_slowed_and_nobody_elses() {
        let now = Instant::now();
        let limiter = limiter(|limits| (limits.opens_a_second, limits.opens_at_once) = (10, 5));
        let (_place, caller) = come(&limiter, "10.2.2.2", now).unwrap();
        assert_eq!(caller.wait, Duration::ZERO);
        let storm = (0..1_000).filter(|n| come(&limiter, &format!("10.0.0.{}", n % 250), now).is_ok()).count();
        assert_eq!(storm, 5 + 50, "five at once, and five seconds' worth of them wait");
        assert_eq!(come(&limiter, "10.0.0.1", now).unwrap_err(), LimitReached::TooFast);
        assert!(come(&limiter, "10.0.1.1", now).is_ok());
        let (_place, caller) = come(&limiter, "10.0.0.1", now + Duration::from_millis(100)).unwrap();
        assert_eq!(caller.wait, Duration::from_secs(5));
    }

    #[test]
    fn blocks_are_bounded_and_forgotten_once_nothing_is_left_of_them() {
        let now = Instant::now();
        let limiter =
            limiter(|limits| (limits.blocks, limits.opens_at_once, limits.opens_wait) = (3, 2, Duration::ZERO));
        for n in 0..10 {
            let came = come(&limiter, &format!("10.0.{n}.1"), now);
            assert_eq!(came.is_ok(), n < 5, "further blocks are one: {n}");
        }
        assert_eq!(limiter.lock().blocks.len(), 3);
        let later = now + Duration::from_secs(60);
        for n in 0..4 {
            come(&limiter, "10.9.9.9", later + Duration::from_secs(n)).unwrap();
        }
        assert_eq!(limiter.lock().blocks.len(), 1);
    }
}
