//! What the pool's core has written of its ledger.

use vipnode_pool_core::{
    AccountFigures, AccountRow, LedgerAccount, LedgerChangeReply, LedgerEntry, LinkRow, OperatorOrder, PaidPayouts,
    PayoutRow, PayoutState, SettlementPeriodRow, Transaction, UnpaidRow,
};
use vipnode_types::{Account, Amount};

use super::{Encode, Encoder};

impl Encode for LedgerEntry {
    fn encode(&self, out: &mut Encoder) {
        let Self { number, at, transaction } = self;
        number.encode(out);
        at.encode(out);
        transaction.encode(out);
    }
}

impl Encode for Transaction {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Credit { payer, amount, order } => of_account(out, 1, payer, *amount, order),
            Self::Debit { payer, amount, order } => of_account(out, 2, payer, *amount, order),
            Self::Limit { payer, limit, order } => of_account(out, 3, payer, *limit, order),
            Self::Lease { payer, payee, lease, row, from, cost, collected, fee } => {
                out.number(4);
                payer.encode(out);
                payee.encode(out);
                lease.encode(out);
                row.encode(out);
                [*from, *cost, *collected, *fee].iter().for_each(|amount| amount.encode(out));
            }
            Self::Collected { payer, payee, entry, amount, fee } => {
                out.number(5);
                payer.encode(out);
                payee.encode(out);
                entry.encode(out);
                amount.encode(out);
                fee.encode(out);
            }
            Self::Period { period, order } => {
                out.number(6);
                period.encode(out);
                order.encode(out);
            }
            Self::Paid { payout, payee, amount, order } => {
                out.number(7);
                payout.encode(out);
                payee.encode(out);
                amount.encode(out);
                order.encode(out);
            }
            Self::Bounced { payout, payee, amount, order } => {
                out.number(8);
                payout.encode(out);
                payee.encode(out);
                amount.encode(out);
                order.encode(out);
            }
            Self::WriteOff { payer, payee, entry, amount, order } => {
                out.number(9);
                payer.encode(out);
                payee.encode(out);
                entry.encode(out);
                amount.encode(out);
                order.encode(out);
            }
            Self::Overbilled { payer, payee, entry, amount, order } => {
                out.number(11);
                payer.encode(out);
                payee.encode(out);
                entry.encode(out);
                amount.encode(out);
                order.encode(out);
            }
            Self::Correction { payee, amount, takes, order } => {
                out.number(10);
                payee.encode(out);
                amount.encode(out);
                takes.encode(out);
                order.encode(out);
            }
        }
    }
}

fn of_account(out: &mut Encoder, kind: u64, account: &Account, amount: Amount, order: &OperatorOrder) {
    out.number(kind);
    account.encode(out);
    amount.encode(out);
    order.encode(out);
}

impl Encode for OperatorOrder {
    fn encode(&self, out: &mut Encoder) {
        let Self { by, reason, key } = self;
        by.encode(out);
        out.text(reason);
        out.text(key.as_deref().unwrap_or_default());
    }
}

impl Encode for LedgerAccount {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Payer(account) => {
                out.number(1);
                account.encode(out);
            }
            Self::Payee(account) => {
                out.number(2);
                account.encode(out);
            }
            Self::Received => out.number(3),
            Self::PaidOut => out.number(4),
            Self::Fee => out.number(5),
        }
    }
}

impl Encode for LedgerChangeReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { entry, figures, paid_all, repeated } = self;
        entry.encode(out);
        figures.encode(out);
        if let Some(PaidPayouts { marked, amount, left_out, next }) = paid_all {
            [*marked, *left_out].into_iter().for_each(|count| count.encode(out));
            amount.encode(out);
            next.encode(out);
        }
        if *repeated {
            out.number(1);
        }
    }
}

impl Encode for AccountFigures {
    fn encode(&self, out: &mut Encoder) {
        let Self { received, sent, metered, collected, limit } = self;
        [received, sent, metered, collected, limit].into_iter().for_each(|amount| amount.encode(out));
    }
}

impl Encode for AccountRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { account, figures } = self;
        account.encode(out);
        figures.encode(out);
    }
}

impl Encode for LinkRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { node, account } = self;
        node.encode(out);
        account.encode(out);
    }
}

impl Encode for UnpaidRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { entry, payer, payee, fee_bps, cost, collected } = self;
        entry.encode(out);
        payer.encode(out);
        payee.encode(out);
        fee_bps.encode(out);
        cost.encode(out);
        collected.encode(out);
    }
}

impl Encode for SettlementPeriodRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { number, closed } = self;
        number.encode(out);
        closed.encode(out);
    }
}

impl Encode for PayoutRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { number, period, payee, amount, state } = self;
        number.encode(out);
        period.encode(out);
        payee.encode(out);
        amount.encode(out);
        out.number(match state {
            PayoutState::Due => 1,
            PayoutState::Paid => 2,
            PayoutState::Bounced => 3,
        });
    }
}
