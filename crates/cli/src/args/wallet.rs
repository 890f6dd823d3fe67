//! The subcommands of `vipnode wallet`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Makes keys of accounts.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "Example:\n  vipnode wallet new --out wallet.json      make an account, and ask for its password"
)]
pub(crate) struct WalletArgs {
    #[command(subcommand)]
    pub(crate) command: WalletCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Create an account and write its key to a keystore file.
    ///
    /// The file is encrypted with a password. Wallets such as geth, Clef, and Foundry can read it (Web3 secret storage,
    /// version 3), and so can `vipnode account link --keystore FILE`.
    New(WalletNewArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode wallet new --out wallet.json --password-file FILE")]
pub(crate) struct WalletNewArgs {
    /// Write the keystore to this file, which must not exist.
    ///
    /// [default: a file named after the account in ~/.local/share/vipnode/keystore]
    #[arg(long, value_name = "FILE", help_heading = "Payment")]
    pub(crate) out: Option<PathBuf>,
    /// Read the password of the keystore from this file.
    ///
    /// [default: prompt for it]
    #[arg(long, value_name = "FILE", help_heading = "Payment")]
    pub(crate) password_file: Option<PathBuf>,
}
