//! What an account signs for a pool, with which key, how keys are made, and the page of an account's figures.
//!
//! May use `args`, `error`, and `output`; does not call the pool.

mod account_page;
mod account_signer;
mod funds_page;
mod keystore;
mod new_keystore;
mod password;

pub(crate) use self::{
    account_page::account_page,
    account_signer::{AccountSigner, AccountSigning},
    funds_page::funds_page,
    new_keystore::{NewKeystore, default_path, open_directory_of},
    password::new_password,
};
