//! What a seed determines: the agents, their nodes, the limits of the pool, and the kinds of faults.
//!
//! Uses only [`crate::SimRng`] for randomness. The state of a running simulation does not belong here.

mod agent_plan;
mod attacker;
mod credit_shape;
mod fault;
mod hostile_shape;
mod scenario;

pub use agent_plan::AgentPlan;
pub(crate) use attacker::client_of_known_hosts;
pub use attacker::{AttackerKind, AttackerPlan, Honesty};
pub use credit_shape::CreditShape;
pub use fault::FaultKind;
use hostile_shape::HostileShape;
pub use scenario::Scenario;
pub(crate) use scenario::capabilities;
pub(crate) use scenario::honest_chain;
