//! `vipnode demo`: a pool, two hosts and three clients on this machine, each a process of its own on real
//! sockets. A host is killed on the way. Ends by itself after 11 s (18 s with geth) and cleans everything up.
//!
//! May use `args`, `error`, `output` and `signals`; everything else runs in processes of its own.

mod display;
mod fleet;
mod geth;
mod processes;
mod roles;
mod scenario;
mod tables;
mod timeline;
mod wording;

#[cfg(test)]
mod tests;

pub(crate) use scenario::run;
