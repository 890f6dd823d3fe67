use std::{collections::BTreeMap, net::IpAddr};

use vipnode_pool_core::Limits;
use vipnode_types::NodeId;

use super::{
    Promise, Violation,
    hostile::{BUDGETS_OF_A_WIDE_BLOCK, networks},
};

const HOUR_MS: u64 = 60 * 60_000;
/// A period that waits is written to the store at most this often, in ms.
const WRITTEN_EACH_MS: u64 = 1_000;

/// How many rows attackers have the pool write to its journal, by hour and by their networks, and when it last wrote the rows of each
/// pair that wait for the next hour. Times are in ms of pool time.
#[derive(Debug, Default)]
pub struct JournalRows {
    rows: BTreeMap<(u64, Vec<u8>), u64>,
    waiting: BTreeMap<(NodeId, NodeId), u64>,
    restarts: u64,
    all: u64,
}

impl JournalRows {
    /// Rows so far.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.all
    }

    /// Starts of the pool after a crash.
    #[must_use]
    pub const fn restarts(&self) -> u64 {
        self.restarts
    }

    /// The pool starts again: it has forgotten how many rows it wrote in this hour, and when it wrote those that wait.
    pub fn restarted(&mut self) {
        self.restarts += 1;
        self.rows.clear();
        self.waiting.clear();
    }

    /// The pool writes a row whose sides are attackers at these addresses, who may have so many leases at once.
    ///
    /// # Errors
    /// [`Promise::Tables`]: in this hour, a block has more rows than twice what it may have: those that waited for this hour may be as
    /// many as its own. Each lease may add one, because a lease that may begin no further row ends with one.
    pub fn written(
        &mut self,
        ips: impl IntoIterator<Item = IpAddr>,
        now: u64,
        leases: u64,
        limits: &Limits,
    ) -> Result<(), Violation> {
        self.all += 1;
        let of_ip = |ip: IpAddr| networks(ip).into_iter().zip([1, BUDGETS_OF_A_WIDE_BLOCK]);
        // A row counts once for a network that both sides are in.
        let all: BTreeMap<Vec<u8>, u64> = ips.into_iter().flat_map(of_ip).collect();
        for (network, blocks) in all {
            let rows = self.rows.entry((now / HOUR_MS, network)).or_default();
            *rows += 1;
            // What waited before each restart was within limits of its own.
            let hours = 2 + self.restarts;
            let most = blocks * u64::from(limits.periods_an_hour_of_a_block) * hours + leases;
            if *rows > most {
                return Promise::Tables.broken(format!(
                    "{rows} rows of one network are in the journal in an hour; at most {most} may be"
                ));
            }
        }
        Ok(())
    }

    /// A pair's row does not wait any more: the next one is another.
    pub fn over(&mut self, pair: (NodeId, NodeId)) {
        self.waiting.remove(&pair);
    }

    /// The pool writes a row of a pair that waits for the next hour.
    ///
    /// # Errors
    /// [`Promise::Tables`]: it wrote that pair's row a moment ago.
    pub fn waits(&mut self, pair: (NodeId, NodeId), now: u64) -> Result<(), Violation> {
        match self.waiting.insert(pair, now) {
            Some(before) if before / HOUR_MS == now / HOUR_MS && now - before < WRITTEN_EACH_MS => {
                Promise::Tables.broken(format!("a row that waits is written again after {} ms", now - before))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_bounded_by_block_and_by_wide_block_in_each_hour() {
        let limits = Limits { periods_an_hour_of_a_block: 2, ..Limits::default() };
        let mut rows = JournalRows::default();
        let mut written = |ip: &str, now: u64| rows.written([ip.parse().unwrap(); 2], now, 1, &limits).is_ok();
        assert!((0..5).all(|_| written("6.6.6.1", 1)) && !written("6.6.6.2", 1));
        assert!(written("6.6.7.1", 1) && written("6.6.6.1", HOUR_MS));
        let of_wide = (0..20).filter(|number| written(&format!("2001:db8:{number}::1"), 1)).count();
        assert_eq!(of_wide, 4 * 2 * 2 + 1);
        assert_eq!(rows.all(), 8 + 20);
    }

    #[test]
    fn a_row_that_waits_is_written_once_a_second() {
        let (mut rows, pair) = (JournalRows::default(), (NodeId::new([1; 64]), NodeId::new([2; 64])));
        let at = |rows: &mut JournalRows, now: u64| rows.waits(pair, now).is_ok();
        assert!(at(&mut rows, 5) && !at(&mut rows, 1_004) && at(&mut rows, 2_004));
        rows.restarted();
        assert!(at(&mut rows, 2_005) && rows.restarts() == 1);
        rows.over(pair);
        assert!(at(&mut rows, 2_006));
    }
}
