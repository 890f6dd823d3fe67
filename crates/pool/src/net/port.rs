use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    PoolTls,
    fairness::ConnectionLimiter,
    methods::Service,
    net::{probes::Probes, tls::Handshakes, trusted_proxies::TrustedProxies},
};

/// The pool's port: the state that its connections share.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) service: Arc<Service>,
    pub(crate) limiter: Arc<ConnectionLimiter>,
    pub(crate) proxies: TrustedProxies,
    /// Connections for probes, beyond those that the limiter counts.
    pub(crate) probes: Arc<Probes>,
    warned_of_proxy: AtomicBool,
    /// The certificate. Without one, the port does not accept TLS; with one, it accepts only TLS.
    pub(crate) tls: Option<PoolTls>,
    pub(crate) handshakes: Arc<Handshakes>,
    /// The tasks that serve connections; the shutdown of the pool waits for them.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the pool stops accepting connections.
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
            probes: Arc::new(Probes::new(service.limits.probes)),
            warned_of_proxy: AtomicBool::new(false),
            service,
            proxies,
            tls,
            tasks: TaskTracker::new(),
            stop,
        }
    }

    /// Warns, once, about a proxy on this machine that passes requests on and that `--proxy` does not name.
    pub(crate) fn warn_of_unnamed_proxy(&self) {
        if !self.warned_of_proxy.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a proxy on this machine passes requests on, but the pool does not know it, so all its clients share one \
                 address, and the addresses that they claim for their nodes are not used; pass --proxy 127.0.0.1 and the \
                 header that the proxy sets (--proxy-header)"
            );
        }
    }
}
