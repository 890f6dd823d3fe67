//! `vipnode demo`: a pool, two hosts, and three clients on this machine, each in its own process and connected over
//! real sockets. One host is killed during the run. The demo ends by itself after 11 s (18 s with geth) and cleans up.
//!
//! May use `args`, `error`, `output`, and `signals`; everything else runs in other processes, not in this one.

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
