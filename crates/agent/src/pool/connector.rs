use std::fmt::Debug;

use futures_util::{FutureExt, future::BoxFuture};
use vipnode_rpc::{HttpRpc, OpenError, OpenSession, RpcClient, RpcLimits, Trust, http, open_ws};

use crate::{PoolAddress, limits::PoolLinkLimits};

/// Opens connections to a pool, one at a time.
pub trait Connector: Debug + Send + Sync + 'static {
    /// Opens one.
    fn open(&self) -> BoxFuture<'_, Result<PoolConnection, OpenError>>;
}

/// An open connection to a pool.
#[derive(Debug)]
pub enum PoolConnection {
    /// A socket, on which both sides call; its challenge is answered by the first call.
    Socket(Box<OpenSession>),
    /// HTTP, on which each call is signed and the pool cannot call.
    Http(HttpRpc),
}

impl PoolConnection {
    /// The client for calls on it.
    #[must_use]
    pub fn client(&self) -> RpcClient {
        match self {
            Self::Socket(opened) => RpcClient::Socket(opened.peer.clone()),
            Self::Http(http) => RpcClient::Http(http.clone()),
        }
    }
}

/// A [`Connector`] over the network.
#[derive(Debug)]
pub struct NetConnector {
    address: PoolAddress,
    limits: RpcLimits,
}

impl NetConnector {
    /// Connects to this pool with these trusted certificates and the default limits.
    #[must_use]
    pub fn new(address: PoolAddress, trust: Trust) -> Self {
        Self::with_limits(address, trust, &PoolLinkLimits::default())
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(address: PoolAddress, trust: Trust, limits: &PoolLinkLimits) -> Self {
        Self { address, limits: limits.rpc(trust) }
    }
}

impl Connector for NetConnector {
    fn open(&self) -> BoxFuture<'_, Result<PoolConnection, OpenError>> {
        let (url, limits) = (self.address.url(), &self.limits);
        if !self.address.calls_back() {
            return std::future::ready(http(url, limits).map(PoolConnection::Http)).boxed();
        }
        async move { open_ws(url, limits).await.map(|opened| PoolConnection::Socket(Box::new(opened))) }.boxed()
    }
}
