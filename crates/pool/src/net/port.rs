use std::sync::Arc;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    PoolTls,
    fairness::ConnectionLimiter,
    methods::Service,
    net::{proxy::TrustedProxies, tls::Handshakes},
};

/// The pool's port: what its connections share.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) service: Arc<Service>,
    pub(crate) limiter: Arc<ConnectionLimiter>,
    pub(crate) proxies: TrustedProxies,
    /// Without a certificate the port speaks no TLS; with one it speaks nothing else.
    pub(crate) tls: Option<PoolTls>,
    pub(crate) handshakes: Arc<Handshakes>,
    /// Every task that serves a connection, so that the end of the pool waits for them.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the pool is to take no further connections.
    pub(crate) stop: CancellationToken,
}

impl Port {
    pub(crate) fn new(
        service: Arc<Service>,
        proxies: TrustedProxies,
        tls: Option<PoolTls>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            limiter: Arc::new(ConnectionLimiter::new(&service.limits)),
            handshakes: Arc::new(Handshakes::new(service.limits.tls_handshakes)),
            service,
            proxies,
            tls,
            tasks: TaskTracker::new(),
            stop,
        }
    }
}
