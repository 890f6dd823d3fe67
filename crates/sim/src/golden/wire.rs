//! What both directions of protocol 3 share, and the pool's calls to agents.

use vipnode_types::wire::{
    AdmitCall, DialCall, ErrorData, EvictCall, EvictReason, FundsLow, NoticeCall, PairFault, PriceCall, Side,
    TrialEnds, WireError,
};

use super::{Encode, Encoder};

/// The code, and how long to wait; message and hint are prose.
impl Encode for WireError {
    fn encode(&self, out: &mut Encoder) {
        let Self { code, message: _prose, data } = self;
        code.encode(out);
        let retry_ms = data.as_ref().and_then(|ErrorData { hint: _prose, retry_ms, revert: _never_sent }| *retry_ms);
        retry_ms.encode(out);
    }
}

impl Encode for AdmitCall {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, client, price, client_enode, client_version, light } = self;
        lease.encode(out);
        client.encode(out);
        price.encode(out);
        client_enode.encode(out);
        out.text(client_version);
        light.encode(out);
    }
}

impl Encode for EvictCall {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, peer, reason, fault, account } = self;
        lease.encode(out);
        peer.encode(out);
        reason.encode(out);
        fault.encode(out);
        if let Some(account) = account {
            account.encode(out);
        }
    }
}

impl Encode for NoticeCall {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::FundsLow(FundsLow { account, asset: _constant, available, left_ms }) => {
                out.number(1);
                account.encode(out);
                available.encode(out);
                left_ms.encode(out);
            }
            Self::Unknown => out.number(2),
            Self::FundsChanged => out.number(5),
            Self::TrialEnds(TrialEnds { left_ms, price, minimum_balance, pays }) => {
                out.number(4);
                left_ms.encode(out);
                price.encode(out);
                minimum_balance.encode(out);
                pays.encode(out);
            }
            Self::Payout(payout) => {
                out.number(3);
                payout.encode(out);
            }
        }
    }
}

impl Encode for PriceCall {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, row, price, fee_bps, from_ms } = self;
        lease.encode(out);
        row.encode(out);
        price.encode(out);
        fee_bps.encode(out);
        from_ms.encode(out);
    }
}

impl Encode for DialCall {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, side, peer, price, client_version, redial_ms } = self;
        lease.encode(out);
        side.encode(out);
        peer.encode(out);
        price.encode(out);
        out.text(client_version);
        redial_ms.encode(out);
    }
}

impl Encode for Side {
    fn encode(&self, out: &mut Encoder) {
        out.number(match self {
            Self::Client => 1,
            Self::Host => 2,
        });
    }
}

impl Encode for EvictReason {
    fn encode(&self, out: &mut Encoder) {
        out.number(match self {
            Self::Left => 1,
            Self::Disconnected => 2,
            Self::NoReports => 3,
            Self::NotConnected => 4,
            Self::Unsuitable => 5,
            Self::Drained => 6,
            Self::Price => 7,
            Self::Unpaired => 8,
            Self::NoFunds => 9,
            Self::TooLate => 10,
            Self::Unknown => 11,
            Self::NoPayer => 12,
            Self::Other => 13,
            Self::TrialOver => 14,
            Self::PayersFirst => 15,
            Self::PaymentChanged => 16,
            Self::Banned => 17,
        });
    }
}

impl Encode for PairFault {
    fn encode(&self, out: &mut Encoder) {
        out.number(match self {
            Self::Genesis => 1,
            Self::Network => 2,
            Self::Forks => 3,
            Self::EthVersion => 4,
            Self::LightSlots => 5,
            Self::Other => 6,
            Self::Loopback => 7,
        });
    }
}
