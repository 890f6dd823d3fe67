//! Protocol 2, as the original vipnode speaks it: every call signed by the node's own key, params
//! by position.
//!
//! | method | from → to | arguments | answer |
//! |---|---|---|---|
//! | `vipnode_ping` | any → pool | none, unsigned | `"pong"` |
//! | [`method::CONNECT`] | agent → pool | [`ConnectRequest`] | [`ConnectReply`] |
//! | [`method::UPDATE`] | agent → pool | [`UpdateRequest`], read as [`Update`] | [`UpdateReply`] |
//! | [`method::PEER`] | agent → pool | [`PeerRequest`] | [`PeerReply`] |
//! | [`method::HOST`] | agent → pool | [`HostRequest`] | [`HostReply`] |
//! | [`method::CLIENT`] | agent → pool | [`ClientRequest`] | [`ClientReply`] |
//! | [`method::WHITELIST`] | pool → agent | a node id, unsigned | anything |
//! | [`method::ACCOUNT`] | page → pool | an address, unsigned | [`AccountReply`] |
//! | [`method::ADD_NODE`] | page → pool | a node id, signed by the wallet | |
//! | [`method::WITHDRAW`] | page → pool | none, signed by the wallet | |
//!
//! Signed params are `[signature, id, nonce, …arguments]` (see [`SignedCall`]). The forms are those of
//! github.com/vipnode/vipnode at 33ade7f: `pool/pool.go`, `pool/store/store.go`, `ethnode/rpc.go`,
//! `request/`.

mod go_json;
mod messages;
mod peers;
mod signature;
mod signed_call;
mod update;

pub use go_json::go_json;
pub use messages::{
    AccountReply, Balance, ClientReply, ClientRequest, ConnectReply, ConnectRequest, HostReply, HostRequest, Kind,
    NodeInfo, UpdateReply,
};
pub use peers::{PeerEntry, PeerReply, PeerRequest};
pub use signature::{SignatureError, sign_call, signed_params};
pub use signed_call::{FormError, SignedCall};
pub use update::{MAX_PEERS, PeerInfo, PeerNetwork, Update, UpdateRequest};

/// The names of the methods.
pub mod method {
    /// An agent presents itself.
    pub const CONNECT: &str = "vipnode_connect";
    /// What an agent's node sees, and a sign of life.
    pub const UPDATE: &str = "vipnode_update";
    /// An agent wants peers.
    pub const PEER: &str = "vipnode_peer";
    /// Older: a host presents itself.
    pub const HOST: &str = "vipnode_host";
    /// Older: a client presents itself and wants hosts.
    pub const CLIENT: &str = "vipnode_client";
    /// A host is to let a node in.
    pub const WHITELIST: &str = "vipnode_whitelist";
    /// What a wallet has.
    pub const ACCOUNT: &str = "pool_account";
    /// A wallet claims a node.
    pub const ADD_NODE: &str = "pool_addNode";
    /// A wallet wants to be paid.
    pub const WITHDRAW: &str = "pool_withdraw";
}

/// A call of an agent whose signature held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// [`method::CONNECT`].
    Connect(Box<ConnectRequest>),
    /// [`method::UPDATE`].
    Update(Update),
    /// [`method::PEER`].
    Peer(PeerRequest),
    /// [`method::HOST`].
    Host(HostRequest),
    /// [`method::CLIENT`].
    Client(ClientRequest),
}

/// The answer to a [`Call`], exactly as the original gives it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To [`Call::Connect`].
    Connect(ConnectReply),
    /// To [`Call::Update`].
    Update(UpdateReply),
    /// To [`Call::Peer`].
    Peer(PeerReply),
    /// To [`Call::Host`].
    Host(HostReply),
    /// To [`Call::Client`].
    Client(ClientReply),
}
