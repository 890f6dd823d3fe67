use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use vipnode_files::OpenDir;
use vipnode_types::{PoolKey, PoolKeyChanges, RpcUrl};

use crate::{
    AllowedOrigins, ChainConfig, Membership, Network, PoolLimits, PoolMetrics, PoolTls, StatusAudience, TrustedProxies,
    Welcome,
    admin::{admin_socket, socket_of},
    auth::{AccessRules, PoolIdentity},
};

/// The settings of a pool.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The address to listen on; port 0 means any free port.
    pub bind: SocketAddr,
    /// The URLs under which agents know the pool. A signature for another URL is refused (fault D12, docs/faults.md); the
    /// loopback addresses that the pool listens on are always accepted.
    pub public_urls: Vec<RpcUrl>,
    /// The pool's key, from a [`crate::DataDir`]. Without one, the pool has no id.
    pub key: Option<Arc<PoolKey>>,
    /// The newest changes of the key, which the pool sends to agents that remember an older one.
    pub key_changes: PoolKeyChanges,
    /// The data directory, where bans and drains are kept and the admin socket is.
    pub datadir: Option<OpenDir>,
    /// The user's state directory, where the admin socket of a pool without a data directory is. Without either, the
    /// pool has
    /// no admin socket.
    pub state_dir: Option<PathBuf>,
    /// The pool's certificate. Without one, the port accepts only plain HTTP and WebSocket; with one, only TLS.
    pub tls: Option<PoolTls>,
    /// The proxies in front of the pool, if any.
    pub proxies: TrustedProxies,
    /// Which nodes may join.
    pub members: Membership,
    /// The operator's message to each user.
    pub welcome: Option<Welcome>,
    /// The only network whose nodes may join; `None` means any network.
    pub network: Option<Network>,
    /// Who may see the status.
    pub status: StatusAudience,
    /// Which web pages may read the answers.
    pub origins: AllowedOrigins,
    /// The gateway's limits.
    pub limits: PoolLimits,
    /// The core's limits. `members` sets `closed`.
    pub core: vipnode_pool_core::Limits,
    /// The pool starts although the clock is far from the latest time in its store.
    pub accept_clock: bool,
    /// Where the chain is read on which clients deposit; needed if they pay with x402.
    pub chain: Option<ChainConfig>,
    /// The seed of the core's random choices; random except in tests.
    pub seed: [u8; 32],
    /// The metrics that `/metrics` serves.
    pub metrics: PoolMetrics,
}

impl PoolConfig {
    /// Returns what the pool presents to agents, if it has a key.
    pub(crate) fn identity(&self) -> Option<PoolIdentity> {
        self.key.clone().map(|key| PoolIdentity::new(key, &self.key_changes))
    }

    /// Returns the settings, apart from limits, that an operator may change while the pool runs.
    pub(crate) fn access_rules(&self) -> AccessRules {
        AccessRules {
            members: self.members.clone(),
            network: self.network,
            status: self.status,
            origins: self.origins.clone(),
            welcome: self.welcome.clone(),
        }
    }

    /// Returns the admin socket of a pool that listens on this address. Its path is absolute where it can be, because
    /// others read
    /// it in the kernel's list ([`crate::admin::running_data_dirs`]).
    pub(crate) fn admin_socket(&self, bound: SocketAddr) -> Option<PathBuf> {
        let of_user = || self.state_dir.as_deref().map(|state| socket_of(state, bound));
        let of_datadir = |path: &Path| admin_socket(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        self.datadir.as_ref().map(|dir| of_datadir(dir.path())).or_else(of_user)
    }

    /// Returns the settings of an open pool at an address, with defaults for everything else.
    ///
    /// # Errors
    /// The operating system provides no random bytes.
    pub fn new(bind: SocketAddr) -> Result<Self, std::io::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(std::io::Error::other)?;
        Ok(Self {
            bind,
            public_urls: Vec::new(),
            key: None,
            key_changes: PoolKeyChanges::default(),
            datadir: None,
            state_dir: None,
            tls: None,
            proxies: TrustedProxies::default(),
            members: Membership::Open,
            welcome: None,
            network: None,
            status: StatusAudience::default(),
            origins: AllowedOrigins::default(),
            limits: PoolLimits::default(),
            core: vipnode_pool_core::Limits::default(),
            accept_clock: false,
            chain: None,
            seed,
            metrics: PoolMetrics::default(),
        })
    }
}
