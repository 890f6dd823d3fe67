use super::{
    AbiWord, ChannelId, TypedData, TypedStruct, TypedValue,
    contracts::{ERC3009_COLLECTOR, PERMIT2, PERMIT2_COLLECTOR},
    typed_data::domain,
};
use crate::{Account, Amount, Hash256, id::Keccak256};

/// What the owner of a token signs so that anybody can deposit it into one channel of the escrow.
///
/// It names the channel, so that it cannot be used for another one, and it holds until a time, in Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepositAuthorization {
    /// `ReceiveWithAuthorization` of ERC-3009, for a token that supports it. It needs no transaction of the owner at all.
    Erc3009 {
        /// The token's own EIP-712 domain.
        token: TokenDomain,
        /// The owner of the tokens.
        from: Account,
        /// How much, in the token's smallest unit.
        amount: Amount,
        /// It is not valid at or before this time.
        valid_after_s: u64,
        /// It is not valid at or after this time.
        valid_before_s: u64,
        /// Makes the nonce unique; random.
        salt: Hash256,
        /// The channel that receives the deposit.
        channel: ChannelId,
    },
    /// `PermitWitnessTransferFrom` of Permit2, for any other token, after its owner approved Permit2 once.
    Permit2 {
        /// The address of the token's contract.
        token: Account,
        /// How much, in the token's smallest unit.
        amount: Amount,
        /// Not used before by this owner; random.
        nonce: u128,
        /// It is not valid after this time.
        deadline_s: u64,
        /// The channel that receives the deposit.
        channel: ChannelId,
    },
}

/// The EIP-712 domain of a token with ERC-3009.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDomain {
    /// Its name there, such as "USD Coin".
    pub name: String,
    /// Its version there, such as "2".
    pub version: String,
    /// The address of the token's contract.
    pub token: Account,
}

impl TokenDomain {
    /// Returns the domain separator on a chain, which tokens publish as `DOMAIN_SEPARATOR()`.
    #[must_use]
    pub fn separator(&self, chain_id: u64) -> Hash256 {
        Hash256(self.domain(chain_id).hash())
    }

    fn domain(&self, chain_id: u64) -> TypedStruct {
        domain(&self.name, Some(&self.version), chain_id, self.token)
    }
}

impl DepositAuthorization {
    /// Returns what the owner signs on a chain.
    #[must_use]
    pub fn typed_data(&self, chain_id: u64) -> TypedData {
        match self {
            Self::Erc3009 { token, from, amount, valid_after_s, valid_before_s, salt, channel } => {
                let message = TypedStruct::new("ReceiveWithAuthorization")
                    .with("from", TypedValue::Account(*from))
                    .with("to", TypedValue::Account(ERC3009_COLLECTOR))
                    .with("value", TypedValue::Uint(256, amount.get()))
                    .with("validAfter", TypedValue::Uint(256, (*valid_after_s).into()))
                    .with("validBefore", TypedValue::Uint(256, (*valid_before_s).into()))
                    .with("nonce", TypedValue::Bytes32(erc3009_nonce(*channel, *salt)));
                TypedData::new(token.domain(chain_id), message)
            }
            Self::Permit2 { token, amount, nonce, deadline_s, channel } => {
                let permitted = TypedStruct::new("TokenPermissions")
                    .with("token", TypedValue::Account(*token))
                    .with("amount", TypedValue::Uint(256, amount.get()));
                let witness = TypedStruct::new("DepositWitness").with("channelId", TypedValue::Bytes32(channel.hash()));
                let message = TypedStruct::new("PermitWitnessTransferFrom")
                    .with("permitted", TypedValue::Struct(permitted))
                    .with("spender", TypedValue::Account(PERMIT2_COLLECTOR))
                    .with("nonce", TypedValue::Uint(256, *nonce))
                    .with("deadline", TypedValue::Uint(256, (*deadline_s).into()))
                    .with("witness", TypedValue::Struct(witness));
                TypedData::new(domain("Permit2", None, chain_id, PERMIT2), message)
            }
        }
    }

    /// The collector that redeems it.
    #[must_use]
    pub const fn collector(&self) -> Account {
        match self {
            Self::Erc3009 { .. } => ERC3009_COLLECTOR,
            Self::Permit2 { .. } => PERMIT2_COLLECTOR,
        }
    }

    /// How much is deposited.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        match self {
            Self::Erc3009 { amount, .. } | Self::Permit2 { amount, .. } => *amount,
        }
    }
}

/// The nonce that the collector expects: it binds the authorization to the channel.
fn erc3009_nonce(channel: ChannelId, salt: Hash256) -> Hash256 {
    let mut hasher = Keccak256::default();
    hasher.update(AbiWord::from(channel.hash()).as_bytes());
    hasher.update(AbiWord::from(salt).as_bytes());
    Hash256(hasher.finish())
}
