//! `vipnode doctor`: looks at what a role needs and changes nothing. [`gather()`] looks, [`judge()`] says what is
//! wrong and how to fix it, in the [`Words`] of the client that was found.

mod direct;
mod facts;
mod finding;
mod gather;
mod judge;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use self::{
    facts::{Facts, Fault, KeyFacts, NodeFound, NodeMissing, PoolFound, Wants},
    finding::{Finding, Verdict},
    gather::gather,
    judge::judge,
    words::Words,
};
