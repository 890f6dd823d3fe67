use std::{sync::Arc, time::Duration};

use vipnode_chain::{ChainLimits, Escrow, EvmNodes, GasFees, Token};
use vipnode_pool::{ChainConfig, PoolConfig};
use vipnode_pool_core::EpochTerms;
use vipnode_types::{AccountKey, Amount, Asset, PaymentMode, payment::ChannelTerms};

use crate::{
    account::keystore_key,
    args::PoolChainArgs,
    error::{CliError, CommandError},
    output::format::span,
};

/// Chains for development, where a short delay harms nobody.
const DEVELOPMENT: [u64; 2] = [1_337, 31_337];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const FORTNIGHT_S: u64 = 14 * 24 * 60 * 60;
/// What is left of the delay of a withdrawal after an epoch: the cut of a billing period takes up to a day, and the
/// pool claims two
/// days before a withdrawal can be completed.
const MARGIN: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// Wei of a gwei, in which limits are.
const WEI_A_GWEI: u128 = 1_000_000_000;
/// 10^18 wei: the chain's coin has 18 decimals, like ether.
const WEI_A_COIN: u128 = 1_000_000_000_000_000_000;
/// Gas of a transaction with the usual number of claims.
const USUAL_GAS: u128 = 850_000;

/// Reads the chain on which clients deposit, and sets what their channels must be. Does nothing unless they pay with
/// x402.
///
/// # Errors
/// A flag is missing, or does not fit the chain.
pub(super) async fn set_deposits(config: &mut PoolConfig, args: &PoolChainArgs) -> Result<(), CliError> {
    if config.core.payment != PaymentMode::X402 {
        return Ok(());
    }
    let missing = |flag| CommandError::DepositFlag { flag };
    if args.rpc.is_empty() {
        return Err(missing("--chain.rpc URL").into());
    }
    let token = args.token.ok_or_else(|| missing("--chain.token ADDRESS"))?;
    let receiver = args.receiver.ok_or_else(|| missing("--chain.receiver ADDRESS"))?;
    let delay_s = args.withdraw_delay.as_secs();
    let withdraw_delay_s = u32::try_from(delay_s).unwrap_or(u32::MAX);
    ChannelTerms::check_delay(withdraw_delay_s)?;
    let gas_price_wei = u128::from(config.core.gas_price_gwei).saturating_mul(WEI_A_GWEI);
    let limits = ChainLimits { gas_price_wei, ..ChainLimits::default() };
    let nodes = EvmNodes::open_all(&args.rpc, limits.clone())?;
    let chain_id = Escrow::open(&nodes).await?.chain_id();
    if delay_s < FORTNIGHT_S && !DEVELOPMENT.contains(&chain_id) {
        return Err(CommandError::ShortDelay { chain_id }.into());
    }
    let asset = Token::open(&nodes, chain_id, token).await?.asset();
    let charged = config.core.price.asset();
    if asset != charged {
        return Err(CommandError::TokenAsset { token, asset, charged }.into());
    }
    let receiver_authorizer = args.claimer.unwrap_or(receiver);
    let terms = ChannelTerms { chain_id, token, receiver, receiver_authorizer, withdraw_delay_s };
    let key = claimer_key(args, &terms)?;
    if let Some(key) = &key {
        config.core.epoch = Some(epoch_terms(args, &terms, asset)?);
        check_gas(&nodes, key).await?;
    }
    config.core.channel = Some(terms);
    config.chain = Some(ChainConfig { limits, key: key.map(Arc::new), ..ChainConfig::new(args.rpc.clone()) });
    Ok(())
}

/// The key with which the pool claims, if it has one.
fn claimer_key(args: &PoolChainArgs, terms: &ChannelTerms) -> Result<Option<AccountKey>, CliError> {
    let Some(path) = &args.keystore else { return Ok(None) };
    let key = keystore_key(path, args.keystore_password_file.as_deref())?;
    let (account, claimer) = (key.account(), terms.receiver_authorizer);
    if account != claimer {
        return Err(CommandError::ClaimerKey { account, claimer }.into());
    }
    Ok(Some(key))
}

fn epoch_terms(args: &PoolChainArgs, terms: &ChannelTerms, asset: Asset) -> Result<EpochTerms, CliError> {
    let is_development = DEVELOPMENT.contains(&terms.chain_id);
    let delay = Duration::from_secs(terms.withdraw_delay_s.into());
    let (shortest, margin) = if is_development { (Duration::from_secs(1), Duration::ZERO) } else { (DAY, MARGIN) };
    if args.epoch < shortest {
        return Err(CommandError::ShortEpoch { chain_id: terms.chain_id }.into());
    }
    let longest = delay.saturating_sub(margin);
    if args.epoch >= longest {
        let longest = span(u64::try_from(longest.as_millis()).unwrap_or(u64::MAX));
        return Err(CommandError::LongEpoch { longest }.into());
    }
    let coin_price = match &args.coin_price {
        Some(text) => asset.amount(text)?,
        // What the pool charges in is the coin, or wraps it.
        None if asset.decimals() == Asset::ETHER.decimals() && matches!(asset.symbol(), "ETH" | "WETH") => {
            Amount::new(WEI_A_COIN)
        }
        None => return Err(CommandError::NoCoinPrice { symbol: asset.symbol().to_owned() }.into()),
    };
    Ok(EpochTerms { epoch_ms: u64::try_from(args.epoch.as_millis()).unwrap_or(u64::MAX), coin_price })
}

/// Warns of an account that cannot pay for a transaction. The pool serves its clients all the same, and claims once the
/// account can.
async fn check_gas(nodes: &EvmNodes, key: &AccountKey) -> Result<(), CliError> {
    let has_wei = nodes.balance_wei(key.account()).await?;
    let needs_wei = GasFees::read(nodes).await?.max_fee_wei().saturating_mul(USUAL_GAS);
    if has_wei < needs_wei {
        let [has, needs] = [has_wei, needs_wei].map(|wei| Asset::ETHER.show(Amount::new(wei)).to_string());
        tracing::warn!(
            account = %key.account(), has, needs,
            "the claimer cannot pay for the gas of a transaction with 25 claims; send it some of the chain's coin"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use vipnode_types::Account;

    use super::*;
    use crate::{
        account::NewKeystore,
        args::{Cli, Command},
    };

    const BASE: u64 = 8_453;

    fn args(flags: &[&str]) -> PoolChainArgs {
        let line = ["vipnode", "pool", "--payment", "x402"].iter().chain(flags);
        let Some(Command::Pool(args)) = Cli::read(line).unwrap().command else { panic!() };
        args.deposits.clone()
    }

    fn terms(chain_id: u64, withdraw_delay_s: u32) -> ChannelTerms {
        let [token, receiver, receiver_authorizer] = [1, 2, 3].map(|byte| Account::new([byte; 20]));
        ChannelTerms { chain_id, token, receiver, receiver_authorizer, withdraw_delay_s }
    }

    #[test]
    fn an_epoch_leaves_time_to_claim_before_a_withdrawal() {
        let usdc = Asset::new("USDC", 6).unwrap();
        let of = |flags: &[&str], chain_id, delay_s| {
            let flags = [flags, &["--chain.coin-price", "3000 USDC"]].concat();
            epoch_terms(&args(&flags), &terms(chain_id, delay_s), usdc)
        };
        let fortnight = 1_209_600;
        let usual = of(&[], BASE, fortnight).unwrap();
        assert_eq!((usual.epoch_ms, usual.coin_price.get()), (7 * 86_400_000, 3_000_000_000));
        assert!(of(&["--epoch", "10d"], BASE, fortnight).is_ok());
        let long = of(&["--epoch", "11d"], BASE, fortnight).unwrap_err();
        assert!(long.message.contains("shorter than 11days") && long.hint.contains("--epoch"), "{long:?}");
        let short = of(&["--epoch", "23h"], BASE, fortnight).unwrap_err();
        assert!(short.message.contains("8453") && short.hint.contains("--epoch"), "{short:?}");
        assert!(of(&["--epoch", "10s"], 31_337, 900).is_ok(), "a development chain");
        assert!(of(&["--epoch", "15m"], 31_337, 900).is_err());
    }

    #[test]
    fn claims_are_compared_with_gas_at_a_price_of_the_coin() {
        let of =
            |symbol, decimals| epoch_terms(&args(&[]), &terms(BASE, 1_209_600), Asset::new(symbol, decimals).unwrap());
        let missing = of("USDC", 6).unwrap_err();
        assert!(missing.hint.contains("--chain.coin-price \"AMOUNT USDC\""), "{missing:?}");
        assert!(of("DAI", 18).is_err());
        assert_eq!(of("WETH", 18).unwrap().coin_price.get(), 1_000_000_000_000_000_000, "it wraps the coin");
    }

    #[test]
    fn only_the_key_of_the_claimer_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let key = AccountKey::from_bytes([5; 32]).unwrap();
        std::fs::write(path("password"), "a password\n").unwrap();
        NewKeystore::import(&[5; 32], "a password").unwrap().write(&dir.path().join("key")).unwrap();
        let args = args(&["--chain.keystore", &path("key"), "--chain.password-file", &path("password")]);
        let own = ChannelTerms { receiver_authorizer: key.account(), ..terms(BASE, 1) };
        let read = claimer_key(&args, &own).unwrap().unwrap();
        assert_eq!(read.account(), key.account());
        assert!(!format!("{read:?}").contains("0505"), "no log has the key");
        let other = claimer_key(&args, &terms(BASE, 1)).unwrap_err();
        assert!(
            other.message.contains(&key.account().to_string()) && other.hint.contains("--chain.claimer"),
            "{other:?}"
        );
        assert!(claimer_key(&self::args(&[]), &own).unwrap().is_none(), "read-only");
    }
}
