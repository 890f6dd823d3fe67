use std::{fmt::Debug, ops::RangeInclusive, time::Duration};

use vipnode_pool_core::{
    AccountFigures, HostPayout, LeaseRow, LedgerAccount, LedgerEntry, MeteredPeriod, NodeRow, PayoutRow, TimesRow,
};
use vipnode_types::{Asset, LeaseId, Ms, NodeId};

use crate::{StatementParties, StoreError};

/// Reads a store while another thread writes to it: for statements, exports, and checks.
///
/// Reading delays no writer, unless its log has grown too large: it then cancels the reads, and waits for them briefly.
pub trait StoreReader: Debug + Send + Sync {
    /// Begins to read the state as of the newest batch. Waits until the batch `written`, which the caller has written, is
    /// durable; 0 waits for none.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::TooManyReads`] and [`StoreError::NotDurable`] after [`ReadLimits::time`].
    fn read(&self, written: u64) -> Result<Box<dyn StoreSnapshot + '_>, StoreError>;
}

/// The content of a store as of one batch. Each list is read in pages: the next page begins after the key of the last row.
///
/// All methods fail with [`StoreError::ReadTime`] once [`ReadLimits::time`] has passed since the read began: a long read
/// keeps a database from reusing its log. With [`StoreError::ReadCanceled`] as soon as that log is too large. A longer export reads on from its last key in a new snapshot.
pub trait StoreSnapshot {
    /// The number of the newest batch that it contains.
    fn seq(&self) -> u64;

    /// The number of the next lease, and what the pool charges in.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn head(&mut self) -> Result<(Option<u64>, Option<Asset>), StoreError>;

    /// The number that the database got when a backup was restored, 0 if none was; and the time of the pool: no later batch
    /// posts an entry with an earlier time.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn pool_time(&mut self) -> Result<(u64, Ms), StoreError>;

    /// What was removed from the journals.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn trimmed(&mut self) -> Result<TrimmedJournal, StoreError>;

    /// Returns at most `limit` nodes by ascending id.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn nodes(&mut self, after: Option<&NodeId>, limit: usize) -> Result<Vec<NodeRow>, StoreError>;

    /// Returns at most `limit` running leases by ascending id.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn leases(&mut self, after: Option<LeaseId>, limit: usize) -> Result<Vec<LeaseRow>, StoreError>;

    /// Returns the times of at most `limit` clients by ascending id of the client.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn times(&mut self, after: Option<&NodeId>, limit: usize) -> Result<Vec<TimesRow>, StoreError>;

    /// Returns at most `limit` periods that are not in the journal yet, by ascending client and host.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn deferred(&mut self, after: Option<&(NodeId, NodeId)>, limit: usize) -> Result<Vec<MeteredPeriod>, StoreError>;

    /// Returns at most `limit` periods of the journal with their positions, after a position. Positions grow, not always by
    /// one.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn periods(&mut self, after: Option<u64>, limit: usize) -> Result<Vec<(u64, MeteredPeriod)>, StoreError>;

    /// Returns at most `limit` entries of the ledger by number, after a number.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn entries(&mut self, after: Option<u64>, limit: usize) -> Result<Vec<LedgerEntry>, StoreError>;

    /// Returns at most `limit` entries of the ledger with this payer or this payee, by number, after a number.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn entries_of(
        &mut self,
        parties: StatementParties,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError>;

    /// Returns the entry that marked a payout as paid or bounced, whichever it is; `None` if it is neither, or if the entry was
    /// pruned.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn mark_of(&mut self, payout: PayoutRow) -> Result<Option<LedgerEntry>, StoreError>;

    /// Returns a billing period of the journal.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn period(&mut self, lease: LeaseId, row: u32) -> Result<Option<MeteredPeriod>, StoreError>;

    /// Returns the sums of a ledger account; zero for one that no entry names.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn figures(&mut self, account: LedgerAccount) -> Result<AccountFigures, StoreError>;

    /// Returns the sums of a ledger account before the first entry; zero unless the ledger was pruned.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn opening(&mut self, account: LedgerAccount) -> Result<AccountFigures, StoreError>;

    /// Returns the account that pays for a node, and the one that receives what it earns.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn accounts_of(&mut self, node: &NodeId) -> Result<StatementParties, StoreError>;

    /// Returns the entries that marked payouts with these numbers, all of one settlement period, as paid or bounced, in the order
    /// in which they were posted. Those that were pruned are missing.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn marks(&mut self, period: u64, payouts: RangeInclusive<u64>) -> Result<Vec<LedgerEntry>, StoreError>;

    /// Returns which account receives what a node earns, and since when.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn payout(&mut self, node: &NodeId) -> Result<Option<HostPayout>, StoreError>;
}

/// What was removed from the journals of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrimmedJournal {
    /// The number of the last entry of the ledger that was pruned; 0 if none was.
    pub pruned_entry: u64,
    /// How often billing periods were folded into others.
    pub folds: u64,
    /// The number of the newest entry whose billing period contains another one; 0 if there is none.
    pub folded_entry: u64,
}

/// What readers of a store may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Snapshots at a time. Further ones wait.
    pub snapshots: usize,
    /// How long a snapshot lasts, with the time that it waited.
    pub time: Duration,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { snapshots: 4, time: Duration::from_secs(5) }
    }
}

impl ReadLimits {
    /// The limits of a process that does nothing else, such as a check of the whole database.
    pub const WHOLE_DATABASE: Self = Self { snapshots: 1, time: Duration::from_secs(24 * 60 * 60) };
}
