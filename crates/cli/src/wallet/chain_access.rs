use vipnode_chain::{ChainLimits, Escrow, EvmNode, Token};
use vipnode_types::Account;

use crate::{args::ChainArgs, error::CliError};

/// The node of the chain that a command uses.
#[derive(Debug, Clone)]
pub(crate) struct ChainAccess {
    node: EvmNode,
}

/// Wei of a gwei.
const GWEI: u128 = 1_000_000_000;

impl ChainAccess {
    /// # Errors
    /// The URL cannot be used.
    pub(crate) fn of(args: &ChainArgs) -> Result<Self, CliError> {
        let gas_price_wei = u128::from(args.max_gas_price) * GWEI;
        let limits = ChainLimits { gas_price_wei, trust: args.trust.trust()?, ..ChainLimits::default() };
        Ok(Self { node: EvmNode::open(&args.rpc, limits)? })
    }

    pub(crate) const fn node(&self) -> &EvmNode {
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
