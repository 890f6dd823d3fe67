use rusqlite::{Result, Statement, ToSql};
use vipnode_pool_core::AddressBlock;
use vipnode_types::{Account, Amount, Ms, NodeId};

/// The parameters of a statement, bound one after the other. The forms of the values are those of
/// [`Columns`](super::columns::Columns).
pub(super) struct Bindings<'borrow, 'connection> {
    statement: &'borrow mut Statement<'connection>,
    bound: usize,
}

impl<'borrow, 'connection> Bindings<'borrow, 'connection> {
    pub(super) const fn of(statement: &'borrow mut Statement<'connection>) -> Self {
        Self { statement, bound: 0 }
    }

    /// Binds the next parameter.
    pub(super) fn put(&mut self, value: impl ToSql) -> Result<()> {
        self.bound = self.bound.saturating_add(1);
        self.statement.raw_bind_parameter(self.bound, value)
    }

    pub(super) fn number(&mut self, number: u64) -> Result<()> {
        self.put(number.cast_signed())
    }

    pub(super) fn optional_number(&mut self, number: Option<u64>) -> Result<()> {
        self.put(number.map(u64::cast_signed))
    }

    pub(super) fn ms(&mut self, ms: Ms) -> Result<()> {
        self.number(ms.get())
    }

    pub(super) fn optional_ms(&mut self, ms: Option<Ms>) -> Result<()> {
        self.optional_number(ms.map(Ms::get))
    }

    pub(super) fn id(&mut self, id: &NodeId) -> Result<()> {
        self.put(&id.as_bytes()[..])
    }

    pub(super) fn account(&mut self, account: Option<Account>) -> Result<()> {
        self.put(account.as_ref().map(|account| &account.as_bytes()[..]))
    }

    pub(super) fn block(&mut self, block: Option<AddressBlock>) -> Result<()> {
        self.optional_number(block.map(AddressBlock::to_bits))
    }

    pub(super) fn amount(&mut self, amount: Amount) -> Result<()> {
        self.put(amount_bytes(amount))
    }

    pub(super) fn optional_amount(&mut self, amount: Option<Amount>) -> Result<()> {
        self.put(amount.map(amount_bytes))
    }

    /// Runs the statement. Returns how many rows it changed.
    pub(super) fn execute(self) -> Result<usize> {
        self.statement.raw_execute()
    }
}

/// A number of rows as SQL takes it.
pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The bytes of an amount, the most significant first, without leading zeros.
pub(super) fn amount_bytes(amount: Amount) -> Vec<u8> {
    amount.get().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}
