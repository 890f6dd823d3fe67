//! Where the standard's contracts are, on each chain that has them: they were created with CREATE2, so that each address
//! commits to the contract's code.
//!
//! Source: `specs/schemes/batch-settlement/scheme_batch_settlement_evm.md` of x402-foundation/x402, version 1.0, and for
//! Permit2 the documentation of Uniswap. The tests compare them with the texts there, including their EIP-55 checksums.

use crate::Account;

/// The escrow that holds the deposits, `x402BatchSettlement`.
pub const ESCROW: Account = constant("4020074e9dF2ce1deE5A9C1b5c3f541D02a10003");

/// What takes a deposit that was signed for a token with ERC-3009, such as USDC.
pub const ERC3009_COLLECTOR: Account = constant("4020806089470a89826cB9fB1f4059150b550004");

/// What takes a deposit of any other token that was signed for [`PERMIT2`].
pub const PERMIT2_COLLECTOR: Account = constant("4020425FAf3B746C082C2f942b4E5159887B0005");

/// Permit2, which moves tokens by signatures once their owner approved it.
pub const PERMIT2: Account = constant("000000000022D473030F116dDEE9F6B43aC78BA3");

/// All of them. What is sent to one of them is lost.
pub const ALL: [Account; 4] = [ESCROW, ERC3009_COLLECTOR, PERMIT2_COLLECTOR, PERMIT2];

/// The name in the escrow's EIP-712 domain.
pub const ESCROW_NAME: &str = "x402 Batch Settlement";

/// The version in the escrow's EIP-712 domain.
pub const ESCROW_VERSION: &str = "1";

/// The shortest delay between the start of a withdrawal and its end that the escrow accepts, in seconds.
pub const LEAST_WITHDRAW_DELAY_S: u32 = 15 * 60;

/// The longest delay that the escrow accepts, in seconds.
pub const MOST_WITHDRAW_DELAY_S: u32 = 30 * 24 * 60 * 60;

/// Reads the 40 hex characters of a constant; the zero address if they are not that, which the tests would find.
const fn constant(hex: &str) -> Account {
    match const_hex::const_decode_to_array(hex.as_bytes()) {
        Ok(bytes) => Account::new(bytes),
        Err(_) => Account::new([0; 20]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_those_of_the_standard() {
        for (account, text) in [
            (ESCROW, "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003"),
            (ERC3009_COLLECTOR, "0x4020806089470a89826cB9fB1f4059150b550004"),
            (PERMIT2_COLLECTOR, "0x4020425FAf3B746C082C2f942b4E5159887B0005"),
            (PERMIT2, "0x000000000022D473030F116dDEE9F6B43aC78BA3"),
        ] {
            assert_eq!(account.to_string(), text);
            assert_eq!(text.parse(), Ok(account), "its checksum");
        }
    }
}
