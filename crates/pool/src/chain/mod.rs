//! What the pool reads of the chain on which its clients deposit, and what it sends there. It may call `engine` and the crate
//! `chain`; which channel counts for how much, and what is claimed when, is decided in the core and not here.

mod chain_config;
mod chain_watcher;
mod claim_sender;
mod heads;
mod watch_queue;
mod watched_channel;

pub use chain_config::ChainConfig;
pub(crate) use chain_watcher::ChainWatcher;
