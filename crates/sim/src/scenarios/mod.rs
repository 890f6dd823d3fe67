//! What a seed stands for: the agents, their nodes, the limits of the pool, and the kinds of faults.
//!
//! Draws from [`crate::SimRng`] alone. Nothing of a running simulation enters here.

mod scenario;

pub(crate) use scenario::capabilities;
pub use scenario::{AgentPlan, Fault, Scenario};
