//! What an agent's core asks of the pool.

use vipnode_agent_core::ToPool;
use vipnode_types::wire::{
    AskRequest, ClientWish, ConnectRequest, HostOffer, LeaveReason, LeaveRequest, ReportRequest, SeenHost, UpLease,
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
            serves,
            min_versions,
            chain,
            enode,
            host,
            client,
            join,
            protocol2,
        } = self;
        protocol.encode(out);
        out.text(client_version);
        serves.encode(out);
        min_versions.encode(out);
        chain.encode(out);
        enode.encode(out);
        host.encode(out);
        client.encode(out);
        join.is_some().encode(out);
        protocol2.encode(out);
    }
}

impl Encode for HostOffer {
    fn encode(&self, out: &mut Encoder) {
        let Self { slots, payout } = self;
        slots.encode(out);
        payout.encode(out);
    }
}

impl Encode for ClientWish {
    fn encode(&self, out: &mut Encoder) {
        let Self { max_price, need } = self;
        max_price.encode(out);
        need.encode(out);
    }
}

impl Encode for ReportRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self { seq, full, up, down, hash, seen, slots, light_full, head } = self;
        seq.encode(out);
        full.encode(out);
        up.encode(out);
        down.encode(out);
        hash.encode(out);
        seen.encode(out);
        slots.encode(out);
        light_full.encode(out);
        head.encode(out);
    }
}

impl Encode for UpLease {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, kept } = self;
        lease.encode(out);
        kept.encode(out);
    }
}

impl Encode for SeenHost {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, caps } = self;
        lease.encode(out);
        caps.encode(out);
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
            Self::NotAsSaid => 4,
            Self::Surplus => 5,
            Self::Price => 6,
            Self::Drained => 7,
            Self::Lost => 8,
        });
    }
}
