use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

/// The connections of probes on this machine, in addition to those that the other limits count. A further one closes the one
/// that has asked for nothing for the longest time: whatever else on this machine holds connections open, a new probe is
/// answered.
#[derive(Debug)]
pub(crate) struct Probes {
    most: usize,
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

impl Probes {
    /// Returns a table for at most `most` connections.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, table: Mutex::default() }
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
        let probes = Arc::new(Probes::new(3));
        let open: Vec<_> = (0..3).filter_map(|_| probes.open()).collect();
        open[0].asks();
        let further = probes.open().unwrap();
        let closed: Vec<_> = open.iter().map(|probe| probe.closed().is_cancelled()).collect();
        assert_eq!(closed, [false, true, false]);
        open[1].asks();
        assert_eq!(probes.lock().open.len(), 3, "one that is closed does not come back");
        drop((open, further));
        assert!(probes.lock().open.is_empty());
        assert!(Arc::new(Probes::new(0)).open().is_none());
    }
}
