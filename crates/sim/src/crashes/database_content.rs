use vipnode_pool_core::{LedgerEntry, MeteredPeriod, Row};
use vipnode_store::{SqliteStore, Store as _, StoreError};

/// All rows of a database.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct DatabaseContent {
    /// The nodes by ascending id, without the number of the next lease.
    rows: Vec<Row>,
    next_lease: u64,
    periods: Vec<MeteredPeriod>,
    pub(super) entries: Vec<LedgerEntry>,
}

impl DatabaseContent {
    pub(super) fn of(store: &mut SqliteStore) -> Result<Self, StoreError> {
        let mut content = Self::default();
        store.load(&mut |row| match row {
            Row::NextLease(next) => content.next_lease = next,
            row => content.rows.push(row),
        })?;
        content.rows.sort_by_key(|row| if let Row::Node(node) = row { Some(node.id) } else { None });
        store.metered(0, usize::MAX, &mut |_, period| content.periods.push(period))?;
        store.entries(0, usize::MAX, &mut |entry| content.entries.push(entry))?;
        Ok(content)
    }

    /// Whether it is what is left of `whole`. Without the note of the newest batch, the database may be a backup, so lease
    /// numbers begin beyond any that can have been used.
    pub(super) fn is(&self, whole: &Self, note: Option<&[u8]>) -> bool {
        let is_noted = note.is_some_and(|note| note.first().is_some_and(u8::is_ascii_digit));
        let has_next = if is_noted { self.next_lease == whole.next_lease } else { self.next_lease >= whole.next_lease };
        has_next && (&self.rows, &self.periods, &self.entries) == (&whole.rows, &whole.periods, &whole.entries)
    }
}
