//! The methods of the original's protocol 2.

use super::{
    examples::{self, LIGHT, NOW},
    method_row::{CallDirection, MethodRow, Signing},
};
use vipnode_types::{
    protocol2::{
        AccountReply, Balance, ClientReply, ClientRequest, HostReply, HostRequest, Kind, NodeInfo, PeerEntry,
        PeerReply, PeerRequest, Protocol2ConnectReply, Protocol2ConnectRequest, UpdateReply, UpdateRequest, method,
    },
    wire::{Done, ErrorCode},
};

/// Our own codes are sent as the original's general one.
const CODES: &[ErrorCode] = &[ErrorCode::InvalidParams, ErrorCode::Server];
const SIGNED: &str = "The signature covers the method name followed by `[id,nonce,argument]`, byte for byte as sent.";

fn pool_version() -> String {
    "vipnode/0.1.0".to_owned()
}

fn peers() -> Vec<PeerEntry> {
    vec![PeerEntry::host(&examples::host_enode(), Kind::Geth, NOW, 23_900_000)]
}

pub(super) fn connect() -> MethodRow {
    let request = Protocol2ConnectRequest {
        vipnode_version: "vipnode/2.3".to_owned(),
        node_info: NodeInfo {
            version: LIGHT.to_owned(),
            eth_protocol: String::new(),
            kind: Kind::Geth,
            network: 1,
            is_full_node: false,
        },
        ..Protocol2ConnectRequest::default()
    };
    let reply = Protocol2ConnectReply { pool_version: pool_version(), ..Protocol2ConnectReply::default() };
    let text = format!("Connects an original vipnode agent and describes its node. {SIGNED}");
    MethodRow::new::<Protocol2ConnectReply>(
        method::CONNECT,
        CallDirection::OriginalToPool,
        "Connect an agent to the pool",
        text,
        ("welcome", "The welcome"),
    )
    .takes::<Protocol2ConnectRequest>("hello", "The agent and its node")
    .signed(Signing::Node)
    .fails(CODES)
    .example("a light client", examples::by_node(method::CONNECT, &request), &reply)
}

pub(super) fn update() -> MethodRow {
    let text = format!(
        "Reports peers of the node and shows that the agent is running. An update is due every minute. Original vipnode agents \
         report all peers; this version's agent reports only leased peers. The pool counts only peers that it \
         assigned to the node or asked the node to admit. {SIGNED} The first example was recorded from the \
         original, and its signature was made by the original's code."
    );
    let reply = UpdateReply {
        active_peers: vec![examples::host_enode().to_string()],
        latest_block_number: 23_900_000,
        ..UpdateReply::default()
    };
    let ours = UpdateRequest::of([examples::host()], 23_900_000);
    MethodRow::new::<UpdateReply>(
        method::UPDATE,
        CallDirection::OriginalToPool,
        "Report peers",
        text,
        ("result", "The pool's response"),
    )
    .takes::<UpdateRequest>("update", "The peers of the node, and its newest block")
    .signed(Signing::Node)
    .fails(CODES)
    .example("signed by the original", examples::of_the_original(), &UpdateReply::default())
    .example("one host is connected", examples::by_node(method::UPDATE, &ours), &reply)
}

pub(super) fn peer() -> MethodRow {
    let text = format!("Each peer in the result has already admitted the node. {SIGNED}");
    let request = PeerRequest { num: 1, kind: String::new() };
    MethodRow::new::<PeerReply>(
        method::PEER,
        CallDirection::OriginalToPool,
        "Request peers",
        text,
        ("peers", "The peers that admitted the node"),
    )
    .takes::<PeerRequest>("request", "The number of peers and the execution client")
    .signed(Signing::Node)
    .fails(CODES)
    .example("one peer", examples::by_node(method::PEER, &request), &PeerReply { peers: peers() })
}

pub(super) fn host() -> MethodRow {
    let text = format!("Older form of `vipnode_connect` for a host. {SIGNED}");
    let request =
        HostRequest { kind: "geth".to_owned(), payout: examples::account().to_string(), ..HostRequest::default() };
    let reply = HostReply { pool_version: pool_version() };
    MethodRow::new::<HostReply>(
        method::HOST,
        CallDirection::OriginalToPool,
        "Connect a host (older form)",
        text,
        ("welcome", "The welcome"),
    )
    .takes::<HostRequest>("hello", "The host")
    .signed(Signing::Node)
    .fails(CODES)
    .example("a geth host", examples::by_node(method::HOST, &request), &reply)
}

pub(super) fn client() -> MethodRow {
    let text = format!("Older form of `vipnode_connect` for a client, which also requests hosts. {SIGNED}");
    let request = ClientRequest { kind: "geth".to_owned(), num_hosts: 1 };
    let reply = ClientReply { hosts: peers(), pool_version: pool_version(), message: String::new() };
    MethodRow::new::<ClientReply>(
        method::CLIENT,
        CallDirection::OriginalToPool,
        "Connect a client (older form)",
        text,
        ("welcome", "The welcome"),
    )
    .takes::<ClientRequest>("hello", "The client, and how many hosts it wants")
    .signed(Signing::Node)
    .fails(CODES)
    .example("one host", examples::by_node(method::CLIENT, &request), &reply)
}

pub(super) fn account() -> MethodRow {
    let text = "Returns an empty account: `vipnode_account` returns the balances, but only to the holder of the \
                account's key.";
    let balance = Balance {
        account: examples::account().to_string(),
        next_withdraw: "0001-01-01T00:00:00Z".to_owned(),
        ..Balance::default()
    };
    let reply = AccountReply { node_short_ids: Vec::new(), balance };
    MethodRow::new::<AccountReply>(
        method::ACCOUNT,
        CallDirection::PageToPool,
        "Get the account of a wallet",
        text,
        ("account", "The account"),
    )
    .takes::<vipnode_types::Account>("wallet", "The wallet's address")
    .fails(CODES)
    .example("an account without a balance", examples::bare(&examples::account()), &reply)
}

pub(super) fn add_node() -> MethodRow {
    let text = "Claims a node for a wallet. Always refused, because the node has to consent, and protocol 2 has no \
                message for that: use `vipnode_link`.";
    MethodRow::new::<()>(
        method::ADD_NODE,
        CallDirection::PageToPool,
        "Claim a node",
        text,
        ("nothing", "Never returned"),
    )
    .takes::<vipnode_types::NodeId>("node", "The node")
    .signed(Signing::Wallet)
    .fails(CODES)
}

pub(super) fn withdraw() -> MethodRow {
    let text = "Requests a payout to a wallet. Always refused: on a pool that charges, the operator pays out what hosts \
                earned.";
    MethodRow::new::<()>(
        method::WITHDRAW,
        CallDirection::PageToPool,
        "Request a payout",
        text,
        ("nothing", "Never returned"),
    )
    .signed(Signing::Wallet)
    .fails(CODES)
}

pub(super) fn whitelist() -> MethodRow {
    let text = "Asks a host to trust a node. When an original pool calls it (`--protocol 2`), this version's agent \
                treats it as the start of a lease.";
    MethodRow::new::<Done>(
        method::WHITELIST,
        CallDirection::OriginalToAgent,
        "Trust a node",
        text,
        ("done", "The node has been updated"),
    )
    .takes::<vipnode_types::NodeId>("node", "The node")
    .fails(&[ErrorCode::MethodNotFound, ErrorCode::InvalidParams, ErrorCode::Refused, ErrorCode::Busy])
    .example("Ben's node", examples::bare(&examples::client()), &Done {})
}
