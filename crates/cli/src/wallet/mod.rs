//! Accounts' payment channels on a chain: the file of a channel, what a pool requires of it, the key that signs, a
//! transaction that the user is asked
//! about, and the page of balances.
//!
//! May use `account`, `args`, `error`, and `output`; does not decide what is sent: the commands do.

mod balance_page;
mod chain_access;
mod channel_file;
mod pool_terms;
mod wallet_sender;

pub(crate) use self::{
    balance_page::{Balances, balance_json, balance_page},
    chain_access::ChainAccess,
    channel_file::ChannelFile,
    pool_terms::with_pool_terms,
    wallet_sender::{WalletSender, private_key_in},
};
