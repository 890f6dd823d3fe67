//! Power cuts of a real database. Contains what is written, what of it is on the disk at any moment, and the comparison of what is
//! left with what was acknowledged. May use the store, and what a simulated pool wrote. What a pool
//! does after a crash does not belong here.

mod batches;
mod database_content;
mod disk_change;
mod power_cuts;
mod recorded_database;
mod recording_vfs;

pub use power_cuts::{PowerCuts, power_cuts};
