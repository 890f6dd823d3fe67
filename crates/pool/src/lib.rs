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
//! - `fairness`: what each address block may use of the pool.
//! - `auth`: who may speak and join.
//! - `methods`: from a call's bytes to a command, and the answer back.
//! - `engine`: the threads of the core and the store, and what joins them.
//!
//! Parsing and signature checks run on the sockets' own tasks, on all cores, and keep the order of each
//! socket. the core's thread owns [`vipnode_pool_core::Core`] and the clock. If a commit fails or the core
//! panics, it is discarded and built again from the store; requests that wait are answered "busy".
//!
//! Every limit is in [`PoolLimits`]; [`PoolConfig::limit_settings`] shows the core's too.

mod auth;
mod close_reason;
mod config;
mod engine;
mod error;
mod fairness;
mod limits;
mod methods;
mod metrics;
mod net;
mod server;

pub use auth::{
    AllowedOrigin, AllowedOrigins, MembersError, Membership, Network, NetworkError, OriginError, StatusAudience,
    Welcome, WelcomeError,
};
pub use config::PoolConfig;
pub use limits::LimitSetting;
pub use metrics::{PoolGlance, PoolMetrics};
#[cfg(feature = "acme")]
pub use net::tls::{AcmeConfig, LETS_ENCRYPT};
pub use net::{
    proxy::{ProxyHeader, ProxyHeaderError, ProxyHeaderNameError, TrustedProxies},
    tls::{CertificateFacts, PoolTls, TlsError, TlsNews},
};
pub use server::{PoolError, PoolServer};
pub use vipnode_pool_core::PoolLimits;

/// The errors of the pool that are declared in tables, for a page of all errors.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] = &[
    vipnode_types::ErrorTable { title: "Calls that a pool refuses", rows: error::Refusal::ROWS },
    vipnode_types::ErrorTable { title: "Connections that a pool closes", rows: close_reason::CloseReason::ROWS },
    vipnode_types::ErrorTable { title: "A pool that is not healthy, `/health`", rows: engine::HealthError::ROWS },
];
