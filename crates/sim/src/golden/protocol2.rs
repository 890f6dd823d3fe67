//! Calls and answers of protocol 2.

use vipnode_types::protocol2::{
    Balance, Call, ClientReply, ClientRequest, HostReply, HostRequest, Kind, NodeInfo, PeerEntry, PeerReply,
    PeerRequest, Protocol2ConnectReply, Protocol2ConnectRequest, Protocol2Reply, Update, UpdateReply,
};

use super::{Encode, Encoder};

impl Encode for Call {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Connect(request) => {
                out.number(1);
                request.encode(out);
            }
            Self::Update(update) => {
                out.number(2);
                update.encode(out);
            }
            Self::Peer(request) => {
                out.number(3);
                request.encode(out);
            }
            Self::Host(request) => {
                out.number(4);
                request.encode(out);
            }
            Self::Client(request) => {
                out.number(5);
                request.encode(out);
            }
        }
    }
}

impl Encode for Protocol2Reply {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Connect(reply) => {
                out.number(1);
                reply.encode(out);
            }
            Self::Update(reply) => {
                out.number(2);
                reply.encode(out);
            }
            Self::Peer(reply) => {
                out.number(3);
                reply.encode(out);
            }
            Self::Host(reply) => {
                out.number(4);
                reply.encode(out);
            }
            Self::Client(reply) => {
                out.number(5);
                reply.encode(out);
            }
        }
    }
}

impl Encode for Kind {
    fn encode(&self, out: &mut Encoder) {
        out.number(match self {
            Self::Unknown => 0,
            Self::Geth => 1,
            Self::Parity => 2,
            Self::Pantheon => 3,
        });
    }
}

impl Encode for NodeInfo {
    fn encode(&self, out: &mut Encoder) {
        let Self { version, eth_protocol, kind, network, is_full_node } = self;
        out.text(version);
        out.text(eth_protocol);
        kind.encode(out);
        network.encode(out);
        is_full_node.encode(out);
    }
}

impl Encode for Protocol2ConnectRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self { vipnode_version: _release, node_info, node_uri, num_hosts, payout } = self;
        node_info.encode(out);
        out.text(node_uri);
        num_hosts.encode(out);
        out.text(payout);
    }
}

impl Encode for Protocol2ConnectReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { pool_version: _release, hosts, message: _prose } = self;
        hosts.encode(out);
    }
}

impl Encode for HostRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self { kind, payout, node_uri } = self;
        out.text(kind);
        out.text(payout);
        out.text(node_uri);
    }
}

impl Encode for HostReply {
    fn encode(&self, _: &mut Encoder) {
        let Self { pool_version: _release } = self;
    }
}

impl Encode for ClientRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self { kind, num_hosts } = self;
        out.text(kind);
        num_hosts.encode(out);
    }
}

impl Encode for ClientReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { hosts, pool_version: _release, message: _prose } = self;
        hosts.encode(out);
    }
}

impl Encode for Update {
    fn encode(&self, out: &mut Encoder) {
        let Self { peers, block_number } = self;
        peers.encode(out);
        block_number.encode(out);
    }
}

impl Encode for UpdateReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { balance, invalid_peers, active_peers, latest_block_number } = self;
        balance.encode(out);
        texts(invalid_peers, out);
        texts(active_peers, out);
        latest_block_number.encode(out);
    }
}

impl Encode for Balance {
    fn encode(&self, out: &mut Encoder) {
        let Self { account, deposit, credit, next_withdraw } = self;
        out.text(account);
        out.signed(*deposit);
        out.signed(*credit);
        out.text(next_withdraw);
    }
}

impl Encode for PeerRequest {
    fn encode(&self, out: &mut Encoder) {
        let Self { num, kind } = self;
        num.encode(out);
        out.text(kind);
    }
}

impl Encode for PeerReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { peers } = self;
        peers.encode(out);
    }
}

impl Encode for PeerEntry {
    fn encode(&self, out: &mut Encoder) {
        let Self { id, uri, last_seen, kind, is_host, payout, block_number, node_version, vipnode_version } = self;
        out.text(id);
        out.text(uri);
        out.text(last_seen);
        out.text(kind);
        is_host.encode(out);
        out.text(payout);
        block_number.encode(out);
        out.text(node_version);
        out.text(vipnode_version);
    }
}

fn texts(texts: &[String], out: &mut Encoder) {
    out.number(texts.len() as u64);
    for text in texts {
        out.text(text);
    }
}
