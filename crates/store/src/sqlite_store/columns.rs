use rusqlite::{
    Result, Row as SqlRow,
    types::{FromSql, Type},
};
use vipnode_pool_core::AddressBlock;
use vipnode_types::{Account, Amount, Ms, NodeId};

/// The columns of a row of the database, read one after the other.
///
/// SQL has no unsigned integers: a `u64` is stored as the `i64` with the same bits. Amounts, which are up to 128 bits wide,
/// are bytes, the most significant first and without leading zeros.
pub(super) struct Columns<'row, 'statement> {
    row: &'row SqlRow<'statement>,
    next: usize,
}

impl<'row, 'statement> Columns<'row, 'statement> {
    pub(super) const fn of(row: &'row SqlRow<'statement>) -> Self {
        Self { row, next: 0 }
    }

    /// Reads the next column.
    pub(super) fn get<T: FromSql>(&mut self) -> Result<T> {
        let column = self.next;
        self.next = column.saturating_add(1);
        self.row.get(column)
    }

    /// The error for the column that was read last.
    pub(super) fn invalid(&self, what: &'static str) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(self.next.saturating_sub(1), Type::Blob, what.into())
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        self.get::<i64>().map(i64::cast_unsigned)
    }

    pub(super) fn optional_number(&mut self) -> Result<Option<u64>> {
        Ok(self.get::<Option<i64>>()?.map(i64::cast_unsigned))
    }

    pub(super) fn ms(&mut self) -> Result<Ms> {
        self.number().map(Ms::new)
    }

    pub(super) fn optional_ms(&mut self) -> Result<Option<Ms>> {
        Ok(self.optional_number()?.map(Ms::new))
    }

    pub(super) fn id(&mut self) -> Result<NodeId> {
        self.get().map(NodeId::new)
    }

    pub(super) fn account(&mut self) -> Result<Option<Account>> {
        Ok(self.get::<Option<[u8; 20]>>()?.map(Account::new))
    }

    pub(super) fn block(&mut self) -> Result<Option<AddressBlock>> {
        Ok(self.optional_number()?.map(AddressBlock::from_bits))
    }

    pub(super) fn amount(&mut self) -> Result<Amount> {
        let bytes: Vec<u8> = self.get()?;
        self.amount_of(&bytes)
    }

    pub(super) fn optional_amount(&mut self) -> Result<Option<Amount>> {
        let bytes: Option<Vec<u8>> = self.get()?;
        bytes.map(|bytes| self.amount_of(&bytes)).transpose()
    }

    fn amount_of(&self, bytes: &[u8]) -> Result<Amount> {
        let mut wide = [0; 16];
        let from =
            wide.len().checked_sub(bytes.len()).ok_or_else(|| self.invalid("an amount of more than 128 bits"))?;
        wide.iter_mut().skip(from).zip(bytes).for_each(|(to, byte)| *to = *byte);
        Ok(Amount::new(u128::from_be_bytes(wide)))
    }
}
