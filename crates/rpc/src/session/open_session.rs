use std::{net::IpAddr, sync::Arc};

use tokio::sync::{mpsc, watch};

use super::shared::Shared;
use crate::{Incoming, RpcHandle, SessionEnd};

/// An open socket.
#[derive(Debug)]
pub struct OpenSession {
    /// To call the other side.
    pub peer: RpcHandle,
    /// Requests and notifications of the other side. A pure caller may drop it: requests are then answered with "method
    /// not found" and notifications are dropped.
    pub incoming: mpsc::Receiver<Incoming>,
    /// The value of the header `vipnode-challenge` in the 101 response of a WebSocket.
    pub challenge: Option<String>,
    /// What else the 101 response of a pool's WebSocket contains.
    pub pool_headers: PoolHeaders,
    /// The address that the socket is connected to; `None` if the transport has none.
    pub remote: Option<IpAddr>,
    /// Reports when the socket is gone.
    pub closed: Closed,
    /// The newest round trip of a ping, in microseconds; 0 before the first.
    pub rtt_us: watch::Receiver<u32>,
}

/// The headers of a 101 response in which a pool presents its ID, as received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolHeaders {
    /// The value of [`vipnode_types::wire::POOL_ID_HEADER`].
    pub id: Option<String>,
    /// The value of [`vipnode_types::wire::POOL_PROOF_HEADER`].
    pub proof: Option<String>,
    /// The value of [`vipnode_types::wire::POOL_CHANGES_HEADER`].
    pub changes: Option<String>,
}

/// Reports when a socket is gone, and why. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Closed(pub(crate) Arc<Shared>);

impl Closed {
    /// Waits until the socket is gone; returns why.
    pub async fn wait(&self) -> SessionEnd {
        self.0.until_gone().await
    }

    /// Whether it is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_gone()
    }
}
