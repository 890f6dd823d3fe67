use std::sync::Arc;

use vipnode_pool_core::{LedgerEntry, MeteredPeriod, Row};
use vipnode_types::Ms;

use crate::{DatabaseFile, FoldStep, PruneOrder, PruneStep, ReadLimits, StoreError, StoreReader};

/// The durable state of a pool. Its methods block, so it runs on a thread of its own.
///
/// A store keeps two things.
///
/// **State**: the newest value under each key, read back by [`load`](Self::load).
/// - [`Row::Node`], [`Row::Lease`], [`Row::Times`], [`Row::Deferred`], [`Row::Delegation`], [`Row::Account`], [`Row::Link`],
///   [`Row::LinkCounter`], [`Row::Channel`], [`Row::Unpaid`], [`Row::Payout`], [`Row::EpochClaim`] and [`Row::ChainTransaction`]
///   replace the value under their key; [`Row::Clock`], [`Row::NextLease`], [`Row::Restore`], [`Row::Asset`], [`Row::Payment`],
///   [`Row::Pricing`], [`Row::Period`] and [`Row::Epoch`] replace the one value there is. The last write wins, also within a batch.
/// - [`Row::LastReport`] replaces `seen` of each node it names, and takes its nonce where that is newer. A node
///   that is not in the store is skipped.
/// - [`Row::Delete`] removes the value under a key, if there is one.
///
/// **Journal**: [`Row::Metered`], in the order first written, read back by [`metered`](Self::metered).
/// It only grows. The key is the lease and its row number: writing the same value again changes nothing, another value is
/// [`StoreError::Conflict`]. Deleting a lease keeps its metered rows, and metering a lease keeps the lease.
///
/// **Ledger**: [`Row::Entry`], by number, read back by [`entries`](Self::entries). It only grows, as the journal does; another
/// value under a number is [`StoreError::EntryConflict`].
///
/// An operator can remove the oldest part of both journals, once it is in a file ([`PrunePlan`](crate::PrunePlan)).
///
/// Applying batches again, from any of them to the last, therefore changes nothing.
pub trait Store {
    /// Writes `rows` in order, all or none, and returns a sequence number once they are durable.
    ///
    /// The sequence number is larger than all that this store returned since it was opened, also for an empty batch.
    ///
    /// # Errors
    /// See [`StoreError`]; nothing has changed then.
    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError>;

    /// Does what need not delay the acknowledgment of a batch, such as copying a log. [`apply`](Self::apply) does it before the
    /// next batch at the latest.
    fn tidy(&mut self) {}

    /// Checks whether a batch could be written: an empty one, with some space to spare.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn probe(&mut self) -> Result<(), StoreError> {
        self.apply(&[]).map(drop)
    }

    /// Calls `each` with the whole state: [`Row::Clock`], [`Row::NextLease`], [`Row::Restore`], [`Row::Asset`],
    /// [`Row::Payment`], [`Row::Pricing`], the ledger: each [`Row::Account`] by account, each [`Row::Link`] by node, each [`Row::LinkCounter`] by
    /// account, each [`Row::Unpaid`] by entry, [`Row::Period`], each [`Row::Payout`] by number, [`Row::Epoch`], each
    /// [`Row::EpochClaim`] by signer, each [`Row::ChainTransaction`] by nonce, and of [`Row::Entry`], by number, those with an idempotency key
    /// and the newest; then each [`Row::Node`] in any order, each [`Row::Lease`] by ascending id, each [`Row::Times`] in any
    /// order, each [`Row::Delegation`] by ascending id, and each [`Row::Deferred`] by client and host. Rows that were never written
    /// are left out.
    ///
    /// # Errors
    /// See [`StoreError`]; rows passed to `each` so far must not be used then.
    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError>;

    /// Calls `each` with at most `limit` rows of the journal and their positions, from position `from` (0 is the first)
    /// upward. Positions grow strictly but not always by one: to read on, start at the last position + 1.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredPeriod)) -> Result<(), StoreError>;

    /// Calls `each` with at most `limit` entries of the ledger, by number, from number `from` upward.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn entries(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(LedgerEntry)) -> Result<(), StoreError>;

    /// Removes at most `most` entries, with what they bill, from the journals; see [`PruneStep`].
    ///
    /// # Errors
    /// See [`StoreError`]; nothing has changed then. A store in memory keeps everything.
    fn prune(&mut self, _order: PruneOrder, position: u64, _most: usize) -> Result<PruneStep, StoreError> {
        Ok(PruneStep { entries: 0, periods: 0, position, last_entry: 0, is_done: true })
    }

    /// Folds billing periods of days that were over at a time, of at most `most` entries after the one with a number; see
    /// [`FoldStep`].
    ///
    /// # Errors
    /// See [`StoreError`]; nothing has changed then. A store in memory folds nothing.
    fn fold(&mut self, _before: Ms, after: u64, _most: usize) -> Result<FoldStep, StoreError> {
        Ok(FoldStep { folded: 0, position: after, is_done: true })
    }

    /// Returns what reads this store from other threads.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn reader(&self, limits: ReadLimits) -> Result<Arc<dyn StoreReader>, StoreError>;

    /// Whether what it contains outlives the process.
    fn is_durable(&self) -> bool {
        true
    }

    /// The file in which it keeps its state; `None` if it has none.
    fn file(&self) -> Option<DatabaseFile> {
        None
    }
}
