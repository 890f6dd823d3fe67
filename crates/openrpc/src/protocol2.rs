//! The methods of the original's protocol 2.

use super::{
    examples::{self, LIGHT, NOW},
    row::{Row, Signing, Way},
};
use vipnode_types::{
    protocol2::{
        AccountReply, Balance, ClientReply, ClientRequest, ConnectReply, ConnectRequest, HostReply, HostRequest, Kind,
        NodeInfo, PeerEntry, PeerReply, PeerRequest, UpdateReply, UpdateRequest, method,
    },
    wire::{Done, ErrorCode},
};

/// Codes of our own are told as the original's general one.
const CODES: &[ErrorCode] = &[ErrorCode::InvalidParams, ErrorCode::Server];
const SIGNED: &str = "What is signed is the method and `[id,nonce,argument]` behind it, byte by byte as sent.";

fn pool_version() -> String {
    "vipnode/0.1.0".to_owned()
}

fn peers() -> Vec<PeerEntry> {
    vec![PeerEntry::host(&examples::host_enode(), Kind::Geth, NOW, 23_900_000)]
}

pub(super) fn connect() -> Row {
    let request = ConnectRequest {
        vipnode_version: "vipnode/2.3".to_owned(),
        node_info: NodeInfo {
            version: LIGHT.to_owned(),
            eth_protocol: String::new(),
            kind: Kind::Geth,
            network: 1,
            is_full_node: false,
        },
        ..ConnectRequest::default()
    };
    let reply = ConnectReply { pool_version: pool_version(), ..ConnectReply::default() };
    let text = format!("An agent of the original presents its node. {SIGNED}");
    Row::new::<ConnectReply>(method::CONNECT, Way::OriginalToPool, "Here I am", text, ("welcome", "The welcome"))
        .takes::<ConnectRequest>("hello", "The agent and its node")
        .signed(Signing::Node)
        .fails(CODES)
        .example("a light client", examples::by_node(method::CONNECT, &request), &reply)
}

pub(super) fn update() -> Row {
    let text = format!(
        "All peers of the node, and a sign of life; due each minute. Only those that the pool gave or had admitted \
         count. {SIGNED} The first example was recorded from the original: its signature is the one that its code makes."
    );
    let reply = UpdateReply {
        active_peers: vec![examples::host_enode().to_string()],
        latest_block_number: 23_900_000,
        ..UpdateReply::default()
    };
    let ours = UpdateRequest::of([examples::host()], 23_900_000);
    Row::new::<UpdateReply>(method::UPDATE, Way::OriginalToPool, "What I see", text, ("news", "What it hears"))
        .takes::<UpdateRequest>("update", "The peers of the node, and its newest block")
        .signed(Signing::Node)
        .fails(CODES)
        .example("signed by the original", examples::of_the_original(), &UpdateReply::default())
        .example("one host is connected", examples::by_node(method::UPDATE, &ours), &reply)
}

pub(super) fn peer() -> Row {
    let text = format!("An agent wants peers; each that it is given has let it in. {SIGNED}");
    let request = PeerRequest { num: 1, kind: String::new() };
    Row::new::<PeerReply>(method::PEER, Way::OriginalToPool, "Give me peers", text, ("given", "Who let the node in"))
        .takes::<PeerRequest>("wish", "How many, of which client")
        .signed(Signing::Node)
        .fails(CODES)
        .example("one", examples::by_node(method::PEER, &request), &PeerReply { peers: peers() })
}

pub(super) fn host() -> Row {
    let text = format!("Older form: a host presents itself. {SIGNED}");
    let request =
        HostRequest { kind: "geth".to_owned(), payout: examples::account().to_string(), ..HostRequest::default() };
    let reply = HostReply { pool_version: pool_version() };
    Row::new::<HostReply>(method::HOST, Way::OriginalToPool, "Here is a host", text, ("welcome", "The welcome"))
        .takes::<HostRequest>("hello", "The host")
        .signed(Signing::Node)
        .fails(CODES)
        .example("a geth", examples::by_node(method::HOST, &request), &reply)
}

pub(super) fn client() -> Row {
    let text = format!("Older form: a client presents itself and wants hosts. {SIGNED}");
    let request = ClientRequest { kind: "geth".to_owned(), num_hosts: 1 };
    let reply = ClientReply { hosts: peers(), pool_version: pool_version(), message: String::new() };
    Row::new::<ClientReply>(method::CLIENT, Way::OriginalToPool, "Here is a client", text, ("welcome", "The welcome"))
        .takes::<ClientRequest>("hello", "The client, and how many hosts it wants")
        .signed(Signing::Node)
        .fails(CODES)
        .example("one host", examples::by_node(method::CLIENT, &request), &reply)
}

pub(super) fn account() -> Row {
    let text = "What a wallet has. Nothing is collected in this version, and nothing private is told.";
    let balance = Balance {
        account: examples::account().to_string(),
        next_withdraw: "0001-01-01T00:00:00Z".to_owned(),
        ..Balance::default()
    };
    let reply = AccountReply { node_short_ids: Vec::new(), balance };
    Row::new::<AccountReply>(
        method::ACCOUNT,
        Way::PageToPool,
        "What has this wallet?",
        text,
        ("account", "What it has"),
    )
    .takes::<vipnode_types::Account>("wallet", "Its address")
    .fails(CODES)
    .example("nothing", examples::bare(&examples::account()), &reply)
}

pub(super) fn add_node() -> Row {
    let text = "A wallet claims a node. Always refused: the node has to name the wallet, by `--payout` of its agent.";
    Row::new::<()>(method::ADD_NODE, Way::PageToPool, "This node is mine", text, ("nothing", "Never given"))
        .takes::<vipnode_types::NodeId>("node", "The node")
        .signed(Signing::Wallet)
        .fails(CODES)
}

pub(super) fn withdraw() -> Row {
    let text = "A wallet wants to be paid. Always refused: nothing is collected in this version.";
    Row::new::<()>(method::WITHDRAW, Way::PageToPool, "Pay me", text, ("nothing", "Never given"))
        .signed(Signing::Wallet)
        .fails(CODES)
}

pub(super) fn whitelist() -> Row {
    let text = "A host is to trust a node. Our agent takes it from a pool of the original (`--protocol 2`) as the \
                beginning of a lease.";
    Row::new::<Done>(method::WHITELIST, Way::OriginalToAgent, "Let this node in", text, ("done", "The node was told"))
        .takes::<vipnode_types::NodeId>("node", "Who")
        .fails(&[ErrorCode::MethodNotFound, ErrorCode::InvalidParams, ErrorCode::Refused, ErrorCode::Busy])
        .example("Ben's node", examples::bare(&examples::client()), &Done {})
}
