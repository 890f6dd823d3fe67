//! The network side of the pool: the listening port, TLS, HTTP connections and their upgrade to WebSockets, proxies, CORS,
//! and the limit of open files.
//!
//! May call `fairness` (to admit a connection), `auth` (to check an origin), and `methods` (to answer a call). Rules
//! about who may join, and commands of the pool's core, do not belong here.

mod cors;
pub(crate) mod counted_stream;
pub(crate) mod fd_limit;
mod fragment_deadline;
pub(crate) mod http_connection;
mod http_post;
pub(crate) mod listener;
mod opener;
pub(crate) mod port;
mod probes;
pub(crate) mod proxy_protocol;
mod proxy_signs;
mod refused_connection;
pub(crate) mod tls;
pub(crate) mod trusted_proxies;
mod upgrade;
mod write_deadline;
