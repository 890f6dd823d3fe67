//! The pool role: sockets → the pool's core → effects.
//!
//! [`PoolServer::spawn`] starts everything, [`PoolServer::shutdown`] ends it in order.
//!
//! ```text
//! socket ─► parse ─► verify ─► permit ─► inbox ─► the core's thread ─► effects
//!   ▲                                              │  ▲                  │
//!   │                                         rows ▼  │ durable          │
//!   │                                      the store's thread            │
//!   └──────────────────── outbox (waits for "durable") ◄─────────────────┘
//! ```
//!
//! - `net`: the port, TLS, HTTP, WebSocket frames, proxies.
//! - `fairness`: how much of the pool each address block may use.
//! - `auth`: who may call and join.
//! - [`admin`]: what the operator may see and do while the pool runs.
//! - `methods`: from the bytes of a call to a command, and the answer back.
//! - `engine`: the threads of the core and the store, and the queues between them.
//!
//! Parsing and signature checks run on the sockets' own tasks, on all CPU cores, and keep the order of each socket. The
//! core's thread owns [`vipnode_pool_core::Core`] and the clock. If a commit fails or the core panics, the core is
//! discarded and restored from the store; pending requests are answered "busy". As long as the store cannot write, so
//! are all
//! others, and no connection is closed.
//!
//! Every limit of this crate is in [`PoolLimits`]; [`PoolConfig`] lists them together with the core's limits
//! ([`vipnode_types::LimitSettings`]).

pub mod admin;
mod auth;
mod call_refusal;
mod chain;
mod close_reason;
mod config;
mod data_dir;
mod engine;
mod fairness;
mod key_file;
mod limits;
mod local_addresses;
mod methods;
mod metrics;
mod net;
mod pool_probe;
mod refusal_count;
mod reload_changes;
mod restored_pool;
mod server;

pub use auth::{
    AllowedOrigin, AllowedOrigins, Ban, BanTarget, BanTargetError, MembersError, Membership, Network, NetworkError,
    OriginError, StatusAudience, StatusAudienceError, Welcome, WelcomeError,
};
pub use chain::ChainConfig;
pub use config::PoolConfig;
pub use data_dir::{DataDir, DataDirError, LostKey};
pub use engine::StartError;
pub use local_addresses::addresses_at;
pub use metrics::{PoolMetrics, PoolSummary};
#[cfg(feature = "acme")]
pub use net::tls::{AcmeConfig, LETS_ENCRYPT};
pub use net::{
    proxy_protocol::{ConnectionEnds, read_ends},
    tls::{CertificateFacts, PoolTls, RenewalResult, TlsError},
    trusted_proxies::{ProxyHeader, ProxyHeaderError, ProxyHeaderNameError, TrustedProxies},
};
pub use pool_probe::PoolProbe;
pub use refusal_count::RefusalCount;
pub use reload_changes::ReloadChanges;
pub use restored_pool::{RestoredKey, RestoredPool};
pub use server::{PoolError, PoolServer};
pub use vipnode_pool_core::PoolLimits;
pub use vipnode_store::{
    DatabaseCheck, DroppedPeers, FoldedDatabase, FormerDatabase, InterruptedPrune, LostEntries, PruneOrder, PrunePlan,
    PrunedDatabase, ReadLimits, RestoredDatabase, SqliteReader, SqliteStore, StoreError,
};

/// The error tables of this crate and of the store, for the book's errors page.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] = &[
    vipnode_types::ErrorTable { title: "Calls that a pool refuses", rows: call_refusal::CallRefusal::ROWS },
    vipnode_types::ErrorTable { title: "Connections that a pool closes", rows: close_reason::CloseReason::ROWS },
    vipnode_types::ErrorTable { title: "Pool health, `/health`", rows: engine::HealthError::ROWS },
    vipnode_types::ErrorTable { title: "Start and operation of a pool", rows: PoolError::ROWS },
    vipnode_types::ErrorTable { title: "Start of a pool from its store", rows: engine::StartError::ROWS },
    vipnode_types::ErrorTable { title: "Pool data directory, `--datadir`", rows: DataDirError::ROWS },
    vipnode_types::ErrorTable { title: "Bans and drains", rows: auth::BanError::ROWS },
    vipnode_types::ErrorTable { title: "Ban targets", rows: BanTargetError::ROWS },
    vipnode_types::ErrorTable { title: "Admin commands, `vipnode pool admin`", rows: admin::AdminError::ROWS },
    vipnode_types::ErrorTable { title: "Pool store", rows: vipnode_store::StoreError::ROWS },
    vipnode_types::ErrorTable { title: "Pool certificate", rows: TlsError::ROWS },
    vipnode_types::ErrorTable { title: "Members file, `--members`", rows: MembersError::ROWS },
    vipnode_types::ErrorTable { title: "Pool network, `--restrict-network`", rows: NetworkError::ROWS },
    vipnode_types::ErrorTable { title: "Web page origins", rows: OriginError::ROWS },
    vipnode_types::ErrorTable { title: "Welcome text, `--welcome`", rows: WelcomeError::ROWS },
    vipnode_types::ErrorTable { title: "Status audience, `--status`", rows: StatusAudienceError::ROWS },
    vipnode_types::ErrorTable { title: "Addresses in a proxy's header", rows: ProxyHeaderError::ROWS },
    vipnode_types::ErrorTable {
        title: "Names of a proxy's header, `--proxy-header`",
        rows: ProxyHeaderNameError::ROWS,
    },
];
