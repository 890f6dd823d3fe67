use serde_json::Value;
use vipnode_types::{
    Account,
    payment::contracts::{ERC3009_COLLECTOR, ESCROW, PERMIT2, PERMIT2_COLLECTOR},
};

/// A contract that stands in for one of the standard, and the address where others expect it.
///
/// It is written from the specification (`contracts/README.md`) and needs no constructor, so its code can be put there.
#[derive(Debug, Clone, Copy)]
pub struct ContractDouble {
    /// The address of the contract that it stands in for.
    pub address: Account,
    /// What `contracts/build` wrote: its ABI and its code.
    artifact: &'static str,
}

/// The address of a token like USDC, with ERC-3009. Anyone can mint it.
pub const TEST_TOKEN: Account = Account::new([0x70; 20]);

impl ContractDouble {
    /// The escrow, its collectors, Permit2, and [`TEST_TOKEN`].
    pub const ALL: [Self; 5] = [
        Self::new(ESCROW, include_str!("../../../../contracts/artifacts/TestEscrow.json")),
        Self::new(ERC3009_COLLECTOR, include_str!("../../../../contracts/artifacts/TestErc3009Collector.json")),
        Self::new(PERMIT2_COLLECTOR, include_str!("../../../../contracts/artifacts/TestPermit2Collector.json")),
        Self::new(PERMIT2, include_str!("../../../../contracts/artifacts/TestPermit2.json")),
        Self::new(TEST_TOKEN, include_str!("../../../../contracts/artifacts/TestToken.json")),
    ];

    const fn new(address: Account, artifact: &'static str) -> Self {
        Self { address, artifact }
    }

    /// The code that stands at its address, in hex. A test checks that each artifact has it.
    #[must_use]
    pub fn code(&self) -> String {
        let artifact: Value = serde_json::from_str(self.artifact).unwrap_or_default();
        let code = artifact.get("runtime").and_then(Value::as_str).unwrap_or_default();
        format!("0x{}", code.trim_start_matches("0x"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_artifact_has_code() {
        for double in ContractDouble::ALL {
            let code = const_hex::decode(double.code()).unwrap();
            assert!(code.len() > 500, "{}: {} bytes", double.address, code.len());
        }
    }
}
