//! Outages of a real pool under load: kills of its process, and a full disk. Contains agents on real sockets that remember what
//! was acknowledged, and the comparison with the database afterward. May use `bench`, the pool, and tokio.
//! The simulated world does not belong here.

mod admin_operator;
mod agent_socket;
mod client;
mod client_accounts;
mod full_disk;
mod host;
mod kills;
mod known_orders;
mod known_state;
mod steady_agent;

pub(crate) use full_disk::{FullDiskArgs, full_disk};
pub(crate) use kills::{KillArgs, kills};
