use vipnode_chain::{ChainLimits, Escrow, EvmNode, Token};
use vipnode_pool::{ChainConfig, PoolConfig};
use vipnode_types::{PaymentMode, payment::ChannelTerms};

use crate::{
    args::PoolChainArgs,
    error::{CliError, CommandError},
};

/// Chains for development, where a short delay harms nobody.
const DEVELOPMENT: [u64; 2] = [1_337, 31_337];
const FORTNIGHT_S: u64 = 14 * 24 * 60 * 60;

/// Reads the chain on which clients deposit, and sets what their channels must be. Does nothing unless they pay by x402.
///
/// # Errors
/// A flag is missing, or does not fit the chain.
pub(super) async fn set_deposits(config: &mut PoolConfig, args: &PoolChainArgs) -> Result<(), CliError> {
    if config.core.payment != PaymentMode::X402 {
        return Ok(());
    }
    let missing = |flag| CommandError::DepositFlag { flag };
    let url = args.rpc.clone().ok_or_else(|| missing("--chain.rpc URL"))?;
    let token = args.token.ok_or_else(|| missing("--chain.token ADDRESS"))?;
    let receiver = args.receiver.ok_or_else(|| missing("--chain.receiver ADDRESS"))?;
    let delay_s = args.withdraw_delay.as_secs();
    let withdraw_delay_s = u32::try_from(delay_s).unwrap_or(u32::MAX);
    ChannelTerms::check_delay(withdraw_delay_s)?;
    let node = EvmNode::open(&url, ChainLimits::default())?;
    let chain_id = Escrow::open(&node).await?.chain_id();
    if delay_s < FORTNIGHT_S && !DEVELOPMENT.contains(&chain_id) {
        return Err(CommandError::ShortDelay { chain_id }.into());
    }
    let asset = Token::open(&node, chain_id, token).await?.asset();
    let charged = config.core.price.asset();
    if asset != charged {
        return Err(CommandError::TokenAsset { token, asset, charged }.into());
    }
    let receiver_authorizer = args.claimer.unwrap_or(receiver);
    config.core.channel = Some(ChannelTerms { chain_id, token, receiver, receiver_authorizer, withdraw_delay_s });
    config.chain = Some(ChainConfig::new(url));
    Ok(())
}
