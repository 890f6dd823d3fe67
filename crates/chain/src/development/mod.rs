//! A development chain: the test doubles of the standard's contracts, and a token like USDC, put at their addresses.
//!
//! For the demo and for tests, on a node that lets its user write to the state (anvil). Uses the public functions of this
//! crate, as its users do, and one for methods of such a node. Nothing here may be used where tokens have a value.

mod contract_double;
mod development_chain;

pub use contract_double::{ContractDouble, TEST_TOKEN};
pub use development_chain::DevelopmentChain;
