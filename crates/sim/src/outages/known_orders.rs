use std::{collections::BTreeMap, fmt, io};

use vipnode_pool::admin::{LedgerOrder, LedgerPosted};
use vipnode_pool_core::{LedgerEntry, Transaction};

/// What the operator ordered, and what is in the journal of the ledger.
#[derive(Debug, Default)]
pub(super) struct KnownOrders {
    /// By idempotency key.
    orders: BTreeMap<String, KnownOrder>,
    /// The number of the newest entry that was read.
    last_entry: u64,
    /// How many entries of each kind there are.
    entries: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, Copy)]
struct KnownOrder {
    change: LedgerOrder,
    state: OrderState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OrderState {
    /// It was sent, and not answered.
    Sent,
    /// The pool refused it.
    Refused,
    /// The pool answered that this is its entry, which was not read yet.
    Posted(u64),
    /// This is its entry.
    Read(u64),
}

impl KnownOrders {
    /// An order is about to be sent, perhaps again.
    pub(super) fn sends(&mut self, key: &str, change: LedgerOrder) {
        self.orders.entry(key.to_owned()).or_insert(KnownOrder { change, state: OrderState::Sent });
    }

    /// Whether an order was answered.
    pub(super) fn is_answered(&self, key: &str) -> bool {
        self.orders.get(key).is_some_and(|order| order.state != OrderState::Sent)
    }

    /// An order to send again, because its answer was lost.
    pub(super) fn unanswered(&self) -> Option<(String, LedgerOrder)> {
        let mut sent = self.orders.iter().filter(|(_, order)| order.state == OrderState::Sent);
        sent.next().map(|(key, order)| (key.clone(), order.change))
    }

    /// How many orders were ever sent.
    pub(super) fn count(&self) -> usize {
        self.orders.len()
    }

    /// The pool refused an order.
    pub(super) fn refused(&mut self, key: &str) -> io::Result<()> {
        match self.orders.get_mut(key) {
            Some(order) if order.state == OrderState::Sent => {
                order.state = OrderState::Refused;
                Ok(())
            }
            order => broken(format_args!("the pool refused order {key:?}, which was {order:?}")),
        }
    }

    /// The pool posted an order, or found its entry.
    pub(super) fn posted(&mut self, key: &str, posted: &LedgerPosted) -> io::Result<()> {
        let Some(order) = self.orders.get_mut(key) else { return broken(format_args!("nobody sent order {key:?}")) };
        match order.state {
            OrderState::Sent if !posted.repeated => order.state = OrderState::Posted(posted.entry),
            OrderState::Posted(entry) | OrderState::Read(entry) if posted.repeated && posted.entry == entry => {}
            state => return broken(format_args!("order {key:?} was {state:?}, and the pool answers {posted:?}")),
        }
        Ok(())
    }

    /// The number of the newest entry that was read.
    pub(super) const fn last_entry(&self) -> u64 {
        self.last_entry
    }

    /// Compares the next entries of the journal with what was ordered.
    pub(super) fn read(&mut self, entries: &[LedgerEntry]) -> io::Result<()> {
        for entry in entries {
            if entry.number != self.last_entry.saturating_add(1) {
                return broken(format_args!("entry {} follows entry {}", entry.number, self.last_entry));
            }
            self.last_entry = entry.number;
            let count = self.entries.entry(entry.transaction.name()).or_default();
            *count = count.saturating_add(1);
            self.read_order(entry)?;
        }
        Ok(())
    }

    fn read_order(&mut self, entry: &LedgerEntry) -> io::Result<()> {
        let Some(order) = entry.transaction.order() else { return Ok(()) };
        let key = order.key.as_deref().unwrap_or_default();
        let wrong =
            |known: &dyn fmt::Debug| broken(format_args!("entry {entry:?} is there, and its order was {known:?}"));
        let Some(known) = self.orders.get_mut(key) else { return wrong(&"never sent") };
        match known.state {
            OrderState::Posted(number) if number != entry.number => return wrong(known),
            OrderState::Refused | OrderState::Read(_) => return wrong(known),
            OrderState::Sent | OrderState::Posted(_) => {}
        }
        if !is_of(&entry.transaction, known.change) {
            return wrong(known);
        }
        known.state = OrderState::Read(entry.number);
        Ok(())
    }

    /// All entries were read: each order that was answered must be among them.
    pub(super) fn all_read(&self) -> io::Result<()> {
        let mut lost = self.orders.iter().filter(|(_, order)| matches!(order.state, OrderState::Posted(_)));
        lost.next().map_or(Ok(()), |(key, order)| broken(format_args!("order {key:?} is lost: {order:?}")))
    }

    /// How many entries of each kind were read.
    pub(super) fn summary(&self) -> String {
        let entries: Vec<String> = self.entries.iter().map(|(name, count)| format!("{count} {name}")).collect();
        entries.join(", ")
    }
}

/// What does not fit.
fn broken(what: fmt::Arguments<'_>) -> io::Result<()> {
    Err(io::Error::other(what.to_string()))
}

/// Whether a transaction is what was ordered.
fn is_of(transaction: &Transaction, change: LedgerOrder) -> bool {
    match (transaction, change) {
        (Transaction::Credit { payer, amount, .. }, LedgerOrder::Credit { account, amount: ordered })
        | (Transaction::Debit { payer, amount, .. }, LedgerOrder::Debit { account, amount: ordered })
        | (Transaction::Limit { payer, limit: amount, .. }, LedgerOrder::Limit { account, amount: ordered }) => {
            (*payer, *amount) == (account, ordered)
        }
        (
            Transaction::Correction { payee, amount, takes, .. },
            LedgerOrder::Correction { account, amount: ordered, takes: ordered_takes },
        ) => (*payee, *amount, *takes) == (account, ordered, ordered_takes),
        (Transaction::Period { .. }, LedgerOrder::ClosePeriod) => true,
        (Transaction::Paid { payout, .. }, LedgerOrder::Paid { payout: ordered })
        | (Transaction::Bounced { payout, .. }, LedgerOrder::Bounced { payout: ordered }) => *payout == ordered,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use vipnode_pool_core::OperatorOrder;
    use vipnode_types::{Account, Amount, Asset, Ms};

    use super::*;

    const PAYER: Account = Account::new([1; 20]);

    fn change(amount: u128) -> LedgerOrder {
        LedgerOrder::Credit { account: PAYER, amount: Amount::new(amount) }
    }

    fn posted(entry: u64, repeated: bool) -> LedgerPosted {
        LedgerPosted {
            entry,
            at_ms: Ms::ZERO,
            repeated,
            account: None,
            amount: None,
            period: None,
            paid_all: None,
            asset: Asset::ETHER,
        }
    }

    fn entry(number: u64, key: &str, amount: u128) -> LedgerEntry {
        let order = OperatorOrder { key: Some(key.to_owned()), ..OperatorOrder::default() };
        let transaction = Transaction::Credit { payer: PAYER, amount: Amount::new(amount), order };
        LedgerEntry { number, at: Ms::ZERO, transaction }
    }

    fn sent() -> KnownOrders {
        let mut orders = KnownOrders::default();
        orders.sends("a", change(7));
        orders
    }

    #[test]
    fn an_order_is_in_the_journal_once() {
        let mut orders = sent();
        assert_eq!(orders.unanswered(), Some(("a".to_owned(), change(7))));
        orders.posted("a", &posted(1, false)).unwrap();
        assert!(orders.all_read().unwrap_err().to_string().contains("is lost"), "as long as its entry was not read");
        orders.read(&[entry(1, "a", 7)]).unwrap();
        orders.all_read().unwrap();
        orders.posted("a", &posted(1, true)).unwrap();
        assert!(orders.posted("a", &posted(2, false)).is_err(), "posted again");
        assert!(orders.posted("a", &posted(2, true)).is_err(), "as another entry");
        assert!(orders.read(&[entry(2, "a", 7)]).is_err(), "there twice");
        assert_eq!((orders.summary(), orders.unanswered()), ("2 credit".to_owned(), None));
    }

    #[test]
    fn an_order_that_was_not_answered_may_be_there_or_not() {
        let mut orders = sent();
        orders.all_read().unwrap();
        orders.read(&[entry(1, "a", 7)]).unwrap();
        orders.posted("a", &posted(1, true)).unwrap();
        let mut orders = sent();
        orders.refused("a").unwrap();
        assert!(orders.read(&[entry(1, "a", 7)]).is_err(), "it was refused");
    }

    #[test]
    fn an_entry_that_nobody_ordered_is_seen() {
        assert!(sent().read(&[entry(1, "b", 7)]).is_err());
        assert!(sent().read(&[entry(1, "a", 8)]).is_err(), "of another amount");
        assert!(sent().read(&[entry(2, "a", 7)]).is_err(), "an entry is missing before");
    }
}
