//! Protocol 2, as the original vipnode speaks it: every call signed by the node's own key, params
//! by position.
//!
//! | method | from → to | arguments | answer |
//! |---|---|---|---|
//! | `vipnode_ping` | any → pool | none, unsigned | `"pong"` |
//! | [`method::CONNECT`] | agent → pool | [`Protocol2ConnectRequest`] | [`Protocol2ConnectReply`] |
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
//!
//! This module uses only IDs and times from the rest of the crate. What an answer means for a lease does not belong here.

mod go_json;
mod messages;
mod peers;
mod signed_call;
mod update;

pub use go_json::go_json;
pub use messages::{
    AccountReply, Balance, ClientReply, ClientRequest, HostReply, HostRequest, Kind, NodeInfo, Protocol2ConnectReply,
    Protocol2ConnectRequest, UpdateReply,
};
pub use peers::{PeerEntry, PeerReply, PeerRequest};
pub use signed_call::{FormError, SignatureError, SignedCall, sign_call, signed_params};
pub use update::{MAX_PEERS, PeerInfo, PeerNetwork, Update, UpdateRequest};

/// The names of the methods.
pub mod method {
    /// Connects an agent.
    pub const CONNECT: &str = "vipnode_connect";
    /// Reports the peers of an agent's node and shows that the agent is running.
    pub const UPDATE: &str = "vipnode_update";
    /// Requests peers.
    pub const PEER: &str = "vipnode_peer";
    /// Older form: connects a host.
    pub const HOST: &str = "vipnode_host";
    /// Older form: connects a client and requests hosts.
    pub const CLIENT: &str = "vipnode_client";
    /// Asks a host to trust a node.
    pub const WHITELIST: &str = "vipnode_whitelist";
    /// Returns the account of a wallet.
    pub const ACCOUNT: &str = "pool_account";
    /// Claims a node for a wallet; always refused.
    pub const ADD_NODE: &str = "pool_addNode";
    /// Requests a payout to a wallet; always refused.
    pub const WITHDRAW: &str = "pool_withdraw";
}

/// A call of an agent with a valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// [`method::CONNECT`].
    Connect(Box<Protocol2ConnectRequest>),
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
pub enum Protocol2Reply {
    /// To [`Call::Connect`].
    Connect(Protocol2ConnectReply),
    /// To [`Call::Update`].
    Update(UpdateReply),
    /// To [`Call::Peer`].
    Peer(PeerReply),
    /// To [`Call::Host`].
    Host(HostReply),
    /// To [`Call::Client`].
    Client(ClientReply),
}
