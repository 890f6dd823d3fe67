use vipnode_chain::{ChainLimits, Escrow, EvmNodes, Token};
use vipnode_types::Account;

use crate::{
    args::{ChainArgs, SendingArgs},
    error::CliError,
};

/// The node of the chain that a command uses.
#[derive(Debug, Clone)]
pub(crate) struct ChainAccess {
    node: EvmNodes,
}

/// Wei of a gwei.
const GWEI: u128 = 1_000_000_000;

impl ChainAccess {
    /// To read only.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub(crate) fn of(args: &ChainArgs) -> Result<Self, CliError> {
        Self::open(args, ChainLimits::default().gas_price_wei)
    }

    /// To send transactions too.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub(crate) fn to_send(args: &ChainArgs, sending: &SendingArgs) -> Result<Self, CliError> {
        Self::open(args, u128::from(sending.max_gas_price) * GWEI)
    }

    fn open(args: &ChainArgs, gas_price_wei: u128) -> Result<Self, CliError> {
        let limits = ChainLimits { gas_price_wei, trust: args.trust.trust()?, ..ChainLimits::default() };
        Ok(Self { node: EvmNodes::open(&args.rpc, limits)? })
    }

    pub(crate) const fn node(&self) -> &EvmNodes {
        &self.node
    }

    /// Checks that the chain has the escrow.
    ///
    /// # Errors
    /// It does not, or the node cannot be reached.
    pub(crate) async fn escrow(&self) -> Result<Escrow<'_>, CliError> {
        Ok(Escrow::open(&self.node).await?)
    }

    /// # Errors
    /// The address is not one of a token, or the node cannot be reached.
    pub(crate) async fn token(&self, chain_id: u64, token: Account) -> Result<Token<'_>, CliError> {
        Ok(Token::open(&self.node, chain_id, token).await?)
    }
}
