use std::net::SocketAddr;

use crate::{
    AllowedOrigins, Membership, Network, PoolLimits, PoolMetrics, PoolTls, StatusAudience, TrustedProxies, Welcome,
    auth::AccessRules,
};

/// The settings of a pool.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The URLs under which agents know it. A signature made for another URL is refused (D12); the
    /// loopback addresses that it is bound to count always.
    pub public_urls: Vec<String>,
    /// Its certificate. Without one the port speaks plain HTTP and WebSocket, with one TLS only.
    pub tls: Option<PoolTls>,
    /// The proxies before it, if any.
    pub proxies: TrustedProxies,
    /// Who may join.
    pub members: Membership,
    /// The operator's message to each user.
    pub welcome: Option<Welcome>,
    /// The one network whose nodes are taken; any where there is none.
    pub network: Option<Network>,
    /// Who may see the status.
    pub status: StatusAudience,
    /// Which web pages may read the answers.
    pub origins: AllowedOrigins,
    /// The gateway's limits.
    pub limits: PoolLimits,
    /// The core's limits. `closed` is set by `members`.
    pub core: vipnode_pool_core::Limits,
    /// Seed of the core's own choices; random but in tests.
    pub seed: [u8; 32],
    /// The metrics that `/metrics` shows.
    pub metrics: PoolMetrics,
}

impl PoolConfig {
    /// What of it an operator may change while the pool runs, but the limits.
    pub(crate) fn access_rules(&self) -> AccessRules {
        AccessRules {
            members: self.members.clone(),
            network: self.network,
            status: self.status,
            origins: self.origins.clone(),
            welcome: self.welcome.clone(),
        }
    }

    /// An open pool at an address, everything else at its default.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new(bind: SocketAddr) -> Result<Self, std::io::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(std::io::Error::other)?;
        Ok(Self {
            bind,
            public_urls: Vec::new(),
            tls: None,
            proxies: TrustedProxies::default(),
            members: Membership::Open,
            welcome: None,
            network: None,
            status: StatusAudience::default(),
            origins: AllowedOrigins::default(),
            limits: PoolLimits::default(),
            core: vipnode_pool_core::Limits::default(),
            seed,
            metrics: PoolMetrics::default(),
        })
    }
}
