//! The agent's connection to the node: the observer reads the node's state, and the executor carries out commands.
//! Neither decides anything; they send what they observe to the agent core as events. The only error is that another
//! node answers.

mod executor;
mod observer;

pub(crate) use executor::{Executor, NodeCommand};
pub(crate) use observer::{Observer, longer};
