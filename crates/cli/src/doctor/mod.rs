//! `vipnode doctor`: checks what a role needs and changes nothing. [`gather()`] does the I/O and returns [`Facts`];
//! [`evaluate()`] derives [`Finding`]s from them, with hints that use the [`ClientFlags`] of the detected execution
//! client.
//!
//! May use `args`, `discover`, `error` and `output`.

mod client_flags;
mod direct;
mod evaluate;
mod facts;
mod finding;
mod gather;
mod partners;
mod payment;
#[cfg(test)]
mod tests;
mod verdict;

pub(crate) use self::{
    client_flags::ClientFlags,
    evaluate::evaluate,
    facts::{Facts, KeyFacts, NodeFound, NodeMissing, PinFound, PoolFound, Requirements},
    finding::Finding,
    gather::gather,
    verdict::{Verdict, overall},
};
