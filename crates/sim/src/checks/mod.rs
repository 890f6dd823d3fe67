//! The invariants of both cores, checked by code that shares only the meter's formula with them: based on the ground
//! truth of the nodes, on the messages, and on the bounds of the design as constants.
//!
//! Reads the scenario, the ground truth, and the rows; changes nothing and uses no randomness.

mod billing;
mod checker;
mod clock_map;
mod convergence;
pub mod durability;
mod expected_prices;
pub mod hostile;
mod journal;
mod journal_rows;
mod lease_prices;
pub mod ledger;
mod reported_connections;
mod reported_loss;
mod violation;

pub use billing::OVERBILLED_A_GAP_MS;
pub use checker::{
    Checker, FRAME_LATE_MS, LIVENESS_MS, LIVENESS2_MS, LOST_A_LEASE_MS, LOST_A_LEASE2_MS, REPLY_MS, STEADY_MS, STOP_MS,
};
pub use clock_map::ClockMap;
pub use convergence::{Participant, settled};
pub use expected_prices::{ExpectedPrices, ModeChange};
pub use journal_rows::JournalRows;
pub use lease_prices::LeasePrices;
pub use reported_connections::ReportedConnections;
pub use violation::{Promise, Violation};
