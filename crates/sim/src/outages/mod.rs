//! Outages of a real pool under load: kills of its process. Contains agents on real sockets that remember what
//! was acknowledged, and the comparison with the database afterward. May use `bench`, the pool, and tokio.

mod agent_socket;
mod client;
mod host;
mod kills;
mod known_state;

pub(crate) use kills::{KillArgs, kills};
