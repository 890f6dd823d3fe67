//! What users read when the pool says no: what happened, why, and how to fix it.

use vipnode_types::{
    ChainSpec,
    wire::{ErrorCode, ErrorData, WireError},
};

pub(crate) fn not_connected() -> WireError {
    WireError::new(
        ErrorCode::Unauthorized,
        "this connection did not present itself, or a newer one took its place",
        "call vipnode_connect first",
    )
}

pub(crate) fn old_delegation() -> WireError {
    WireError::new(
        ErrorCode::Unauthorized,
        "a newer delegation of this node is known, so this one no longer holds",
        "run vipnode link again on this machine",
    )
}

pub(crate) fn protocol(theirs: u32, ours: u32) -> WireError {
    WireError::new(
        ErrorCode::Unsuitable,
        format!("the agent speaks protocol {theirs}, this pool speaks {ours}"),
        "use the release of vipnode that the pool runs",
    )
}

pub(crate) fn foreign_enode() -> WireError {
    WireError::new(
        ErrorCode::Unsuitable,
        "the enode names another node than the one that signed",
        "check --enode and --nodekey: both must be of the same node",
    )
}

pub(crate) fn speaks_protocol3() -> WireError {
    WireError::new(
        ErrorCode::Unauthorized,
        "this node has come by protocol 3, and its owner has not allowed protocol 2 since",
        "run the agent with --allow-protocol-2 once, or stay with protocol 3",
    )
}

pub(crate) fn host_over_http() -> WireError {
    WireError::new(
        ErrorCode::Unsuitable,
        "a host cannot be called over HTTP",
        "connect by WebSocket: ws:// or wss:// in place of http:// or https://",
    )
}

pub(crate) fn network(network: i64) -> WireError {
    invalid(format!("{network} is no network id"), "node_info.network is net_version as a number, 1 for mainnet")
}

pub(crate) fn node_uri(error: &vipnode_types::EnodeError) -> WireError {
    invalid(format!("node_uri is no enode: {error}"), "give --enode as enode://<id>@<host>:<port>, or leave it out")
}

pub(crate) fn payout(error: &vipnode_types::AccountError) -> WireError {
    invalid(format!("payout: {error}"), "give --payout an address, or leave it out")
}

pub(crate) fn too_few(num: i64) -> WireError {
    invalid(format!("{num} peers were asked for"), "ask for at least 1 (num)")
}

fn invalid(why: String, hint: &str) -> WireError {
    WireError::new(ErrorCode::InvalidParams, why, hint)
}

pub(crate) fn no_client() -> WireError {
    WireError::new(
        ErrorCode::Unsuitable,
        "this agent did not connect as a client",
        "run vipnode client or vipnode agent",
    )
}

pub(crate) fn pool_full(nodes: u32, retry_ms: u64) -> WireError {
    WireError::busy(format!("this pool remembers at most {nodes} nodes and is full"), retry_ms)
}

pub(crate) fn chains_full(chain: &ChainSpec, retry_ms: u64) -> WireError {
    WireError::busy(format!("this pool has no room for a further chain ({chain})"), retry_ms)
}

pub(crate) fn too_many_leases(limit: usize) -> WireError {
    WireError::new(
        ErrorCode::InvalidParams,
        format!("a message names at most {limit} leases here"),
        "update vipnode; if it is the newest, report this",
    )
}

pub(crate) fn offers_in_block(limit: u32, retry_ms: u64) -> WireError {
    WireError::busy(format!("{limit} places are offered to clients of your address block and not yet taken"), retry_ms)
}

pub(crate) fn unpaired(limit_ms: u64, renewed_ms: u64) -> WireError {
    WireError {
        code: ErrorCode::Unpaired as i32,
        message: format!(
            "hosts saw your node, or others of your address block, connected for more than {} s today while \
             its agent did not report it",
            limit_ms / 1000
        ),
        data: Some(ErrorData {
            hint: "keep the agent running for as long as the node has peers of the pool".to_owned(),
            retry_ms: Some(renewed_ms),
        }),
    }
}

pub(crate) const NO_ANSWER: &str = "no host answered in time; the pool goes on trying";
pub(crate) const NEWER_ASK: &str = "a newer request took the place of this one";
