//! What the pool claims on its own, and what it asks of the chain.

use vipnode_pool_core::{
    ChainRequest, ChainTransactionRow, EpochClaimRow, EpochRow, EpochStep, EscrowCall, GasTerms, Row,
    TransactionPurpose,
};
use vipnode_types::payment::VoucherClaim;

use super::{Encode, Encoder};

impl Encode for ChainRequest {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Watch { config, block: _address } => {
                out.number(5);
                config.encode(out);
            }
            Self::Forget(id) => {
                out.number(6);
                out.bytes(&id.hash().0);
            }
            Self::Look { ticket, transaction } => {
                out.number(7);
                ticket.encode(out);
                if let Some(hash) = transaction {
                    out.bytes(&hash.0);
                }
            }
            Self::Simulate { ticket, call } => {
                out.number(8);
                ticket.encode(out);
                call.encode(out);
            }
            Self::Sign { ticket, call, nonce, gas } => {
                out.number(9);
                ticket.encode(out);
                call.encode(out);
                nonce.encode(out);
                gas.encode(out);
            }
            Self::Send { hash, raw } => {
                out.number(10);
                out.bytes(&hash.0);
                out.bytes(raw);
            }
        }
    }
}

impl Encode for EscrowCall {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Claim(claims) => {
                out.number(1);
                claims.encode(out);
            }
            Self::Settle { receiver, token } => {
                out.number(2);
                receiver.encode(out);
                token.encode(out);
            }
        }
    }
}

impl Encode for VoucherClaim {
    fn encode(&self, out: &mut Encoder) {
        let Self { channel, max_claimable, signature, total_claimed } = self;
        channel.encode(out);
        max_claimable.encode(out);
        out.bytes(&signature.to_bytes());
        total_claimed.encode(out);
    }
}

impl Encode for GasTerms {
    fn encode(&self, out: &mut Encoder) {
        let Self { gas, priority_fee_wei, max_fee_wei } = self;
        gas.encode(out);
        [priority_fee_wei, max_fee_wei].into_iter().for_each(|fee| out.wide(*fee));
    }
}

/// Encodes a row of an epoch.
pub(super) fn encode_row(row: &Row, out: &mut Encoder) {
    match row {
        Row::Epoch(row) => {
            out.number(23);
            row.encode(out);
        }
        Row::EpochClaim(row) => {
            out.number(24);
            row.encode(out);
        }
        Row::ChainTransaction(row) => {
            out.number(25);
            row.encode(out);
        }
        _ => {}
    }
}

impl Encode for EpochRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { number, step, since, cut, withdrawals_only, settled_before, settles, unattributed, .. } = self;
        let Self { spent_wei, spent_before_wei, finished, problem: _prose, .. } = self;
        number.encode(out);
        step.encode(out);
        [since, cut].into_iter().for_each(|at| at.encode(out));
        withdrawals_only.encode(out);
        settled_before.encode(out);
        settles.encode(out);
        unattributed.encode(out);
        [spent_wei, spent_before_wei].into_iter().for_each(|wei| out.wide(*wei));
        finished.encode(out);
    }
}

impl Encode for EpochStep {
    fn encode(&self, out: &mut Encoder) {
        out.number(match self {
            Self::Open => 1,
            Self::Read => 2,
            Self::Redeem => 3,
            Self::Confirm => 4,
            Self::Settle => 5,
            Self::Halted => 6,
        });
    }
}

impl Encode for EpochClaimRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { signer, channel, target, claimed_before, attempts, set_aside } = self;
        signer.encode(out);
        out.bytes(&channel.hash().0);
        [target, claimed_before].into_iter().for_each(|amount| amount.encode(out));
        attempts.encode(out);
        set_aside.is_some().encode(out);
    }
}

impl Encode for ChainTransactionRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { nonce, purpose, gas, hash, raw, bumps, signed, cost_wei } = self;
        nonce.encode(out);
        purpose.encode(out);
        gas.encode(out);
        out.bytes(&hash.0);
        out.bytes(raw);
        bumps.encode(out);
        signed.encode(out);
        out.wide(cost_wei.unwrap_or_default());
    }
}

impl Encode for TransactionPurpose {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Claim(signers) => {
                out.number(1);
                signers.encode(out);
            }
            Self::Settle => out.number(2),
        }
    }
}
