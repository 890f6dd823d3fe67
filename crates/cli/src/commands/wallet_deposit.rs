use std::path::{Path, PathBuf};

use vipnode_agent::clock;
use vipnode_chain::{BlockTag, Escrow, Token, escrow_calls, token_calls};
use vipnode_types::{
    Account, Amount, Asset, Failure, Hash256, keccak256,
    payment::{AbiWord, DepositAuthorization, TypedDataSignature},
};

use super::wallet_deposit_many::ManyDeposits;
use crate::{
    args::WalletDepositArgs,
    error::{CliError, WalletError},
    output::{Line, Screen, Tone},
    wallet::{ChainAccess, ChannelFile, WalletSender, with_pool_terms},
};

/// What to do after a deposit whose result was not read.
const NOT_AGAIN: &str = "Do not deposit again: check the channel a little later with `vipnode wallet balance --channel FILE \
                         --chain.rpc URL`";
/// How long a signed deposit is valid by default.
const VALID_S: u64 = 60 * 60;

/// Deposits into a channel, which is created if its file does not exist, or into those of many agents.
pub(super) async fn run(args: &WalletDepositArgs, screen: Screen) -> Result<(), CliError> {
    let sender = WalletSender::of(&args.key, &args.sending)?;
    let access = ChainAccess::to_send(&args.chain, &args.sending)?;
    let escrow = access.escrow().await?;
    let payer = args.fields.account.or_else(|| sender.account());
    match (&args.nodes, &args.channel) {
        (Some(nodes), _) => {
            let many = ManyDeposits { args, access: &access, escrow, payer, screen };
            many.run(nodes, sender).await
        }
        (None, Some(path)) => one(args, path, (&access, escrow), (payer, &sender), screen).await,
        (None, None) => Err(WalletError::NoChannel { path: PathBuf::new() }.into()),
    }
}

async fn one(
    args: &WalletDepositArgs,
    path: &Path,
    (access, escrow): (&ChainAccess, Escrow<'_>),
    (payer, sender): (Option<Account>, &WalletSender),
    screen: Screen,
) -> Result<(), CliError> {
    let chain_id = escrow.chain_id();
    let fields = with_pool_terms(&args.fields, chain_id, &args.chain.trust).await?;
    let token = access.token(chain_id, ChannelFile::token(path, chain_id, &fields)?).await?;
    let asset = token.asset();
    let file = ChannelFile::read_or_create(path, chain_id, &fields, (payer, asset.decimals()))?;
    let amount = asset.amount(&args.amount)?;
    let has = token.balance(file.config.payer).await?;
    if amount == Amount::ZERO {
        return Err(WalletError::Zero.into());
    }
    if has < amount {
        return Err(WalletError::TooLittle { account: file.config.payer, has, asset }.into());
    }
    let deposit = Deposit { access, escrow, token: &token, file, sender, screen };
    // Contracts compare it with the time of their block.
    let now_s = access.node().block(BlockTag::Latest).await?.time_s.max(clock::wall().get() / 1_000);
    let valid_until_s = args.valid_until.unwrap_or_else(|| now_s.saturating_add(VALID_S));
    if valid_until_s <= now_s {
        return Err(WalletError::Expired { valid_until_s }.into());
    }
    let authorization = deposit.authorization(amount, valid_until_s).await?;
    if !deposit.approved(&authorization, amount).await? {
        return Ok(());
    }
    match deposit.signed(&authorization, args.signature)? {
        Some(signature) => deposit.send(&authorization, signature).await,
        None => {
            print_to_sign(&authorization, chain_id, (file.config.payer, valid_until_s), screen);
            Ok(())
        }
    }
}

/// A deposit of an amount into a channel.
pub(super) struct Deposit<'a> {
    pub(super) access: &'a ChainAccess,
    pub(super) escrow: Escrow<'a>,
    pub(super) token: &'a Token<'a>,
    pub(super) file: ChannelFile,
    pub(super) sender: &'a WalletSender,
    pub(super) screen: Screen,
}

impl Deposit<'_> {
    /// Deposits an amount for which the sender's key signs, if it is the payer's.
    pub(super) async fn make(&self, amount: Amount, now_s: u64) -> Result<(), CliError> {
        let authorization = self.authorization(amount, now_s.saturating_add(VALID_S)).await?;
        if !self.approved(&authorization, amount).await? {
            return Ok(());
        }
        let payer = self.file.config.payer;
        match (self.signed(&authorization, None)?, self.sender.account()) {
            (Some(signature), _) => self.send(&authorization, signature).await,
            (None, Some(account)) => Err(WalletError::OtherPayer { account, payer }.into()),
            (None, None) => Err(WalletError::NoKey.into()),
        }
    }

    /// What the payer signs. The same amount and time make the same data, so that another wallet's signature can be
    /// passed
    /// to a second run of the command.
    async fn authorization(&self, amount: Amount, valid_until_s: u64) -> Result<DepositAuthorization, CliError> {
        let (channel, config) = (self.file.id(), self.file.config);
        let words = [channel.hash().into(), AbiWord::from(amount), AbiWord::from(valid_until_s)];
        let salt = keccak256(words.map(|word| *word.as_bytes()).concat());
        Ok(match self.token.erc3009_domain().await? {
            Some(token) => DepositAuthorization::Erc3009 {
                token,
                from: config.payer,
                amount,
                valid_after_s: 0,
                valid_before_s: valid_until_s,
                salt,
                channel,
            },
            None => DepositAuthorization::Permit2 {
                token: config.token,
                amount,
                nonce: nonce(salt),
                deadline_s: valid_until_s,
                channel,
            },
        })
    }

    /// Has Permit2 approved where it is needed. Returns whether it is approved.
    async fn approved(&self, authorization: &DepositAuthorization, amount: Amount) -> Result<bool, CliError> {
        let payer = self.file.config.payer;
        let needed = matches!(authorization, DepositAuthorization::Permit2 { .. });
        if !needed || self.token.permit2_allowance(payer).await? >= amount {
            return Ok(true);
        }
        if let Some(account) = self.sender.account().filter(|account| *account != payer) {
            return Err(WalletError::OtherPayer { account, payer }.into());
        }
        let call = (self.escrow.chain_id(), token_calls::approve_permit2(self.token.address()));
        let what = format!("Approve Permit2 for {} (needed once)", self.token.asset());
        let sent = self.sender.send(self.access.node(), call, payer, &what, self.screen).await?;
        Ok(sent.is_some())
    }

    /// The payer's signature: the one that was passed, or one by the key; `None` if another wallet has yet to sign.
    fn signed(
        &self,
        authorization: &DepositAuthorization,
        given: Option<TypedDataSignature>,
    ) -> Result<Option<TypedDataSignature>, CliError> {
        let (payer, data) = (self.file.config.payer, authorization.typed_data(self.escrow.chain_id()));
        if let Some(signature) = given {
            return match signature.signer(&data) == Some(payer) {
                true => Ok(Some(signature)),
                false => Err(WalletError::Signature { account: payer }.into()),
            };
        }
        Ok(self.sender.key().filter(|key| key.account() == payer).map(|key| key.sign_typed(&data)))
    }

    async fn send(&self, authorization: &DepositAuthorization, signature: TypedDataSignature) -> Result<(), CliError> {
        let (asset, id) = (self.token.asset(), self.file.id());
        let call = escrow_calls::deposit(&self.file.config, authorization, signature);
        let (amount, receiver) = (asset.show(authorization.amount()), self.file.config.receiver);
        let what = format!("Deposit {amount} into channel {id}, which pays {receiver}");
        let chain_id = self.escrow.chain_id();
        let from = self.sender.account().unwrap_or(self.file.config.payer);
        let sent = self.sender.send(self.access.node(), (chain_id, call), from, &what, self.screen).await?;
        let Some(receipt) = sent else { return Ok(()) };
        // It is made, whatever the node answers from now on: a user who saw an error might deposit again.
        let held = self.escrow.channel(id, BlockTag::Number(receipt.block_number)).await;
        let holds = held.map(|state| state.unclaimed()).map_err(|error| Failure::of(&error));
        let line = deposited(asset, authorization.amount(), &holds)
            .with("channel", id.to_string())
            .with("transaction", receipt.transaction_hash.to_string())
            .with("gas_used", receipt.gas_used);
        self.screen.say(&line);
        Ok(())
    }
}

/// The first half of a hash.
fn nonce(salt: Hash256) -> u128 {
    salt.0.first_chunk().copied().map(u128::from_be_bytes).unwrap_or_default()
}

fn deposited(asset: Asset, amount: Amount, holds: &Result<Amount, Failure>) -> Line {
    let shown = asset.show(amount);
    match holds {
        Ok(holds) if *holds >= amount => {
            let text = format!("Deposited {shown}. The channel now holds {}.", asset.show(*holds));
            Line::new("deposited", Tone::Good, text)
                .with("balance", holds.get().to_string())
                .hint("Keep the channel's file: without it, nothing can be withdrawn")
        }
        Ok(holds) => {
            let text = format!(
                "Deposited {shown}, but the EVM node reports that the channel holds {}: it may be behind",
                asset.show(*holds)
            );
            Line::new("deposited", Tone::Warning, text).with("balance", holds.get().to_string()).hint(NOT_AGAIN)
        }
        Err(why) => {
            let text =
                format!("Deposited {shown}, but what the channel now holds could not be read: {}", why.message());
            Line::new("deposited", Tone::Warning, text).hint(NOT_AGAIN)
        }
    }
    .with("amount", amount.get().to_string())
}

/// Prints what another wallet signs: for people the JSON alone, so that it can be piped.
fn print_to_sign(
    authorization: &DepositAuthorization,
    chain_id: u64,
    (payer, valid_until_s): (Account, u64),
    screen: Screen,
) {
    let data = authorization.typed_data(chain_id).to_json();
    if screen.is_json() {
        let json = serde_json::json!({ "event": "to_sign", "account": payer, "valid_until": valid_until_s, "typed_data": data });
        screen.print(&"".into(), &json);
        return;
    }
    screen.warn(&format!(
        "Sign this typed data with the wallet of {payer} (eth_signTypedData_v4), and run the command again with --valid-until {valid_until_s} --signature HEX"
    ));
    screen.raw(format!("{data:#}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use vipnode_chain::ChainError;

    use super::*;
    use crate::tests::{at_each_width, text_of};

    #[test]
    fn snapshot_of_a_deposit() {
        let usdc = Asset::new("USDC", 6).unwrap();
        let failed = ChainError::Unreachable { node: "https://node.example".to_owned(), why: "timed out".to_owned() };
        let held = [Ok(Amount::new(31_500_000)), Ok(Amount::ZERO), Err(Failure::of(&failed))];
        let lines = held.map(|held| deposited(usdc, Amount::new(25_000_000), &held));
        insta::assert_snapshot!("wallet_deposit", at_each_width(&text_of(&lines)));
    }
}
