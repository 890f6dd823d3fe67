use vipnode_pool_core::{MeteredRow, Row};

use crate::StoreError;

/// What outlives the pool's process. Synchronous: it lives on a thread of its own.
///
/// A store keeps two things.
///
/// **State**: the newest value under each key, read back by [`load`](Self::load).
/// - [`Row::Node`] and [`Row::Lease`] replace what stands under their id; [`Row::Clock`] and
///   [`Row::NextLease`] replace the one value there is. The last write wins, also within a batch.
/// - [`Row::Presence`] replaces `seen` of each node it names, and takes its nonce where that is newer. A node that is not there is passed over.
/// - [`Row::Delete`] takes away what stands under a key; where nothing stands it does nothing.
///
/// **Journal**: [`Row::Metered`], in the order first written, read back by [`metered`](Self::metered).
/// It only grows. The key is the lease and its row number: the same value again changes nothing, another
/// value is [`StoreError::Conflict`]. Deleting a lease leaves its metered rows alone, and metering it
/// leaves the lease alone.
///
/// So to apply a run of batches again, from any of them to the last, changes nothing.
pub trait Store {
    /// Writes `rows` in order, all or none, and returns once they are durable.
    ///
    /// The sequence number is larger than each that this store returned since it was opened, also for
    /// an empty batch.
    ///
    /// # Errors
    /// See [`StoreError`]; then nothing was changed.
    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError>;

    /// Calls `each` with the whole state: [`Row::Clock`], [`Row::NextLease`], each [`Row::Node`] by
    /// ascending id, each [`Row::Lease`] by ascending id. What was never written is left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`]; what `each` was given so far is then not
    /// to be used.
    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError>;

    /// Calls `each` with at most `limit` rows of the journal and their positions, from position `from`
    /// (0 for the first) upwards. Positions grow strictly, not always by one: read on from the last + 1.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredRow)) -> Result<(), StoreError>;
}
