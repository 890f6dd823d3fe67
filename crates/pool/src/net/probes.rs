use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use vipnode_pool_core::PoolLimits;

use crate::fairness::SharedTokenBucket;

/// The connections of probes on this machine, in addition to those that the other limits count. A further one closes the one
/// that has asked for nothing for the longest time: whatever else on this machine holds connections open, a new probe is
/// answered.
///
/// The answers to all probes share a rate: behind a proxy that the pool does not know, strangers look like probes. An answer beyond it
/// is late, and never refused.
#[derive(Debug)]
pub(crate) struct Probes {
    most: usize,
    kib: SharedTokenBucket,
    table: Mutex<ProbeTable>,
}

#[derive(Debug, Default)]
struct ProbeTable {
    /// The number of the newest connection or request.
    last: u64,
    open: BTreeMap<u64, CancellationToken>,
}

/// The connection of a probe, which is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Probe {
    probes: Arc<Probes>,
    /// Its number in the table, that of its newest request.
    number: AtomicU64,
    closed: CancellationToken,
}

/// An answer is this late at most, because tools that check a service often wait for seconds only.
const LONGEST_WAIT: Duration = Duration::from_millis(900);
const KIB: usize = 1_024;

impl Probes {
    pub(crate) fn new(limits: &PoolLimits, now: Instant) -> Self {
        let kib = |bytes: usize| u32::try_from(bytes / KIB).unwrap_or(u32::MAX);
        let bucket = SharedTokenBucket::new(kib(limits.probe_bytes_a_second), kib(limits.block_bytes_at_once), now);
        Self { most: limits.probes, kib: bucket, table: Mutex::default() }
    }

    /// How long an answer of so many bytes waits before it is sent.
    pub(crate) fn wait(&self, bytes: usize, now: Instant) -> Duration {
        let kib = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        self.kib.reserve_many(kib, now, LONGEST_WAIT).unwrap_or(LONGEST_WAIT)
    }

    /// Counts a connection; `None` if the pool accepts none.
    pub(crate) fn open(self: &Arc<Self>) -> Option<Probe> {
        if self.most == 0 {
            return None;
        }
        let closed = CancellationToken::new();
        let mut table = self.lock();
        while table.open.len() >= self.most {
            let (_number, idlest) = table.open.pop_first()?;
            idlest.cancel();
        }
        let number = table.add(closed.clone());
        drop(table);
        Some(Probe { probes: Arc::clone(self), number: AtomicU64::new(number), closed })
    }

    /// No code panics while it holds the lock; if one did, the table would still be whole.
    fn lock(&self) -> MutexGuard<'_, ProbeTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProbeTable {
    fn add(&mut self, closed: CancellationToken) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.open.insert(self.last, closed);
        self.last
    }
}

impl Probe {
    /// The probe sends a request.
    pub(crate) fn asks(&self) {
        let mut table = self.probes.lock();
        if let Some(closed) = table.open.remove(&self.number.load(Ordering::Relaxed)) {
            self.number.store(table.add(closed), Ordering::Relaxed);
        }
    }

    /// The token that is cancelled when the connection has to be closed.
    pub(crate) const fn closed(&self) -> &CancellationToken {
        &self.closed
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.probes.lock().open.remove(&self.number.load(Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_further_probe_closes_the_one_that_was_idle_longest() {
        let probes = probes(3);
        let open: Vec<_> = (0..3).filter_map(|_| probes.open()).collect();
        open[0].asks();
        let further = probes.open().unwrap();
        let closed: Vec<_> = open.iter().map(|probe| probe.closed().is_cancelled()).collect();
        assert_eq!(closed, [false, true, false]);
        open[1].asks();
        assert_eq!(probes.lock().open.len(), 3, "one that is closed does not come back");
        drop((open, further));
        assert!(probes.lock().open.is_empty());
        assert!(self::probes(0).open().is_none());
    }

    #[test]
    fn answers_to_all_probes_share_a_rate_and_each_is_sent_in_time() {
        let now = Instant::now();
        let limits =
            PoolLimits { probe_bytes_a_second: 100 * KIB, block_bytes_at_once: 200 * KIB, ..PoolLimits::default() };
        let probes = Probes::new(&limits, now);
        let wait = |bytes| u64::try_from(probes.wait(bytes, now).as_millis()).unwrap();
        assert_eq!([wait(150 * KIB), wait(50 * KIB), wait(10 * KIB), wait(40 * KIB - 1)], [0, 0, 100, 500]);
        assert_eq!([wait(50 * KIB), wait(1)], [900, 510], "what comes too late is owed by nobody");
        assert_eq!(probes.wait(200 * KIB, now + Duration::from_secs(60)), Duration::ZERO);
    }

    fn probes(most: usize) -> Arc<Probes> {
        Arc::new(Probes::new(&PoolLimits { probes: most, ..PoolLimits::default() }, Instant::now()))
    }
}
