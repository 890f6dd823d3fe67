//! The side of the agent that faces the node: the observer looks at it, the executor carries out commands. Neither decides
//! anything; what they see goes to the agent core as its events. The only error is that another node answers.

mod executor;
mod observer;

pub(crate) use executor::{Executor, NodeOrder};
pub(crate) use observer::{Observer, longer};
