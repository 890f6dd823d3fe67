//! The agent's connection to the node: the observer reads the node's state, and the executor carries out commands.
//! Neither decides anything; they send what they observe to the agent core as events. The only error is that another
//! node answers.
//!
//! Uses the crate `node` and the events of the agent core. The pool and the files of the agent do not belong here.

mod executor;
mod observer;

pub(crate) use executor::{Executor, NodeCommand};
pub(crate) use observer::{Observer, longer};
