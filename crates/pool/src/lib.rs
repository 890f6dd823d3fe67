//! The pool role: sockets → the pool's mind → effects.
//!
//! [`PoolServer::spawn`] starts everything, [`PoolServer::shutdown`] ends it in order.
//!
//! ```text
//! socket ─► parse ─► verify ─► permit ─► inbox ─► the mind's thread ─► effects
//!   ▲                                              │  ▲                  │
//!   │                                         rows ▼  │ durable          │
//!   │                                      the store's thread            │
//!   └──────────────────── outbox (waits for "durable") ◄─────────────────┘
//! ```
//!
//! - Who may speak: `audience`, `call` (signatures), [`Membership`], `http_agents` (nonces).
//! - One socket: `listen`, `http`, `socket`, `rate`; all of them: `sockets`, `gateway`.
//! - Fairness among address blocks: `door` (places for sockets, `proxy`), `block`, `permits` (places before
//!   the mind), `turns` (signature checks).
//! - TLS before all of that, where the pool has a certificate: `tls`.
//! - The mind and the store: `inbox`, `mind`, `releases`, `store_thread`, `clock`.
//!
//! Parsing and signature checks run on the sockets' own tasks, on all cores, and keep the order of each
//! socket. The mind's thread owns [`vipnode_pool_core::Core`] and the clock. If a commit fails or the mind
//! panics, it is discarded and built again from the store; whoever waits is told "busy".
//!
//! Every limit is in [`PoolLimits`]; [`PoolConfig::limit_settings`] shows the mind's too.

mod agent_call;
mod audience;
mod block;
mod call;
mod clock;
mod config;
mod cors;
mod door;
mod errors;
mod frames;
mod gateway;
mod http;
mod http_agents;
mod http_call;
mod in_turn;
mod inbox;
mod limits;
mod listen;
mod membership;
mod metrics;
mod mind;
mod network;
mod open_files;
mod permits;
mod protocol2;
mod proxy;
mod rate;
mod reach;
mod releases;
mod route;
mod rules;
mod server;
mod socket;
mod sockets;
mod status_audience;
mod store_thread;
mod stretch;
mod tls;
mod turns;
mod welcome;

pub use config::PoolConfig;
pub use cors::{AllowedOrigin, AllowedOrigins, OriginError};
pub use limits::LimitSetting;
pub use membership::{MembersError, Membership};
pub use metrics::{PoolGlance, PoolMetrics};
pub use network::{Network, NetworkError};
pub use proxy::{ProxyHeader, ProxyHeaderError, TrustedProxies};
pub use server::{PoolError, PoolServer};
pub use status_audience::StatusAudience;
#[cfg(feature = "acme")]
pub use tls::{AcmeConfig, LETS_ENCRYPT};
pub use tls::{CertificateFacts, PoolTls, TlsError, TlsNews};
pub use vipnode_pool_core::PoolLimits;
pub use welcome::{Welcome, WelcomeError};
