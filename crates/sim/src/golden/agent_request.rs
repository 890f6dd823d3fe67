//! What an agent's core asks of the pool.

use vipnode_agent_core::ToPool;
use vipnode_types::wire::{
    AskRequest, ClientCriteria, ConnectRequest, HostCapabilities, HostOffer, LeaveReason, LeaveRequest, ReportRequest,
    UpLease,
};

use super::{Encode, Encoder};

impl Encode for ToPool {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Connect(request) => {
                out.number(1);
                request.encode(out);
            }
            Self::Report(request) => {
                out.number(2);
                request.encode(out);
            }
            Self::Ask(request) => {
                out.number(3);
                request.encode(out);
            }
            Self::Leave(request) => {
                out.number(4);
                request.encode(out);
            }
            Self::Bye => out.number(5),
            Self::Funds => out.number(7),
            Self::Voucher { channel, chain_id, amount } => {
                out.number(8);
                channel.encode(out);
                chain_id.encode(out);
                amount.encode(out);
            }
            Self::Protocol2(call) => {
                out.number(6);
                call.encode(out);
            }
        }
    }
}

impl Encode for ConnectRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            protocol,
            agent_version: _release,
            client_version,
            capabilities,
            min_versions,
            chain,
            enode,
            host,
            client,
            join,
            allow_protocol2,
        } = self;
        protocol.encode(out);
        out.text(client_version);
        capabilities.encode(out);
        min_versions.encode(out);
        chain.encode(out);
        enode.encode(out);
        host.encode(out);
        client.encode(out);
        join.is_some().encode(out);
        allow_protocol2.encode(out);
    }
}

impl Encode for HostOffer {
    fn encode(&self, out: &mut Encoder) {
        let Self { slots, payout, no_trials } = self;
        slots.encode(out);
        payout.as_ref().map(|order| order.account).encode(out);
        // As on the wire, where it is left out if it is false.
        if *no_trials {
            no_trials.encode(out);
        }
    }
}

impl Encode for ClientCriteria {
    fn encode(&self, out: &mut Encoder) {
        let Self { max_price, required_capabilities, dials_late } = self;
        max_price.encode(out);
        required_capabilities.encode(out);
        // As on the wire, where it is left out if it is false.
        if *dials_late {
            dials_late.encode(out);
        }
    }
}

impl Encode for ReportRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self { seq, full, up, down, hash, host_capabilities, slots, light_slots_full, head } = self;
        seq.encode(out);
        full.encode(out);
        up.encode(out);
        down.encode(out);
        hash.encode(out);
        host_capabilities.encode(out);
        slots.encode(out);
        light_slots_full.encode(out);
        head.encode(out);
    }
}

impl Encode for UpLease {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, continuous } = self;
        lease.encode(out);
        continuous.encode(out);
    }
}

impl Encode for HostCapabilities {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, capabilities } = self;
        lease.encode(out);
        capabilities.encode(out);
    }
}

impl Encode for AskRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self { want, avoid } = self;
        want.encode(out);
        avoid.encode(out);
    }
}

impl Encode for LeaveRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self { leases, reason, fault } = self;
        leases.encode(out);
        reason.encode(out);
        fault.encode(out);
    }
}

impl Encode for LeaveReason {
    fn encode(&self, out: &mut Encoder) {
        out.number(match self {
            Self::NotConnected => 1,
            Self::Unstable => 2,
            Self::Rejected => 3,
            Self::Mismatch => 4,
            Self::Surplus => 5,
            Self::Price => 6,
            Self::Drained => 7,
            Self::Lost => 8,
        });
    }
}
