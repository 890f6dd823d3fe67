use std::fmt::Debug;

use futures_util::{FutureExt, future::BoxFuture};
use vipnode_rpc::{HttpRpc, OpenError, Opened, RpcClient, RpcLimits, Trust, http, open_ws};

use crate::PoolAddress;

/// Opens connections to a pool, one at a time.
pub trait Door: Debug + Send + Sync + 'static {
    /// Opens one.
    fn open(&self) -> BoxFuture<'_, Result<Line, OpenError>>;
}

/// An open connection to a pool.
#[derive(Debug)]
pub enum Line {
    /// A socket, on which both sides call; its challenge is answered by the first call.
    Socket(Box<Opened>),
    /// HTTP, on which each call is signed and the pool cannot call.
    Http(HttpRpc),
}

impl Line {
    /// Who calls on it.
    #[must_use]
    pub fn client(&self) -> RpcClient {
        match self {
            Self::Socket(opened) => RpcClient::Socket(opened.peer.clone()),
            Self::Http(http) => RpcClient::Http(http.clone()),
        }
    }
}

/// A [`Door`] over the network.
#[derive(Debug)]
pub struct NetDoor {
    address: PoolAddress,
    limits: RpcLimits,
}

impl NetDoor {
    /// To this pool, trusting as said.
    #[must_use]
    pub fn new(address: PoolAddress, trust: Trust) -> Self {
        Self { address, limits: RpcLimits { trust, ..RpcLimits::default() } }
    }
}

impl Door for NetDoor {
    fn open(&self) -> BoxFuture<'_, Result<Line, OpenError>> {
        let (url, limits) = (self.address.url(), &self.limits);
        if !self.address.calls_back() {
            return std::future::ready(http(url, limits).map(Line::Http)).boxed();
        }
        async move { open_ws(url, limits).await.map(|opened| Line::Socket(Box::new(opened))) }.boxed()
    }
}
