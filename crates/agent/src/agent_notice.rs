use std::path::PathBuf;

use vipnode_agent_core::Notice;
use vipnode_types::NodeFacts;

/// What an agent tells its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The node is not there at the start; it is waited for.
    WaitingForNode {
        /// Why it cannot be asked.
        why: String,
        /// How to fix it.
        hint: String,
    },
    /// The node was found.
    Node {
        /// What it says of itself.
        facts: Box<NodeFacts>,
        /// Its address.
        at: String,
        /// Where the agent keeps its state for it.
        state_dir: PathBuf,
    },
    /// The node's key signed that the agent speaks for it, for a year; the file is not needed until then.
    Delegated {
        /// Which file was read.
        key_file: PathBuf,
    },
    /// Protocol 2: the node's key was read and is kept while the agent runs, for it signs every call.
    SignsEachCall {
        /// Which file was read.
        key_file: PathBuf,
    },
    /// The node's admin calls answer beyond this machine, where anyone could use them.
    Exposed {
        /// Where.
        at: String,
    },
    /// What an earlier run left on the node was undone, because it was of another pool.
    Released {
        /// How many grants.
        grants: usize,
    },
    /// Something of the agent's mind.
    Notice(Notice),
    /// Something on this machine fails, and the agent goes on.
    Fault {
        /// What and why.
        what: String,
        /// How to fix it.
        hint: String,
    },
}
