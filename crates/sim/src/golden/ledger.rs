//! What the pool's core has written of its ledger.

use vipnode_pool_core::{
    AccountFigures, AccountRow, ChannelReading, ChannelRow, LedgerAccount, LedgerChangeReply, LedgerEntry, LinkRow,
    OperatorOrder, PaidPayouts, PayoutRow, PayoutState, SettlementPeriodRow, Transaction, UnpaidRow,
};
use vipnode_types::{Account, Amount, payment::ChannelConfig, wire::ChannelFunds};

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
            Self::Voucher { payer, limit, signed } => {
                out.number(13);
                (*payer, *limit).encode(out);
                signed.encode(out);
            }
            Self::Claimed { payer, amount, limit } => {
                out.number(12);
                (*payer, *amount).encode(out);
                limit.encode(out);
            }
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
                of_entry(out, 9, [payer, payee], (*entry, *amount), order);
            }
            Self::Overbilled { payer, payee, entry, amount, order } => {
                of_entry(out, 11, [payer, payee], (*entry, *amount), order);
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

fn of_entry(out: &mut Encoder, kind: u64, sides: [&Account; 2], of: (u64, Amount), order: &OperatorOrder) {
    out.number(kind);
    sides.iter().for_each(|account| account.encode(out));
    of.encode(out);
    order.encode(out);
}

fn of_account(out: &mut Encoder, kind: u64, account: &Account, amount: Amount, order: &OperatorOrder) {
    out.number(kind);
    account.encode(out);
    amount.encode(out);
    order.encode(out);
}

impl Encode for ChannelRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { config, signed, signature, state, read, metered_before, claimed_before, claimed } = self;
        config.encode(out);
        out.bytes(&signature.to_bytes());
        let ChannelReading { deposited, withdrawing, withdrawable_s, claimed: chain_claimed } = state;
        withdrawable_s.encode(out);
        read.encode(out);
        [signed, deposited, withdrawing, chain_claimed, metered_before, claimed_before, claimed]
            .iter()
            .for_each(|amount| amount.encode(out));
    }
}

impl Encode for ChannelConfig {
    fn encode(&self, out: &mut Encoder) {
        let Self { payer, payer_authorizer, receiver, receiver_authorizer, token, withdraw_delay_s, salt } = self;
        [payer, payer_authorizer, receiver, receiver_authorizer, token].iter().for_each(|account| account.encode(out));
        withdraw_delay_s.encode(out);
        out.bytes(&salt.0);
    }
}

impl Encode for ChannelFunds {
    fn encode(&self, out: &mut Encoder) {
        let Self { id, signed, signature, deposited, withdrawing, claimed, metered, hourly, read_ms } = self;
        out.bytes(&id.hash().0);
        out.bytes(&signature.to_bytes());
        read_ms.encode(out);
        [signed, deposited, withdrawing, claimed, metered, hourly].iter().for_each(|amount| amount.encode(out));
    }
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
