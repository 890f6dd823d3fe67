//! `vipnode demo`: a pool, two hosts and three clients on this machine, each a process of its own on real
//! sockets. A host is killed on the way. Ends by itself in less than 40 s and cleans everything up.

mod cast;
mod fleet;
mod geth;
mod play;
mod process;
mod stage;
mod story;
mod tables;

pub(crate) use play::run;
