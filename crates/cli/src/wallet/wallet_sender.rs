use std::path::Path;

use vipnode_chain::{ContractCall, EvmNodes, EvmReceipt, GasPlan, unsigned_json, wait_for_receipt};
use vipnode_types::{Account, AccountKey, Amount, Asset};
use zeroize::Zeroizing;

use crate::{
    account::keystore_key,
    args::{SecretKeyFlag, SendingArgs, WalletKeyArgs},
    error::{CliError, WalletError},
    output::{Line, Screen, Tone, confirm},
};

/// Who signs transactions and pays their gas: a key, or a wallet on another machine that gets what to send.
pub(crate) struct WalletSender {
    key: Option<AccountKey>,
    yes: bool,
}

impl WalletSender {
    /// Reads the key, if one is given.
    ///
    /// # Errors
    /// The keystore cannot be read; [`WalletError::NoKey`] if there is neither a key nor `--unsigned`.
    pub(crate) fn of(key: &WalletKeyArgs, sending: &SendingArgs) -> Result<Self, CliError> {
        let key = match sending.unsigned {
            true => None,
            false => Some(Self::key_of(key)?),
        };
        Ok(Self { key, yes: sending.yes })
    }

    /// Reads the key.
    ///
    /// # Errors
    /// The keystore cannot be read, or [`WalletError::NoKey`].
    pub(crate) fn key_of(args: &WalletKeyArgs) -> Result<AccountKey, CliError> {
        if let Some(path) = &args.private_key_file {
            return Ok(AccountKey::from_bytes(*private_key_in(path)?.bytes())?);
        }
        match (&args.keystore, &args.private_key) {
            (Some(path), _) => Ok(keystore_key(path, args.password_file.as_deref())?),
            (None, Some(key)) => Ok(AccountKey::from_bytes(*key.bytes())?),
            (None, None) => Err(WalletError::NoKey.into()),
        }
    }

    /// Asks once for everything that is sent afterwards.
    ///
    /// # Errors
    /// [`WalletError::NotConfirmed`].
    pub(crate) async fn asked(self, question: &str) -> Result<Self, CliError> {
        if self.yes || confirm(question).await {
            return Ok(Self { yes: true, ..self });
        }
        Err(WalletError::NotConfirmed.into())
    }

    pub(crate) const fn key(&self) -> Option<&AccountKey> {
        self.key.as_ref()
    }

    /// The account of the key.
    pub(crate) fn account(&self) -> Option<Account> {
        self.key.as_ref().map(AccountKey::account)
    }

    /// Simulates a call, shows what it costs, asks, sends it, and waits until it is mined. Without a key, it prints the
    /// transaction for the wallet of `from`, and returns `None`.
    ///
    /// # Errors
    /// [`WalletError::NotConfirmed`]; what the contract or the node rejects.
    pub(crate) async fn send(
        &self,
        node: &EvmNodes,
        (chain_id, call): (u64, ContractCall),
        from: Account,
        what: &str,
        screen: Screen,
    ) -> Result<Option<EvmReceipt>, CliError> {
        let Some(key) = &self.key else {
            print_unsigned(&call, from, chain_id, screen);
            return Ok(None);
        };
        let plan = GasPlan::of(node, call, key.account()).await?;
        screen.say(&planned(what, &plan));
        if !self.yes && !confirm("Send it?").await {
            return Err(WalletError::NotConfirmed.into());
        }
        let nonce = node.next_nonce(key.account()).await?;
        let signed = plan.transaction(chain_id, nonce).sign(key);
        screen.say(
            &Line::new("sent", Tone::Plain, format!("Sending transaction {}.", signed.hash))
                .with("transaction", signed.hash.to_string()),
        );
        match node.send_raw(&signed.raw).await {
            // It may have arrived: what was sent is looked for, so that nobody sends it twice.
            Err(error) if !error.is_transient() => return Err(error.into()),
            _ => {}
        }
        Ok(Some(wait_for_receipt(node, signed.hash).await?))
    }
}

/// The private key in a file.
///
/// # Errors
/// [`WalletError::PrivateKeyFile`], [`WalletError::PrivateKey`].
pub(crate) fn private_key_in(path: &Path) -> Result<SecretKeyFlag, WalletError> {
    /// A larger file holds something else.
    const KEY_BYTES: u64 = 1_024;
    let text = vipnode_files::read_text(path, KEY_BYTES).map(Zeroizing::new);
    let text = text.map_err(|error| WalletError::PrivateKeyFile { path: path.to_owned(), error })?;
    SecretKeyFlag::read(text.trim()).ok_or(WalletError::PrivateKey)
}

fn ether(wei: u128) -> String {
    Asset::ETHER.show(Amount::new(wei)).to_string()
}

fn planned(what: &str, plan: &GasPlan) -> Line {
    let (expected, most) = (ether(plan.expected_wei()), ether(plan.most_wei()));
    let text = format!("{what}. Gas costs about {expected} and at most {most}, paid by {}.", plan.from);
    Line::new("transaction_plan", Tone::Plain, text)
        .with("function", plan.call.function)
        .with("from", plan.from.to_string())
        .with("gas", plan.expected_gas)
        .with("gas_cost_wei", plan.expected_wei().to_string())
        .with("most_gas_cost_wei", plan.most_wei().to_string())
}

/// Prints a transaction for another wallet: for people the JSON alone, so that it can be piped.
fn print_unsigned(call: &ContractCall, from: Account, chain_id: u64, screen: Screen) {
    let transaction = unsigned_json(call, from, chain_id);
    if screen.is_json() {
        let json = serde_json::json!({ "event": "unsigned_transaction", "function": call.function, "transaction": transaction });
        screen.print(&"".into(), &json);
    } else {
        screen.warn(&format!("Send this transaction with the wallet of {from} (eth_sendTransaction)"));
        screen.raw(format!("{transaction:#}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at_each_width, text_of};

    #[test]
    fn snapshot_of_what_a_transaction_costs() {
        let account = Account::new([7; 20]);
        let plan = GasPlan {
            call: vipnode_chain::escrow_calls::settle(account, account),
            from: account,
            expected_gas: 128_333,
            gas: 154_000,
            priority_fee_wei: 1_000_000,
            fee_wei: 11_000_000,
            max_fee_wei: 21_000_000,
        };
        let line = planned("Deposit 25 USDC into channel 0x0101…", &plan);
        insta::assert_snapshot!("wallet_transaction", at_each_width(&text_of(&[line])));
    }
}
