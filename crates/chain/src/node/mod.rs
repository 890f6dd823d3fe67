//! Calls to an execution client: what it is asked, and what of its answers is believed.
//!
//! This module uses `abi` and `error`. Which contracts exist does not belong here.

mod block;
mod evm_log;
mod evm_nodes;
mod evm_receipt;
mod limits;
mod node_calls;
mod node_logs;
mod origin;
mod quorum;

pub use block::{BlockTag, EvmBlock};
pub use evm_log::EvmLog;
pub use evm_nodes::{EVM_NODES, EvmNodes};
pub use evm_receipt::EvmReceipt;
pub use limits::ChainLimits;
