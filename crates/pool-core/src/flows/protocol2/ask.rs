use vipnode_types::{
    protocol2::{ClientReply, Kind, PeerEntry, PeerReply, PeerRequest, Protocol2Reply},
    wire::WireError,
};

use super::{super::POOL_VERSION, reply};
use crate::{
    ConnectionId, Core, RequestId, Signer,
    agents::node::Node,
    core_error::CoreError,
    matching::pending_asks::{AskForm, PendingAsk},
    output::Output,
};

impl Core {
    pub(super) fn peer2(
        &mut self,
        output: &mut Output,
        index: u32,
        at: (ConnectionId, RequestId),
        peer: &PeerRequest,
    ) -> Result<(), WireError> {
        let own = match self.agents.get(index).map(|node| node.credentials().signer) {
            // A light node can use only hosts of its own kind.
            Some(Signer::NodeKey { kind, full: false, .. }) => kind,
            _ => Kind::Unknown,
        };
        let kind = if own == Kind::Unknown { Kind::named(&peer.kind) } else { own };
        self.ask2(output, index, at, peer.num, kind, false)
    }

    /// Starts a request for `num` further hosts, all of them in one answer.
    pub(super) fn ask2(
        &mut self,
        output: &mut Output,
        index: u32,
        at: (ConnectionId, RequestId),
        num: i64,
        kind: Kind,
        older: bool,
    ) -> Result<(), WireError> {
        if num < 1 {
            return Err(CoreError::TooFew { num }.into());
        }
        self.becomes_client(output, index);
        let has = self.leases.client_count(index);
        let room = self.limits.leases_a_client.saturating_sub(has);
        let num = u32::try_from(num).unwrap_or(u32::MAX);
        let wanted = num.min(self.limits.max_request_hosts).min(room);
        let want = has.saturating_add(wanted);
        self.begin_ask(output, index, at, want, Box::default(), AskForm::Protocol2 { wanted, kind, older })?;
        Ok(())
    }

    /// Makes a full node that asks for hosts a client too.
    fn becomes_client(&mut self, output: &mut Output, index: u32) {
        if self.agents.get(index).is_none_or(Node::is_client) {
            return;
        }
        if self.agents.becomes_client(index) {
            self.persist_node(output, index);
        }
        let (matching, context) = self.matching();
        matching.refresh_connected(index, context);
    }

    /// Answers a request with the hosts that admitted the client. The pool finds no further ones later, because protocol
    /// 2 has no message for that.
    pub(crate) fn answer_protocol2(&mut self, output: &mut Output, client: u32, pending: &PendingAsk, older: bool) {
        self.matching.set_want(client, 0, Box::default());
        let peers = pending.got.iter().filter_map(|leased| {
            let host = self.agents.find(&leased.host.id)?;
            let node = self.agents.get(host)?;
            Some(PeerEntry::host(&leased.host, self.agents.kind(host), node.seen(), node.head()))
        });
        let peers: Vec<PeerEntry> = peers.collect();
        let answer = if older {
            let pool_version = POOL_VERSION.to_owned();
            Protocol2Reply::Client(ClientReply { hosts: peers, pool_version, message: String::new() })
        } else {
            Protocol2Reply::Peer(PeerReply { peers })
        };
        output.reply_durably(pending.connection, pending.request, reply(answer));
    }
}
