//! `vipnode demo --pay`: clients deposit on a development chain, their agents sign vouchers, the pool claims what was
//! metered, and the operator pays the hosts. At the end, every amount is compared with the chain and with the ledger.
//!
//! Uses what the demo uses, and the crates `chain`, `agent`, and `pool` to act as the wallets and as the operator. The pool
//! and the agents run in other processes, with the flags that a user passes. Nothing that they need belongs here.

mod anvil;
mod balances;
mod chain;
mod deposits;
mod operator;
mod paid_demo;

pub(super) use paid_demo::run;
