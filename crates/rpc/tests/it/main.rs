//! Tests of the driver over real sockets and pipes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[cfg(unix)]
mod local;
mod sockets;
mod tls;
