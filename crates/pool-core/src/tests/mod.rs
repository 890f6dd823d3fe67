//! The core as a program that runs it sees it: commands in, effects out.

mod admin;
mod connect;
mod explain;
mod fail_static;
mod flow;
mod hostile_hosts;
mod limits;
mod matching;
mod merged_rows;
mod metering;
mod offers;
mod pool;
mod protocol2;
mod proven;
mod random;
mod reports;
mod scenario;
mod set_limits;
mod sizes;
mod slots;
mod strangers;
mod suitability;
mod unpaired;
mod witnesses;
