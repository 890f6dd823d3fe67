use vipnode_chain::BlockTag;

use super::{wallet_deposit, wallet_withdraw};
use crate::{
    account::{NewKeystore, default_path, hidden_answer, new_password, open_directory_of},
    args::{NewKeystoreArgs, SecretKeyFlag, WalletBalanceArgs, WalletCommand, WalletImportArgs},
    error::{CliError, WalletError},
    output::{Line, Screen, Tone, terminal::page_width},
    wallet::{Balances, ChainAccess, ChannelFile, WalletSender, balance_json, balance_page, private_key_in},
};

/// Makes keys of accounts, and moves their funds.
pub(crate) async fn run(command: WalletCommand, screen: Screen) -> Result<(), CliError> {
    match command {
        WalletCommand::New(args) => create(args.keystore, screen),
        WalletCommand::Import(args) => import(args, screen),
        WalletCommand::Address(args) => {
            let account = WalletSender::key_of(&args.key)?.account().to_string();
            let json = serde_json::json!({ "event": "wallet_address", "account": account });
            screen.print(&account.as_str().into(), &json);
            Ok(())
        }
        WalletCommand::Balance(args) => balance(&args, screen).await,
        WalletCommand::Deposit(args) => wallet_deposit::run(&args, screen).await,
        WalletCommand::Withdraw(args) => wallet_withdraw::run(&args, screen).await,
    }
}

fn create(args: NewKeystoreArgs, screen: Screen) -> Result<(), CliError> {
    // Before the user types a password.
    args.out.as_deref().map(open_directory_of).transpose()?;
    let password = new_password(args.password_file.as_deref())?;
    write(&NewKeystore::make(&password)?, args, "Created", screen)
}

fn import(args: WalletImportArgs, screen: Screen) -> Result<(), CliError> {
    args.keystore.out.as_deref().map(open_directory_of).transpose()?;
    let secret = match (args.private_key, args.private_key_file) {
        (_, Some(path)) => private_key_in(&path)?,
        (Some(secret), None) => secret,
        (None, None) => SecretKeyFlag::read(&hidden_answer("Private key: ")?).ok_or(WalletError::PrivateKey)?,
    };
    let password = new_password(args.keystore.password_file.as_deref())?;
    write(&NewKeystore::import(secret.bytes(), &password)?, args.keystore, "Imported", screen)
}

fn write(keystore: &NewKeystore, args: NewKeystoreArgs, done: &str, screen: Screen) -> Result<(), CliError> {
    let account = keystore.account();
    let path = match args.out {
        Some(path) => path,
        None => default_path(&account)?,
    };
    keystore.write(&path)?;
    screen.say(&made(done, &account.to_string(), &path.display().to_string()));
    Ok(())
}

fn made(done: &str, account: &str, path: &str) -> Line {
    let text = format!("{done} account {account}. Its key is in {path}");
    Line::new("wallet_made", Tone::Good, text)
        .with("account", account)
        .with("keystore", path)
        .hint("Back up this file and its password: if you lose either, the funds of the account are lost")
}

async fn balance(args: &WalletBalanceArgs, screen: Screen) -> Result<(), CliError> {
    let access = ChainAccess::of(&args.chain)?;
    let escrow = access.escrow().await?;
    let file = ChannelFile::read(&args.channel.path, escrow.chain_id())?;
    let token = access.token(escrow.chain_id(), file.config.token).await?;
    let balances = Balances {
        file,
        asset: token.asset(),
        coins_wei: access.node().balance_wei(file.config.payer).await?,
        tokens: token.balance(file.config.payer).await?,
        channel: escrow.channel(file.id(), BlockTag::Latest).await?,
        pending: escrow.pending_withdrawal(file.id(), BlockTag::Latest).await?,
    };
    screen.print(&balance_page(&balances, page_width()), &balance_json(&balances));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at_each_width, text_of};

    #[test]
    fn snapshot_of_a_new_account() {
        let line = made(
            "Created",
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "/home/ben/.local/share/vipnode/keystore/wallet.json",
        );
        insta::assert_snapshot!("wallet_new", at_each_width(&text_of(&[line])));
    }
}
