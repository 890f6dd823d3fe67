use vipnode_pool_core::{LedgerEntry, Transaction};
use vipnode_types::{Amount, Asset};

/// Entries of the ledger that only the database before a restore has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LostEntries {
    /// What the pool charged in.
    pub asset: Asset,
    /// How many there are.
    pub count: u64,
    /// The number of the first one; 0 if there is none. Numbers that were folded are left out between it and the last one.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
    /// How many further ones, before these, were pruned from that database: only the file of the prune has them.
    pub pruned: u64,
    /// What the operator credited.
    pub credits: Amount,
    /// What the operator debited.
    pub debits: Amount,
    /// What billing periods cost.
    pub costs: Amount,
    /// What was paid to hosts.
    pub payouts: Amount,
    /// The first entries that the operator posted.
    pub orders: Vec<LedgerEntry>,
    /// The number of entries that the operator posted.
    pub num_orders: u64,
}

/// The number of listed entries that the operator posted.
const ORDERS: usize = 20;

impl LostEntries {
    pub(crate) fn of(asset: Asset) -> Self {
        Self { asset, ..Self::default() }
    }

    /// Adds an entry, in the order of their numbers.
    pub(crate) fn add(&mut self, entry: LedgerEntry) {
        if self.count == 0 {
            self.first = entry.number;
        }
        self.count = self.count.saturating_add(1);
        self.last = entry.number;
        let sum = match &entry.transaction {
            Transaction::Credit { amount, .. } => Some((&mut self.credits, *amount)),
            Transaction::Debit { amount, .. } => Some((&mut self.debits, *amount)),
            Transaction::Lease { cost, .. } => Some((&mut self.costs, *cost)),
            Transaction::Paid { amount, .. } => Some((&mut self.payouts, *amount)),
            Transaction::Limit { .. }
            | Transaction::Voucher { .. }
            | Transaction::Claimed { .. }
            | Transaction::Overbilled { .. }
            | Transaction::Collected { .. }
            | Transaction::WriteOff { .. }
            | Transaction::Correction { .. }
            | Transaction::Period { .. }
            | Transaction::Bounced { .. } => None,
        };
        if let Some((sum, amount)) = sum {
            *sum = sum.checked_add(amount).unwrap_or(Amount::MAX);
        }
        if entry.transaction.order().is_some() {
            self.num_orders = self.num_orders.saturating_add(1);
            if self.orders.len() < ORDERS {
                self.orders.push(entry);
            }
        }
    }

    /// How many entries, which, and which amounts, for a person: a noun phrase.
    ///
    /// ```
    /// let none = vipnode_store::LostEntries::default();
    /// assert_eq!(none.describe(), "0 ledger entries");
    /// let pruned = vipnode_store::LostEntries { pruned: 4, ..none };
    /// assert!(pruned.describe().ends_with("and 4 earlier entries that were pruned and that only the file of the prune has"));
    /// ```
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = match self.count {
            0 => "0 ledger entries".to_owned(),
            1 => format!("1 ledger entry ({})", self.first),
            count => format!("{count} ledger entries ({} to {})", self.first, self.last),
        };
        let sums =
            [("credits", self.credits), ("debits", self.debits), ("costs", self.costs), ("payouts", self.payouts)];
        let mut separator = ": ";
        for (name, sum) in sums.into_iter().filter(|(_, sum)| *sum > Amount::ZERO) {
            text += &format!("{separator}{name} of {}", self.asset.show(sum));
            separator = ", ";
        }
        if self.pruned > 0 {
            let entries = if self.pruned == 1 { "entry that was" } else { "entries that were" };
            text += &format!(", and {} earlier {entries} pruned and that only the file of the prune has", self.pruned);
        }
        text
    }
}
