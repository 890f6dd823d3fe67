//! What an agent's core has the user know: which notice it is and what it counts or names, without its prose.

use vipnode_agent_core::{ConnectFailure, EvictionCause, Notice};
use vipnode_types::wire::NoticeCall;

use super::{Encode, Encoder};

impl Encode for Notice {
    fn encode(&self, out: &mut Encoder) {
        out.number(number(self));
        match self {
            Self::Connected { .. }
            | Self::PoolRefused(_)
            | Self::PriceChanged { .. }
            | Self::PriceAboveMaximum { .. }
            | Self::PoolDisconnected { .. }
            | Self::PoolUnreachable { .. }
            | Self::PoolUntrusted { .. }
            | Self::OtherChains { .. }
            | Self::OtherPayout { .. }
            | Self::PayoutChanges { .. }
            | Self::PayoutKept { .. }
            | Self::PayoutChanged { .. }
            | Self::PriceAnnounced { .. }
            | Self::PriceWithdrawn { .. }
            | Self::Displaced { .. }
            | Self::FundsLow { .. }
            | Self::TrialBegins { .. }
            | Self::TrialEnds { .. }
            | Self::LeaseUnpaid { .. }
            | Self::NoPayout { .. }
            | Self::CannotPay { .. }
            | Self::SpendLimit { .. }
            | Self::PriceKept { .. }
            | Self::Behind { .. }
            | Self::CaughtUp { .. }
            | Self::Balance { .. } => encode_pool(self, out),
            Self::NodeDisconnected { why: _ } | Self::NodeReconnected => {}
            Self::HostAssigned { lease, host } | Self::HostSlow { lease, host, .. } => (*lease, *host).encode(out),
            Self::HostLost { lease, host, reason } => {
                (*lease, *host).encode(out);
                if let Some(reason) = reason {
                    reason.encode(out);
                }
            }
            Self::HostConnected { lease, host, after_ms } => {
                (*lease, *host).encode(out);
                after_ms.unwrap_or_default().encode(out);
            }
            Self::HostNotConnected { lease, host: peer, version, cause }
            | Self::ClientNotConnected { lease, client: peer, version, cause } => {
                lease.encode(out);
                peer.encode(out);
                out.text(version);
                cause.encode(out);
            }
            Self::UnleasedPeerDisconnected { peer } | Self::PrivateAddress { host: peer, at: _ } => peer.encode(out),
            Self::LastListKept { leases } => leases.encode(out),
            Self::ClientReturned { client, disconnected } => {
                client.encode(out);
                disconnected.encode(out);
            }
            Self::DirectRefused { .. }
            | Self::Unsuitable { .. }
            | Self::NameUnresolved { .. }
            | Self::HostsMissing { .. }
            | Self::ClientAdmitted { .. }
            | Self::ClientConnected { .. }
            | Self::ClientEvicted { .. }
            | Self::Offering { .. } => encode_role(self, out),
            Self::OwnPeersFalling { now, reserve } => (*now, *reserve).encode(out),
        }
    }
}

/// Of the agent as a host or a client.
fn encode_role(notice: &Notice, out: &mut Encoder) {
    match notice {
        Notice::DirectRefused { side, peer, why: _ } | Notice::Unsuitable { side, peer, why: _ } => {
            (*side, *peer).encode(out);
        }
        Notice::NameUnresolved { name, why: _prose } => out.text(name),
        Notice::HostsMissing { missing, why: _prose, late, retry_ms: _ } => {
            missing.encode(out);
            late.encode(out);
        }
        Notice::ClientAdmitted { lease, client } | Notice::ClientConnected { lease, client } => {
            (*lease, *client).encode(out);
        }
        Notice::ClientEvicted { lease, client, cause } => {
            (*lease, *client).encode(out);
            cause.encode(out);
        }
        Notice::Offering { slots, why } => {
            slots.encode(out);
            why.is_some().encode(out);
        }
        _ => {}
    }
}

/// Of the pool itself.
fn encode_pool(notice: &Notice, out: &mut Encoder) {
    match notice {
        Notice::Connected { welcome: _prose, price, pool_id: _role } => price.encode(out),
        Notice::PoolRefused(error) => error.encode(out),
        Notice::PriceChanged { old, new } | Notice::PriceWithdrawn { announced: old, price: new, fees_bps: _ } => {
            old.encode(out);
            new.encode(out);
        }
        Notice::PriceAboveMaximum { price, most: _prose } => price.encode(out),
        // Prose of the user's settings.
        Notice::CannotPay { why: _ } | Notice::SpendLimit { max_spend: _ } => {}
        Notice::NoPayout { price } | Notice::PriceKept { price } => price.encode(out),
        Notice::FundsLow { payment: _constant, low } => NoticeCall::FundsLow(*low).encode(out),
        Notice::LeaseUnpaid { payment: _constant, lease, host, account, trial } => {
            (*lease, *host).encode(out);
            account.encode(out);
            // Written only for a trial, as most leases are not.
            if *trial {
                trial.encode(out);
            }
        }
        Notice::TrialBegins { left_ms, price } => {
            left_ms.encode(out);
            price.encode(out);
        }
        Notice::TrialEnds { payment: _constant, ends } => NoticeCall::TrialEnds(*ends).encode(out),
        Notice::Behind { blocks, latest } => {
            blocks.encode(out);
            latest.encode(out);
        }
        Notice::CaughtUp { latest } => latest.encode(out),
        Notice::Balance { credit_wei, deposit_wei } => {
            out.signed(*credit_wei);
            out.signed(*deposit_wei);
        }
        _ => {}
    }
}

const fn number(notice: &Notice) -> u64 {
    match notice {
        Notice::Connected { .. } => 1,
        Notice::PoolDisconnected { .. } | Notice::PoolUnreachable { .. } => 2,
        Notice::PoolRefused(_) => 3,
        Notice::NodeDisconnected { .. } => 4,
        Notice::NodeReconnected => 5,
        Notice::HostAssigned { .. } => 6,
        Notice::HostConnected { .. } => 7,
        Notice::HostNotConnected { .. } => 8,
        Notice::ClientNotConnected { .. } => 9,
        Notice::HostLost { .. } => 10,
        Notice::UnleasedPeerDisconnected { .. } => 11,
        Notice::LastListKept { .. } => 12,
        Notice::DirectRefused { .. } => 13,
        Notice::NameUnresolved { .. } => 14,
        Notice::Unsuitable { .. } => 15,
        Notice::HostsMissing { .. } => 16,
        Notice::ClientAdmitted { .. } => 17,
        Notice::ClientConnected { .. } => 18,
        Notice::ClientEvicted { .. } => 19,
        Notice::Behind { .. } => 20,
        Notice::CaughtUp { .. } => 21,
        Notice::Balance { .. } => 22,
        Notice::Offering { .. } => 23,
        Notice::OwnPeersFalling { .. } => 24,
        Notice::PoolUntrusted { .. } => 25,
        Notice::PrivateAddress { .. } => 26,
        Notice::HostSlow { .. } => 27,
        Notice::Displaced { .. } => 28,
        Notice::ClientReturned { .. } => 29,
        Notice::PriceChanged { .. } => 30,
        Notice::PriceAboveMaximum { .. } => 31,
        Notice::OtherChains { .. } => 32,
        Notice::FundsLow { .. } => 34,
        Notice::LeaseUnpaid { .. } => 35,
        Notice::NoPayout { .. } => 36,
        Notice::PriceKept { .. } => 37,
        Notice::CannotPay { .. } => 60,
        Notice::SpendLimit { .. } => 61,
        Notice::OtherPayout { .. } => 33,
        Notice::PayoutChanges { .. } => 38,
        Notice::PriceAnnounced { .. } => 39,
        Notice::PriceWithdrawn { .. } => 40,
        Notice::TrialEnds { .. } => 41,
        Notice::TrialBegins { .. } => 44,
        Notice::PayoutKept { .. } => 42,
        Notice::PayoutChanged { .. } => 43,
    }
}

impl Encode for ConnectFailure {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Genesis => out.number(1),
            Self::Network => out.number(2),
            Self::Forks => out.number(3),
            Self::EthVersion => out.number(4),
            Self::NoLightSlot => out.number(5),
            Self::NoCommonProtocol => out.number(6),
            Self::NoDialSlot { dialed } => {
                out.number(7);
                dialed.encode(out);
            }
            Self::NeverConnected => out.number(8),
            Self::Loopback => out.number(9),
        }
    }
}

impl Encode for EvictionCause {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Ended(reason) => {
                out.number(1);
                reason.encode(out);
            }
            Self::Stopping => out.number(2),
            Self::Unreported => out.number(3),
        }
    }
}
