//! Crashes of a real database: power cuts between its writes, and kills of a pool's process. Contains what is done, what
//! was acknowledged before, and the comparison. May use the store. The simulated world does not belong here.

mod batches;
mod power_cuts;

pub use power_cuts::{PowerCuts, power_cuts};
