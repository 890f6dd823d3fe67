use vipnode_agent_core::{Action, ChangeKind, JournalEntry, NodeChange};
use vipnode_types::PeerCommand;

use super::{Encode, Encoder};

impl Encode for Action {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Journal(entry) => {
                out.number(1);
                entry.encode(out);
            }
            Self::Node { task, call } => {
                out.number(2);
                task.encode(out);
                call.encode(out);
            }
            Self::List { task } => {
                out.number(10);
                task.encode(out);
            }
            Self::Watch { for_ms } => {
                out.number(3);
                for_ms.encode(out);
            }
            Self::Resolve { name } => {
                out.number(4);
                out.text(name);
            }
            Self::Pool { tag, request } => {
                out.number(5);
                tag.encode(out);
                request.encode(out);
            }
            Self::Answer { tag, reply } => {
                out.number(6);
                tag.encode(out);
                reply.encode(out);
            }
            Self::Reconnect { after_ms } => {
                out.number(7);
                after_ms.encode(out);
            }
            Self::Notice(notice) => {
                out.number(8);
                notice.encode(out);
            }
            Self::KeepVouchers(record) => {
                out.number(12);
                out.bytes(&record.channel.hash().0);
                record.signed.encode(out);
            }
            Self::KeepPrice(price) => {
                out.number(11);
                price.encode(out);
            }
            Self::Stopped { error } => {
                out.number(9);
                error.encode(out);
            }
        }
    }
}

impl Encode for PeerCommand {
    fn encode(&self, out: &mut Encoder) {
        let (kind, enode) = match self {
            Self::Admit(enode) => (1, enode),
            Self::Dial(enode) => (2, enode),
            Self::Drop(enode) => (3, enode),
            Self::Evict(enode) => (4, enode),
            Self::Untrust(enode) => (5, enode),
        };
        out.number(kind);
        enode.encode(out);
    }
}

impl Encode for JournalEntry {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Done(change) => {
                out.number(1);
                change.encode(out);
            }
            Self::Undone { lease, kind } => {
                out.number(2);
                lease.encode(out);
                kind.encode(out);
            }
        }
    }
}

impl Encode for NodeChange {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, peer, kind } = self;
        lease.encode(out);
        peer.encode(out);
        kind.encode(out);
    }
}

impl Encode for ChangeKind {
    fn encode(&self, out: &mut Encoder) {
        out.number(match self {
            Self::Admitted => 1,
            Self::Dialed => 2,
            Self::Trusted => 3,
        });
    }
}
