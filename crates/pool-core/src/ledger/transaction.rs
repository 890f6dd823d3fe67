use vipnode_types::{Account, Amount, Asset, LeaseId};

/// A change of the ledger. Its postings are derived from it, so that each transaction sums to zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// The operator received an amount from a payer.
    Credit {
        /// Whose balance rises.
        payer: Account,
        /// By how much.
        amount: Amount,
        /// Who entered it, and why.
        order: OperatorOrder,
    },
    /// The operator returned an amount to a payer, or corrects a credit.
    Debit {
        /// Whose balance falls.
        payer: Account,
        /// By how much.
        amount: Amount,
        /// Who entered it, and why.
        order: OperatorOrder,
    },
    /// The operator sets how far the debt of a payer may grow.
    Limit {
        /// Whose limit it is.
        payer: Account,
        /// Its new limit.
        limit: Amount,
        /// Who entered it, and why.
        order: OperatorOrder,
    },
    /// A voucher, or what the escrow holds for its channel, changes how far the debt of a payer may grow.
    Voucher {
        /// Whose limit it is.
        payer: Account,
        /// Its new limit: what is signed and deposited, and not claimed yet.
        limit: Amount,
        /// The amount of the newest voucher.
        signed: Amount,
    },
    /// The pool claimed an amount of a payer's channel, which is final.
    Claimed {
        /// Whose channel it is.
        payer: Account,
        /// How much more was claimed.
        amount: Amount,
        /// The limit of the payer's debt afterward.
        limit: Amount,
    },
    /// A billing period ended that costs something.
    Lease {
        /// Who pays.
        payer: Account,
        /// Who earns.
        payee: Account,
        /// The lease of the period.
        lease: LeaseId,
        /// The number of the period.
        row: u32,
        /// The payer's meter before: the period takes the interval from here to `from + cost`.
        from: Amount,
        /// What the period cost.
        cost: Amount,
        /// How much of the cost was secured then.
        collected: Amount,
        /// The operator's fee on the collected part.
        fee: Amount,
    },
    /// More of the cost of an earlier period is secured.
    Collected {
        /// Who pays.
        payer: Account,
        /// Who earns.
        payee: Account,
        /// The number of the entry of the period.
        entry: u64,
        /// How much more is secured.
        amount: Amount,
        /// The operator's fee on it.
        fee: Amount,
    },
    /// The operator gave up the rest of a cost that its payer has not secured: neither side owes it or is owed it anymore.
    WriteOff {
        /// Who owed it.
        payer: Account,
        /// Who earned it.
        payee: Account,
        /// The number of the entry of the period.
        entry: u64,
        /// How much was not secured.
        amount: Amount,
        /// Who entered it, and why.
        order: OperatorOrder,
    },
    /// The operator corrected what is payable to a payee.
    Correction {
        /// Whose balance changes.
        payee: Account,
        /// By how much.
        amount: Amount,
        /// Whether it falls.
        takes: bool,
        /// Who entered it, and why.
        order: OperatorOrder,
    },
    /// The operator accepted a clock behind the latest stored time, so a part of an earlier cost is for time that did not pass. No amount
    /// moves; the operator returns it with a credit and a correction.
    Overbilled {
        /// Who was billed.
        payer: Account,
        /// Who earned it.
        payee: Account,
        /// The number of the entry of the period.
        entry: u64,
        /// About how much of its cost that is.
        amount: Amount,
        /// Who accepted the clock, and how far it had been ahead.
        order: OperatorOrder,
    },
    /// The operator closed a settlement period: what is payable to each payee is listed as a payout.
    Period {
        /// The number of the period.
        period: u64,
        /// Who closed it.
        order: OperatorOrder,
    },
    /// The operator paid a payout; the reason is the reference of the payment.
    Paid {
        /// The number of the payout.
        payout: u64,
        /// Who was paid.
        payee: Account,
        /// How much was paid.
        amount: Amount,
        /// Who entered it.
        order: OperatorOrder,
    },
    /// A payout did not arrive.
    Bounced {
        /// The number of the payout.
        payout: u64,
        /// Who was not paid.
        payee: Account,
        /// How much came back; zero if it was never marked as paid.
        amount: Amount,
        /// Who entered it, and why.
        order: OperatorOrder,
    },
}

/// Between which accounts a posting moves an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LedgerAccount {
    /// An account that pays for the leases of client nodes.
    Payer(Account),
    /// A host's payout account.
    Payee(Account),
    /// What the operator received outside of the pool, or lent.
    Received,
    /// What the operator paid to hosts outside of the pool.
    PaidOut,
    /// The operator's fee.
    Fee,
}

/// The user who made a change, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperatorOrder {
    /// The user ID at the other end of the local socket, if the system reports one.
    pub by: Option<u32>,
    /// The reason, or the reference of a payment.
    pub reason: String,
    /// The idempotency key: the same order with the same key changes nothing.
    pub key: Option<String>,
}

/// An amount that moves from one account to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The account that gives it.
    pub from: LedgerAccount,
    /// The account that gets it.
    pub to: LedgerAccount,
    /// How much moves.
    pub amount: Amount,
}

impl Transaction {
    /// The postings that make up the transaction.
    #[must_use]
    pub fn postings(&self) -> Vec<Posting> {
        use LedgerAccount::{Fee, PaidOut, Payee, Payer, Received};
        let posting = |from, to, amount: Amount| Posting { from, to, amount };
        let postings = match *self {
            Self::Credit { payer, amount, .. } => vec![posting(Received, Payer(payer), amount)],
            Self::Debit { payer, amount, .. } => vec![posting(Payer(payer), Received, amount)],
            Self::Limit { .. } | Self::Voucher { .. } | Self::Overbilled { .. } | Self::Period { .. } => Vec::new(),
            Self::Claimed { payer, amount, .. } => vec![posting(Received, Payer(payer), amount)],
            Self::Lease { payer, payee, cost, fee, .. } => {
                vec![posting(Payer(payer), Payee(payee), cost), posting(Payee(payee), Fee, fee)]
            }
            Self::Collected { payee, fee, .. } => vec![posting(Payee(payee), Fee, fee)],
            // As if the payee had returned what it earned, and the payer had paid with it.
            Self::WriteOff { payer, payee, amount, .. } => vec![posting(Payee(payee), Payer(payer), amount)],
            Self::Correction { payee, amount, takes: false, .. } => vec![posting(Received, Payee(payee), amount)],
            Self::Correction { payee, amount, takes: true, .. } => vec![posting(Payee(payee), Received, amount)],
            Self::Paid { payee, amount, .. } => vec![posting(Payee(payee), PaidOut, amount)],
            Self::Bounced { payee, amount, .. } => vec![posting(PaidOut, Payee(payee), amount)],
        };
        postings.into_iter().filter(|posting| posting.amount > Amount::ZERO).collect()
    }

    /// The account that pays, or whose balance as payer changes.
    #[must_use]
    pub const fn payer(&self) -> Option<Account> {
        match *self {
            Self::Credit { payer, .. }
            | Self::Debit { payer, .. }
            | Self::Limit { payer, .. }
            | Self::Voucher { payer, .. }
            | Self::Claimed { payer, .. }
            | Self::Lease { payer, .. }
            | Self::Collected { payer, .. }
            | Self::WriteOff { payer, .. }
            | Self::Overbilled { payer, .. } => Some(payer),
            Self::Correction { .. } | Self::Period { .. } | Self::Paid { .. } | Self::Bounced { .. } => None,
        }
    }

    /// The account that earns or is paid.
    #[must_use]
    pub const fn payee(&self) -> Option<Account> {
        match *self {
            Self::Lease { payee, .. }
            | Self::Collected { payee, .. }
            | Self::WriteOff { payee, .. }
            | Self::Overbilled { payee, .. }
            | Self::Correction { payee, .. }
            | Self::Paid { payee, .. }
            | Self::Bounced { payee, .. } => Some(payee),
            Self::Credit { .. }
            | Self::Debit { .. }
            | Self::Limit { .. }
            | Self::Voucher { .. }
            | Self::Claimed { .. }
            | Self::Period { .. } => None,
        }
    }

    /// The amount that the operator ordered; `None` if it orders none.
    ///
    /// ```
    /// use vipnode_pool_core::{OperatorOrder, Transaction};
    /// use vipnode_types::{Account, Amount};
    ///
    /// let (payer, amount) = (Account::new([7; 20]), Amount::new(5));
    /// let credit = Transaction::Credit { payer, amount, order: OperatorOrder::default() };
    /// assert_eq!(credit.ordered_amount(), Some(amount));
    /// assert_eq!(Transaction::Period { period: 1, order: OperatorOrder::default() }.ordered_amount(), None);
    /// ```
    #[must_use]
    pub const fn ordered_amount(&self) -> Option<Amount> {
        match *self {
            Self::Credit { amount, .. }
            | Self::Debit { amount, .. }
            | Self::Limit { limit: amount, .. }
            | Self::WriteOff { amount, .. }
            | Self::Correction { amount, .. }
            | Self::Paid { amount, .. }
            | Self::Overbilled { amount, .. }
            | Self::Bounced { amount, .. } => Some(amount),
            Self::Period { .. }
            | Self::Lease { .. }
            | Self::Collected { .. }
            | Self::Voucher { .. }
            | Self::Claimed { .. } => None,
        }
    }

    /// The operator's order, if it is one.
    #[must_use]
    pub const fn order(&self) -> Option<&OperatorOrder> {
        match self {
            Self::Credit { order, .. }
            | Self::Debit { order, .. }
            | Self::Limit { order, .. }
            | Self::WriteOff { order, .. }
            | Self::Overbilled { order, .. }
            | Self::Correction { order, .. }
            | Self::Period { order, .. }
            | Self::Paid { order, .. }
            | Self::Bounced { order, .. } => Some(order),
            Self::Lease { .. } | Self::Collected { .. } | Self::Voucher { .. } | Self::Claimed { .. } => None,
        }
    }

    /// Whether it orders the same as another one, which may have another reason and come from another user.
    #[must_use]
    pub fn is_same_order(&self, other: &Self) -> bool {
        let without_order = |transaction: &Self| {
            let mut same = transaction.clone();
            if let Some(order) = same.order_mut() {
                *order = OperatorOrder::default();
            }
            // What follows from the state of the ledger, and not from the order.
            match &mut same {
                Self::Period { period: state, .. } => *state = 0,
                Self::Bounced { amount, .. } => *amount = Amount::ZERO,
                _ => {}
            }
            same
        };
        self.order().is_some() && without_order(self) == without_order(other)
    }

    const fn order_mut(&mut self) -> Option<&mut OperatorOrder> {
        match self {
            Self::Credit { order, .. }
            | Self::Debit { order, .. }
            | Self::Limit { order, .. }
            | Self::WriteOff { order, .. }
            | Self::Overbilled { order, .. }
            | Self::Correction { order, .. }
            | Self::Period { order, .. }
            | Self::Paid { order, .. }
            | Self::Bounced { order, .. } => Some(order),
            Self::Lease { .. } | Self::Collected { .. } | Self::Voucher { .. } | Self::Claimed { .. } => None,
        }
    }

    /// What it is, for a person, without who ordered it: a noun phrase without an article.
    #[must_use]
    pub fn describe(&self, asset: Asset) -> String {
        let show = |amount: &Amount| asset.show(*amount);
        match self {
            Self::Credit { payer, amount, .. } => format!("credit of {} to {payer}", show(amount)),
            Self::Debit { payer, amount, .. } => format!("debit of {} from {payer}", show(amount)),
            Self::Limit { payer, limit, .. } => format!("credit limit of {} for {payer}", show(limit)),
            Self::Voucher { payer, signed, .. } => format!("voucher of {payer} for {}", show(signed)),
            Self::Claimed { payer, amount, .. } => format!("claim of {} from the channel of {payer}", show(amount)),
            Self::Lease { payer, cost, .. } => format!("cost of {} to {payer}", show(cost)),
            Self::Collected { amount, .. } => format!("secured amount of {}", show(amount)),
            Self::WriteOff { entry, .. } => format!("write-off of entry {entry}"),
            Self::Overbilled { entry, .. } => format!("overbilled part of entry {entry}"),
            Self::Correction { payee, amount, takes, .. } => {
                let sign = if *takes { "-" } else { "+" };
                format!("correction by {sign}{} of {payee}", show(amount))
            }
            Self::Period { .. } => "close of a settlement period".to_owned(),
            Self::Paid { payout, .. } => format!("mark of payout {payout} as paid"),
            Self::Bounced { payout, .. } => format!("mark of payout {payout} as bounced"),
        }
    }

    /// Its name in a store and in an audit log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Credit { .. } => "credit",
            Self::Debit { .. } => "debit",
            Self::Limit { .. } => "limit",
            Self::Voucher { .. } => "voucher",
            Self::Claimed { .. } => "claimed",
            Self::Lease { .. } => "lease",
            Self::Collected { .. } => "collected",
            Self::WriteOff { .. } => "write_off",
            Self::Overbilled { .. } => "overbilled",
            Self::Correction { .. } => "correction",
            Self::Period { .. } => "period",
            Self::Paid { .. } => "paid",
            Self::Bounced { .. } => "bounced",
        }
    }
}
