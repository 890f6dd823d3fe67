use std::{sync::Arc, time::Instant};

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
            probes: Arc::new(Probes::new(&service.limits, Instant::now())),
            service,
            proxies,
            tls,
            tasks: TaskTracker::new(),
            stop,
        }
    }
}
