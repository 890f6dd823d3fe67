//! The promises that both cores are held to, checked by code that shares nothing with them but the formula of the
//! meter: from the ground truth of the nodes, from messages, and from the bounds of the design as constants.
//!
//! Reads the scenario, the ground truth and rows; changes nothing and draws no randomness.

mod checker;
mod convergence;
pub mod durability;
pub mod hostile;
mod journal;
mod violation;

pub use checker::{
    Checker, FRAME_LATE_MS, LIVENESS_MS, LIVENESS2_MS, LOST_A_LEASE_MS, OVERBILLED_A_GAP_MS, REPLY_MS, STEADY_MS,
    STOP_MS,
};
pub use convergence::{Participant, settled};
pub use violation::{Promise, Violation};
