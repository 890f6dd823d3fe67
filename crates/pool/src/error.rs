//! Refusals of the pool that several methods share.

use std::fmt::Display;

use vipnode_types::wire::{ErrorCode, WireError};

pub(crate) fn not_authenticated() -> WireError {
    WireError::new(
        ErrorCode::Unauthorized,
        "nobody has said who is at the other end of this connection",
        "begin with a signed vipnode_connect",
    )
}

pub(crate) fn other_node() -> WireError {
    WireError::new(
        ErrorCode::Unauthorized,
        "this connection speaks for another node already",
        "open one connection for each node",
    )
}

pub(crate) fn unauthorized(why: &str, hint: &str) -> WireError {
    WireError::new(ErrorCode::Unauthorized, why, hint)
}

pub(crate) fn invalid_params(why: &impl Display) -> WireError {
    WireError::new(
        ErrorCode::InvalidParams,
        format!("the params are not what this method takes: {why}"),
        "write them as this method takes them; if a vipnode wrote them, update the older of agent and pool",
    )
}

pub(crate) fn unknown_method(method: &str) -> WireError {
    let shown: String = method.chars().filter(|c| !c.is_control()).take(64).collect();
    WireError::new(
        ErrorCode::MethodNotFound,
        format!("this pool has no method {shown}"),
        "look at how it is written; if a vipnode called it, update the older of agent and pool",
    )
}

pub(crate) fn too_fast(retry_ms: u64) -> WireError {
    WireError::busy("too many calls a second on this connection", retry_ms)
}

pub(crate) fn block_too_fast(retry_ms: u64) -> WireError {
    WireError::busy("too many calls a second of your address and its neighbours", retry_ms)
}

pub(crate) fn rebuilding(retry_ms: u64) -> WireError {
    WireError::busy("the pool is busy bringing its state back", retry_ms)
}

pub(crate) fn crowded(retry_ms: u64) -> WireError {
    WireError::busy("the pool has too much to do", retry_ms)
}

pub(crate) fn going_down(retry_ms: u64) -> WireError {
    WireError::busy("the pool is going down", retry_ms)
}
