use vipnode_pool_core::{Effect, PoolCall, Reply, SendWhen};

use super::{Encode, Encoder};

impl Encode for Effect {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Persist(rows) => {
                out.number(1);
                rows.encode(out);
            }
            Self::Reply { connection, request, reply, when: release } => {
                out.number(2);
                connection.encode(out);
                request.encode(out);
                reply.encode(out);
                release.encode(out);
            }
            Self::Call { connection, call, message, answer_ms, when: release } => {
                out.number(3);
                connection.encode(out);
                call.encode(out);
                message.encode(out);
                answer_ms.encode(out);
                release.encode(out);
            }
            Self::Close { connection, reason: _prose, when } => {
                out.number(4);
                connection.encode(out);
                when.encode(out);
            }
            Self::Chain(request) => request.encode(out),
        }
    }
}

impl Encode for SendWhen {
    fn encode(&self, out: &mut Encoder) {
        out.number(match self {
            Self::Now => 1,
            Self::AfterCommit => 2,
        });
    }
}

impl Encode for Reply {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Connect(reply) => {
                out.number(1);
                reply.encode(out);
            }
            Self::Report(reply) => {
                out.number(2);
                reply.encode(out);
            }
            Self::Ask(reply) => {
                out.number(3);
                reply.encode(out);
            }
            Self::Explain(reply) => {
                out.number(4);
                reply.encode(out);
            }
            Self::Done(reply) => {
                out.number(5);
                reply.encode(out);
            }
            Self::Status(reply) => {
                out.number(6);
                reply.encode(out);
            }
            Self::Protocol2(reply) => {
                out.number(7);
                reply.encode(out);
            }
            Self::Checked(supply) => {
                out.number(8);
                supply.reason.is_some().encode(out);
            }
            Self::Ledger(reply) => {
                out.number(9);
                reply.encode(out);
            }
            Self::Account(view) => {
                out.number(10);
                view.encode(out);
            }
            Self::Funds(funds) => {
                out.number(11);
                funds.encode(out);
            }
            Self::Payout(payout) => {
                out.number(12);
                payout.encode(out);
            }
            Self::Voucher(funds) => {
                out.number(14);
                funds.encode(out);
            }
            Self::Pricing(row) => {
                out.number(13);
                row.encode(out);
            }
            Self::Linked(reply) => {
                out.number(14);
                reply.encode(out);
            }
            Self::Epoch(view) => (15_u64, Box::new(view.row.clone())).encode(out),
        }
    }
}

impl Encode for PoolCall {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Admit(call) => {
                out.number(1);
                call.encode(out);
            }
            Self::Evict(call) => {
                out.number(2);
                call.encode(out);
            }
            Self::Dial(call) => {
                out.number(3);
                call.encode(out);
            }
            Self::Whitelist(client) => {
                out.number(4);
                client.encode(out);
            }
            Self::Notice(call) => {
                out.number(5);
                call.encode(out);
            }
            Self::Price(call) => {
                out.number(6);
                call.encode(out);
            }
        }
    }
}
