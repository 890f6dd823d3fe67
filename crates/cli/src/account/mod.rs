//! What an account signs for a pool, with which key, and the page of its figures.
//!
//! May use `args`, `error`, and `output`; does not call the pool.

mod account_page;
mod account_signer;
mod keystore;
mod password;

pub(crate) use self::{
    account_page::account_page,
    account_signer::{AccountSigner, AccountSigning},
};
