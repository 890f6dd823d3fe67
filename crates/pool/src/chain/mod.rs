//! What the pool reads of the chain on which its clients deposit. Sends nothing there. It may call `engine` and the crate `chain`;
//! which channel counts for how much is decided in the core.

mod chain_config;
mod chain_watcher;
mod watched_channel;

pub use chain_config::ChainConfig;
pub(crate) use chain_watcher::ChainWatcher;
