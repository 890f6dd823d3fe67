//! The network's side of the pool: the listening port, TLS, HTTP connections and their upgrade to WebSockets, proxies,
//! CORS and the limit of open files.
//!
//! It may call `fairness` (to admit a connection), `auth` (to judge a page) and `methods` (to have a call answered).
//! No rule about who may join and no command of the pool's core ever enters.

pub(crate) mod cors;
pub(crate) mod fd_limit;
pub(crate) mod http_connection;
pub(crate) mod listener;
pub(crate) mod port;
pub(crate) mod proxy;
pub(crate) mod tls;
mod upgrade;
