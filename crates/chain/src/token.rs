//! A token (ERC-20): what it is, and what accounts have of it.

use vipnode_types::{
    Account, Amount, Asset, Hash256,
    payment::{TokenDomain, contracts::PERMIT2},
};

use crate::{
    abi::{ContractCall, Returned},
    error::ChainError,
    node::{BlockTag, EvmNodes},
};

/// A token on the chain of a node.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    node: &'a EvmNodes,
    chain_id: u64,
    address: Account,
    asset: Asset,
}

/// Bytes of a token's name that are kept; a longer one is not one of an EIP-712 domain.
const NAME_BYTES: usize = 256;

/// The versions of EIP-712 domains to try where a token does not state its own.
const USUAL_VERSIONS: [&str; 2] = ["1", "2"];

impl<'a> Token<'a> {
    /// Reads the token's symbol and number of decimals.
    ///
    /// # Errors
    /// [`ChainError::NoToken`], [`ChainError::Symbol`]; others of a node.
    pub async fn open(node: &'a EvmNodes, chain_id: u64, address: Account) -> Result<Self, ChainError> {
        let none = ChainError::NoToken { token: address, chain_id };
        let read = |signature: &'static str| {
            let call = ContractCall::new(address, signature, &[]);
            async move { node.call(&call, None, BlockTag::Latest).await }
        };
        let decimals = unless_reverted(read("decimals()").await)?;
        let decimals = decimals.and_then(|returned| Returned(&returned).word(0)?.as_u64()).ok_or(none.clone())?;
        let symbol = unless_reverted(read("symbol()").await)?.ok_or(none)?;
        let symbol = Returned(&symbol).text(0).or_else(|| Returned(&symbol).short_text());
        let decimals = u8::try_from(decimals).ok();
        let asset = symbol.zip(decimals).and_then(|(symbol, decimals)| Asset::new(&symbol, decimals).ok());
        let asset = asset.ok_or(ChainError::Symbol { token: address })?;
        Ok(Self { node, chain_id, address, asset })
    }

    /// The address of the token.
    #[must_use]
    pub const fn address(&self) -> Account {
        self.address
    }

    /// Its symbol and number of decimals. A symbol is not unique: only the address identifies a token.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        self.asset
    }

    /// Returns what an account has. More than 2^128 − 1 counts as that.
    ///
    /// # Errors
    /// See [`ChainError`]; so for all below.
    pub async fn balance(&self, account: Account) -> Result<Amount, ChainError> {
        self.amount(&ContractCall::new(self.address, "balanceOf(address)", &[account.into()])).await
    }

    /// Returns how much of it exists. More than 2^128 − 1 counts as that.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn supply(&self) -> Result<Amount, ChainError> {
        self.amount(&ContractCall::new(self.address, "totalSupply()", &[])).await
    }

    /// Returns how much Permit2 may take from an account.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn permit2_allowance(&self, owner: Account) -> Result<Amount, ChainError> {
        let arguments = [owner.into(), PERMIT2.into()];
        self.amount(&ContractCall::new(self.address, "allowance(address,address)", &arguments)).await
    }

    /// Returns the token's EIP-712 domain if it supports ERC-3009; `None` if it does not, or if its domain is not the usual
    /// one of a name and a version. It is compared with the separator that the token publishes.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn erc3009_domain(&self) -> Result<Option<TokenDomain>, ChainError> {
        // A token without ERC-3009 reverts here.
        let used = [self.address.into(), Hash256::ZERO.into()];
        let state = self.optional("authorizationState(address,bytes32)", &used).await?;
        let separator = self.optional("DOMAIN_SEPARATOR()", &[]).await?;
        let (Some(_), Some(separator), Some(name)) = (
            state.filter(|returned| returned.len() == 32),
            separator.and_then(|returned| Returned(&returned).word(0)),
            self.optional("name()", &[]).await?.and_then(|returned| Returned(&returned).text(0)),
        ) else {
            return Ok(None);
        };
        let version = self.optional("version()", &[]).await?.and_then(|returned| Returned(&returned).text(0));
        let versions = version.into_iter().chain(USUAL_VERSIONS.map(str::to_owned));
        let domains = versions.map(|version| TokenDomain { name: name.clone(), version, token: self.address });
        let is_it = |domain: &TokenDomain| {
            domain.name.len().max(domain.version.len()) <= NAME_BYTES
                && domain.separator(self.chain_id).as_slice() == separator.as_bytes()
        };
        Ok(domains.into_iter().find(is_it))
    }

    async fn optional(
        &self,
        signature: &'static str,
        arguments: &[crate::abi::AbiValue],
    ) -> Result<Option<Vec<u8>>, ChainError> {
        let call = ContractCall::new(self.address, signature, arguments);
        unless_reverted(self.node.call(&call, None, BlockTag::Latest).await)
    }

    async fn amount(&self, call: &ContractCall) -> Result<Amount, ChainError> {
        let returned = self.node.call(call, None, BlockTag::Latest).await?;
        let word = Returned(&returned).word(0);
        let word = word.ok_or(ChainError::Returned { contract: self.address, function: call.function })?;
        Ok(word.as_u128().map_or(Amount::MAX, Amount::new))
    }
}

/// What a contract returned; `None` if it does not have the function, or if the address has no code.
fn unless_reverted(returned: Result<Vec<u8>, ChainError>) -> Result<Option<Vec<u8>>, ChainError> {
    match returned {
        Ok(returned) => Ok((!returned.is_empty()).then_some(returned)),
        Err(ChainError::Reverted { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is called of a token.
pub mod calls {
    use vipnode_types::{Account, Amount, payment::contracts::PERMIT2};

    use crate::abi::{AbiValue, ContractCall};

    /// Transfers an amount of a token from the sender to an account.
    #[must_use]
    pub fn transfer(token: Account, to: Account, amount: Amount) -> ContractCall {
        ContractCall::new(token, "transfer(address,uint256)", &[to.into(), amount.into()])
    }

    /// Lets Permit2 take any amount of a token from the sender, upon the sender's signatures only.
    #[must_use]
    pub fn approve_permit2(token: Account) -> ContractCall {
        let unlimited = AbiValue::Word(vipnode_types::payment::AbiWord::new([0xff; 32]));
        ContractCall::new(token, "approve(address,uint256)", &[PERMIT2.into(), unlimited])
    }
}
