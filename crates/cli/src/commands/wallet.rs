use crate::{
    account::{NewKeystore, default_path, new_password, open_directory_of},
    args::{WalletCommand, WalletNewArgs},
    error::CliError,
    output::{Line, Screen, Tone},
};

/// Makes a key of an account.
pub(crate) fn run(command: WalletCommand, screen: Screen) -> Result<(), CliError> {
    let WalletCommand::New(WalletNewArgs { out, password_file }) = command;
    // Before the user types a password.
    out.as_deref().map(open_directory_of).transpose()?;
    let password = new_password(password_file.as_deref())?;
    let keystore = NewKeystore::make(&password)?;
    let account = keystore.account();
    let path = match out {
        Some(path) => path,
        None => default_path(&account)?,
    };
    keystore.write(&path)?;
    screen.say(&made(&account.to_string(), &path.display().to_string()));
    Ok(())
}

fn made(account: &str, path: &str) -> Line {
    let text = format!("Created account {account}. Its key is in {path}.");
    Line::new("wallet_made", Tone::Good, text)
        .with("account", account)
        .with("keystore", path)
        .hint("Back up this file and its password: if you lose either, the funds of the account are lost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at_each_width, text_of};

    #[test]
    fn snapshot_of_a_new_account() {
        let line =
            made("0x52908400098527886E0F7030069857D2E4169EE7", "/home/ben/.local/share/vipnode/keystore/wallet.json");
        insta::assert_snapshot!("wallet_new", at_each_width(&text_of(&[line])));
    }
}
