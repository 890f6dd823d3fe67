use std::path::PathBuf;

use vipnode_agent_core::Notice;
use vipnode_types::{Account, Failure, NodeFacts};

use crate::PinChange;

/// A notice of an agent to its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentNotice {
    /// The node does not answer at the start; the agent waits for it.
    WaitingForNode(Failure),
    /// The node was found.
    Node {
        /// The account of the agent's key, which signs vouchers of a payment channel.
        agent: Account,
        /// What it reports about itself.
        facts: Box<NodeFacts>,
        /// RPC address of the node, without credentials.
        at: String,
        /// Where the agent keeps its state for it.
        state_dir: PathBuf,
    },
    /// The node has no block yet, so that it serves nobody.
    NoBlock(Failure),
    /// The node's key signed a delegation to the agent, which is valid for a year. The agent does not need the key file again
    /// before that ends.
    Delegated {
        /// Which file was read.
        key_file: PathBuf,
    },
    /// Protocol 2: the node's key was read and stays in memory while the agent runs, because it signs every call.
    SignsEachCall {
        /// Which file was read.
        key_file: PathBuf,
    },
    /// The node's admin calls answer beyond this machine, where anyone could use them.
    Exposed {
        /// Where.
        at: String,
    },
    /// The node accepts no connections, so that no client can dial this host.
    NotDialable,
    /// The pool's ID was pinned for its URL, or the pin changed.
    PoolPinned {
        /// The pool's address.
        url: String,
        /// Whether the ID was pinned, replaced, or accepted.
        change: PinChange,
    },
    /// What an earlier run left on the node was undone, because it was of another pool.
    Released {
        /// How many changes.
        changes: usize,
    },
    /// A notice of the agent core.
    Notice(Notice),
    /// A notice that was already shown occurred again; contains the newest of them.
    Repeated {
        /// The most recent of these notices.
        notice: Box<AgentNotice>,
        /// How often, without those that were shown.
        times: u64,
        /// How many seconds ago the most recent one was.
        ago_s: u64,
    },
    /// Notices of one kind were not shown, because there were too many of them; contains the newest.
    Omitted {
        /// The most recent of these notices.
        notice: Box<AgentNotice>,
        /// How many were not shown, with this one.
        count: u64,
    },
    /// Something on this machine fails, and the agent continues.
    Fault(Failure),
    /// The delegation ends soon and could not be renewed.
    NotRenewed {
        /// Days until it ends.
        days: u64,
        /// Why not.
        why: Failure,
    },
}
