use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use vipnode_agent::random;
use vipnode_chain::{
    BlockTag, ChainError, ChainLimits, ContractCall, EvmNodes, EvmReceipt, GasPlan, Token,
    development::{DevelopmentChain, TEST_TOKEN},
    token_calls, wait_for_receipt,
};
use vipnode_types::{Account, AccountKey, Amount, payment::contracts::ESCROW};

use super::anvil::DemoAnvil;
use crate::{
    account::NewKeystore,
    demo::roles::DemoRole,
    error::{CliError, KeystoreError},
};

/// The development chain, and the keys of those who act on it.
pub(super) struct DemoChain {
    _anvil: DemoAnvil,
    pub(super) rpc: String,
    pub(super) node: EvmNodes,
    /// The account that receives what clients pay. It also mints, and sends the clients' deposits.
    treasury: AccountKey,
    claimer: ClaimerFiles,
    clients: BTreeMap<DemoRole, AccountKey>,
    hosts: BTreeMap<DemoRole, Account>,
}

/// The account with which the pool claims, and the files with its key.
pub(super) struct ClaimerFiles {
    pub(super) account: Account,
    pub(super) keystore: PathBuf,
    pub(super) password: PathBuf,
}

/// What each client's account has at first: 20 tokens.
const WALLET: Amount = Amount::new(20_000_000);
/// The coins for gas of the operator's accounts: one.
const COINS_WEI: u128 = 1_000_000_000_000_000_000;
/// The pause between two looks at the chain.
const POLL: Duration = Duration::from_millis(100);

impl DemoChain {
    /// Starts the chain, puts the contracts, and gives each client's account its tokens.
    ///
    /// # Errors
    /// anvil cannot be started, or refuses a call; a file of the claimer's key cannot be written.
    pub(super) async fn start(program: &Path, dir: &Path) -> Result<Self, CliError> {
        let anvil = DemoAnvil::start(program, dir).await?;
        let rpc = anvil.url().to_owned();
        let limits = ChainLimits { poll: POLL, ..ChainLimits::default() };
        let url = rpc.parse().map_err(|_| ChainError::Address { node: rpc.clone(), why: "not a URL".to_owned() })?;
        let node = EvmNodes::open(&url, limits)?;
        let clients = DemoRole::CLIENTS.iter().map(|who| Ok((*who, new_key()?)));
        let hosts = DemoRole::HOSTS.iter().map(|who| Ok((*who, new_key()?.account())));
        let chain = Self {
            _anvil: anvil,
            rpc,
            node,
            treasury: new_key()?,
            claimer: ClaimerFiles::make(dir)?,
            clients: clients.collect::<Result<_, CliError>>()?,
            hosts: hosts.collect::<Result<_, CliError>>()?,
        };
        let development = DevelopmentChain::of(&chain.node);
        development.put_doubles().await?;
        for account in [chain.treasury.account(), chain.claimer.account] {
            development.set_wei(account, COINS_WEI).await?;
        }
        for client in chain.clients.values() {
            chain.send(DevelopmentChain::mint(client.account(), WALLET)).await?;
        }
        Ok(chain)
    }

    pub(super) fn treasury(&self) -> Account {
        self.treasury.account()
    }

    pub(super) const fn claimer(&self) -> &ClaimerFiles {
        &self.claimer
    }

    pub(super) fn clients(&self) -> impl Iterator<Item = (DemoRole, &AccountKey)> {
        self.clients.iter().map(|(who, key)| (*who, key))
    }

    /// The payout accounts of the hosts.
    pub(super) fn hosts(&self) -> impl Iterator<Item = (DemoRole, Account)> {
        self.hosts.iter().map(|(who, account)| (*who, *account))
    }

    /// # Errors
    /// The node does not answer; so for all below.
    pub(super) async fn token(&self) -> Result<Token<'_>, CliError> {
        Ok(Token::open(&self.node, DevelopmentChain::CHAIN_ID, TEST_TOKEN).await?)
    }

    /// What the escrow has of the token.
    pub(super) async fn in_escrow(&self) -> Result<Amount, CliError> {
        Ok(self.token().await?.balance(ESCROW).await?)
    }

    /// Sends a transaction of the treasury and waits until it is mined.
    pub(super) async fn send(&self, call: ContractCall) -> Result<EvmReceipt, CliError> {
        let account = self.treasury();
        let plan = GasPlan::of(&self.node, call, account).await?;
        let nonce = self.node.next_nonce(account).await?;
        let signed = plan.transaction(DevelopmentChain::CHAIN_ID, nonce).sign(&self.treasury);
        self.node.send_raw(&signed.raw).await?;
        Ok(wait_for_receipt(&self.node, signed.hash).await?)
    }

    /// Transfers an amount from the treasury.
    pub(super) async fn transfer(&self, to: Account, amount: Amount) -> Result<EvmReceipt, CliError> {
        self.send(token_calls::transfer(TEST_TOKEN, to, amount)).await
    }

    /// The height of the newest block that is safe, so that a deposit in it counts.
    pub(super) async fn safe_block(&self) -> Result<u64, CliError> {
        Ok(self.node.block(BlockTag::Safe).await?.number)
    }
}

fn new_key() -> Result<AccountKey, CliError> {
    Ok(AccountKey::from_bytes(*random::bytes()?)?)
}

impl ClaimerFiles {
    fn make(dir: &Path) -> Result<Self, CliError> {
        let (keystore, password) = (dir.join("claimer.json"), dir.join("claimer.password"));
        let secret = const_hex::encode(*random::bytes()?);
        let made = NewKeystore::make_light(&secret)?;
        made.write(&keystore)?;
        std::fs::write(&password, secret).map_err(|error| KeystoreError::Write { path: password.clone(), error })?;
        Ok(Self { account: made.account(), keystore, password })
    }
}
