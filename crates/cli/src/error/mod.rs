//! The errors of the command line. A command ends with a [`CliError`], which is created from the error of any crate.
//! [`CommandError`], [`KeystoreError`], [`SettingError`], [`TargetError`], and [`WalletError`] are the errors of this crate.
//!
//! Must not use any other folder.

mod cli_error;
mod command_error;
mod keystore_error;
mod setting_error;
mod target_error;
mod wallet_error;

pub(crate) use self::{
    cli_error::CliError, command_error::CommandError, keystore_error::KeystoreError, setting_error::SettingError,
    target_error::TargetError, wallet_error::WalletError,
};

/// The errors that arise in the command line, for the page of all errors.
#[cfg(test)]
pub(crate) const ERROR_TABLES: &[vipnode_types::ErrorTable] = &[
    vipnode_types::ErrorTable { title: "Commands and flags", rows: CommandError::ROWS },
    vipnode_types::ErrorTable { title: "Keystores and accounts", rows: KeystoreError::ROWS },
    vipnode_types::ErrorTable { title: "Wallets and payment channels", rows: WalletError::ROWS },
    vipnode_types::ErrorTable { title: "Settings file", rows: SettingError::ROWS },
    vipnode_types::ErrorTable { title: "Pools and nodes on the command line", rows: TargetError::ROWS },
];
