use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{Incoming, RpcPeer};

/// An open socket.
#[derive(Debug)]
pub struct Opened {
    /// To call the other side.
    pub peer: RpcPeer,
    /// What the other side asks. Who is only a caller may drop it: requests are then answered with
    /// "method not found" and notifications are dropped.
    pub incoming: mpsc::Receiver<Incoming>,
    /// The value of the header `vipnode-challenge` in the 101 response of a WebSocket.
    pub challenge: Option<String>,
    /// Tells when the socket is gone.
    pub closed: Closed,
    /// The newest round trip of a ping, in microseconds; 0 before the first.
    pub rtt_us: watch::Receiver<u32>,
}

/// Tells when a socket is gone, and why. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Closed(pub(crate) Arc<Shared>);

/// What a driver and its handles share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) close: CancellationToken,
    pub(crate) close_reason: OnceLock<String>,
    pub(crate) closed: CancellationToken,
    pub(crate) closed_reason: OnceLock<String>,
    pub(crate) dropped: AtomicU64,
}

impl Closed {
    /// Waits until the socket is gone; returns the reason.
    pub async fn wait(&self) -> String {
        self.0.closed.cancelled().await;
        self.0.why()
    }

    /// Whether it is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.is_cancelled()
    }
}

impl Shared {
    pub(crate) fn why(&self) -> String {
        self.closed_reason.get().cloned().unwrap_or_else(|| "the connection is closed".to_owned())
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn set_dropped(&self, dropped: u64) {
        self.dropped.store(dropped, Ordering::Relaxed);
    }
}
