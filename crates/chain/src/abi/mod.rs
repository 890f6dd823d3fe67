//! The part of the contract ABI that the escrow and tokens need: what a call contains, what it returns, and why it reverts.
//!
//! This module uses only `types`. Which contract is called does not belong here.

mod abi_value;
mod contract_call;
mod returned;
mod revert_reason;

pub use abi_value::AbiValue;
pub use contract_call::ContractCall;
pub(crate) use returned::Returned;
pub use revert_reason::RevertReason;
