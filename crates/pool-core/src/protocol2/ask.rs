use vipnode_types::{
    NodeId,
    protocol2::{ClientReply, Kind, PeerEntry, PeerReply, PeerRequest, Reply},
    wire::WireError,
};

use super::reply;
use crate::{
    ConnectionId, Core, RequestId, Signer, error,
    flows::ask::{AskForm, PendingAsk},
    flows::connect::POOL_VERSION,
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
        let own = match self.nodes.get(index).map(|node| node.credentials.signer) {
            // A light node can use hosts of its own kind only.
            Some(Signer::NodeKey { kind, full: false, .. }) => kind,
            _ => Kind::Unknown,
        };
        let kind = if own == Kind::Unknown { Kind::named(&peer.kind) } else { own };
        self.ask2(output, index, at, peer.num, kind, false)
    }

    /// Seeks `num` further hosts, all of them for one answer.
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
            return Err(error::too_few(num));
        }
        self.becomes_client(output, index);
        let Some(node) = self.nodes.get(index) else { return Err(error::not_connected()) };
        let room = self.limits.leases_a_client.saturating_sub(node.client_leases);
        let num = u32::try_from(num).unwrap_or(u32::MAX);
        let wanted = num.min(self.limits.max_request_hosts).min(room);
        let want = node.client_leases.saturating_add(wanted);
        self.begin_ask(output, index, at, want, Box::default(), AskForm::Protocol2 { wanted, kind, older })?;
        Ok(())
    }

    /// A full node that asks is a client too from now on.
    fn becomes_client(&mut self, output: &mut Output, index: u32) {
        let Some(node) = self.nodes.get_mut(index).filter(|node| !node.consuming) else { return };
        node.consuming = true;
        if !node.ever_client {
            node.ever_client = true;
            self.roles.clients = self.roles.clients.saturating_add(1);
            self.persist_node(output, index);
        }
        self.refresh_connected(index);
    }

    /// Answers a request with the hosts that said yes. It is not topped up: nobody could tell it.
    pub(crate) fn answer_protocol2(&mut self, output: &mut Output, client: u32, pending: &PendingAsk, older: bool) {
        if let Some(node) = self.nodes.get_mut(client) {
            node.want = 0;
        }
        let peers = pending.got.iter().filter_map(|grant| {
            let host = self.nodes.find(&grant.host.id)?;
            let node = self.nodes.get(host)?;
            Some(PeerEntry::host(&grant.host, self.kind_of(host), node.seen, node.head))
        });
        let peers: Vec<PeerEntry> = peers.collect();
        let answer = if older {
            let pool_version = POOL_VERSION.to_owned();
            Reply::Client(ClientReply { hosts: peers, pool_version, message: String::new() })
        } else {
            Reply::Peer(PeerReply { peers })
        };
        output.reply_durably(pending.peer, pending.request, reply(answer));
        self.refresh_waiting(client);
    }

    /// Which execution client a node is, as far as it said.
    pub(crate) fn kind_of(&self, index: u32) -> Kind {
        let Some(node) = self.nodes.get(index) else { return Kind::Unknown };
        if let Signer::NodeKey { kind, .. } = node.credentials.signer {
            return kind;
        }
        let version = self.versions.get(node.client_version);
        version.map_or(Kind::Unknown, |version| Kind::of_client(version))
    }

    /// The id of a node.
    pub(super) fn id_of(&self, index: u32) -> Option<NodeId> {
        self.nodes.get(index).map(|node| node.id)
    }
}
