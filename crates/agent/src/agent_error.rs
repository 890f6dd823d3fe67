use std::path::PathBuf;

use vipnode_agent_core::DirectConfigError;
use vipnode_node::{NodeError, finder::KeyNotFound};
use vipnode_rpc::OpenError;
use vipnode_types::{NodeKeyError, wire::WireError};

/// Why an agent cannot start or go on. The text says what happened and why; [`AgentError::hint`] says
/// how to fix it.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The text given as the pool's address is none.
    #[error("{text:?} is no address of a pool: {why}")]
    PoolAddress {
        /// What was given.
        text: String,
        /// What is wrong.
        why: String,
        /// How to fix it.
        hint: String,
    },
    /// The pool's address cannot be used.
    #[error(transparent)]
    Pool(#[from] OpenError),
    /// The pool was reached and gave no answer, or one of another kind.
    #[error("the pool gives no answer that can be read: {0}")]
    Unanswered(String),
    /// The pool says that it cannot use this agent, or what was undone is not all.
    #[error("{0}")]
    Stopped(WireError),
    /// What the host is to sell does not fit its node.
    #[error(transparent)]
    Host(#[from] vipnode_agent_core::HostConfigError),
    /// Peers cannot be used as the user named them.
    #[error(transparent)]
    Direct(#[from] DirectConfigError),
    /// The user named his own node as a peer of it.
    #[error("node {node}, which is to be a peer of the node at {at}, is that node itself")]
    NamedItself {
        /// Our node, short.
        node: String,
        /// Its address.
        at: String,
    },
    /// A host needs a socket, on which the pool can call it.
    #[error("a pool at {0} cannot call this host: over HTTP only a client can be used")]
    HostOverHttp(String),
    /// The node does not do what is needed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Another node answers where ours did.
    #[error("the node at {at} is now another one: {now} instead of {was}")]
    OtherNode {
        /// The address.
        at: String,
        /// Who answered at the start, short.
        was: String,
        /// Who answers now, short.
        now: String,
    },
    /// A file or directory cannot be used.
    #[error("{doing} {path}: {why}", path = path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// A file of the state directory holds something else than was written.
    #[error("{path} cannot be read: {why}", path = path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is no directory to keep state in.
    #[error("no directory to keep state in: neither XDG_STATE_HOME nor HOME is set")]
    NoHome,
    /// Another process has the state directory.
    #[error("another vipnode agent runs for this node: it holds {path}", path = path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// No node key, and one is needed: at the first start, and before a delegation ends.
    #[error("the node has to sign once that this agent speaks for it: {0}")]
    NoNodeKey(#[from] KeyNotFound),
    /// The key file cannot be read.
    #[error("the node's key file {path} cannot be read: {why}", path = path.display())]
    NodeKeyFile {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// The key file does not hold a key.
    #[error("the node key in {path}: {why}", path = path.display())]
    NodeKey {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: NodeKeyError,
    },
    /// The key is of another node (A13).
    #[error("the key in {path} is of node {key}, but the node at {at} is {node}", path = path.display())]
    OtherKey {
        /// Which file.
        path: PathBuf,
        /// Whose key it is, short.
        key: String,
        /// Our node, short.
        node: String,
        /// Its address.
        at: String,
    },
    /// A delegation that was brought here is of no use.
    #[error("this delegation is of no use here: {0}")]
    NotLinked(String),
    /// Protocol 2, and no key to sign with.
    #[error("protocol 2 has every call signed by the node's own key, which is not to be had: {0}")]
    KeyForEachCall(Box<AgentError>),
    /// What others are told to dial is another node (A13).
    #[error("--enode names node {given}, but the node at {at} is {node}")]
    OtherEnode {
        /// Who is named, short.
        given: String,
        /// Our node, short.
        node: String,
        /// Its address.
        at: String,
    },
    /// The system gave no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
    /// The end did not come in time.
    #[error("stopping took too long: {left} grants are left on the node")]
    NotUndone {
        /// How many.
        left: usize,
    },
    /// Some grants could not be undone.
    #[error("{left} of {all} grants could not be undone: {why}")]
    NotReleased {
        /// How many are left.
        left: usize,
        /// Of how many.
        all: usize,
        /// The first reason.
        why: NodeError,
    },
    /// A task of ours ended in a way it must not.
    #[error("a part of the agent failed: {0}")]
    Fault(String),
}

impl AgentError {
    /// The flag or command that fixes it; empty where nothing does.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::PoolAddress { hint, .. } => hint.clone(),
            Self::Pool(OpenError::Insecure { .. }) => {
                "use the pool's wss:// address; --insecure only if every machine on the way is yours".into()
            }
            Self::Pool(OpenError::Tls { fault, .. }) => fault.hint().to_owned(),
            Self::Pool(_) | Self::Unanswered(_) => {
                "check the address of the pool, and that `vipnode pool` runs there".into()
            }
            Self::Stopped(error) => error.data.as_ref().map(|data| data.hint.clone()).unwrap_or_default(),
            Self::Host(_) => "lower --slots, or give the node more --maxpeers and say so with --node-max-peers".into(),
            Self::Direct(error) => match error {
                DirectConfigError::Hosts { .. } => "name fewer, or run a pool for them: `vipnode pool`",
                DirectConfigError::NoAddress(_) => "enode://<id>@<host>:<port>",
                DirectConfigError::NamedClient(_) => "--allow with its id alone, or with its address",
                DirectConfigError::Twice(_) => "name each node once",
            }
            .into(),
            Self::NamedItself { .. } => "name the other node, or --rpc with the other node".into(),
            Self::HostOverHttp(url) => {
                // http becomes ws, https wss.
                format!("{}, or `vipnode client`, which needs no calls", url.replacen("http", "ws", 1))
            }
            Self::KeyForEachCall(error) => match &**error {
                Self::NoNodeKey(_) => "--nodekey <path of the node's key file>; for geth <datadir>/geth/nodekey. Run \
                     as a user that may read it at each start; protocol 3 needs it once"
                    .into(),
                error => error.hint(),
            },
            Self::OtherEnode { .. } => {
                "--enode with this node's own enode, --enode.host HOST to change the host only, \
                 or --rpc with the other node"
                    .into()
            }
            Self::Node(error) => error.hint(),
            Self::OtherNode { .. } => {
                "start vipnode again; `vipnode release` undoes what is left on the old node".into()
            }
            Self::File { .. } => {
                "check who owns it and that the disk has room, or choose another place: --state-dir DIR".into()
            }
            Self::Damaged { path, .. } => format!(
                "move {} away and start again; grants recorded in a journal stay on the node until it restarts",
                path.display()
            ),
            Self::NoHome => "--state-dir DIR".into(),
            Self::Locked { .. } => {
                "stop the other one first; if both are wanted, they need different nodes (--rpc)".into()
            }
            Self::NoNodeKey(_) => "--nodekey <path of the node's key file>, once; for geth <datadir>/geth/nodekey. \
                 Run as a user that may read it"
                .into(),
            Self::NodeKeyFile { .. } => "--nodekey <path of the node's key file>, as a user that may read it".into(),
            Self::NodeKey { .. } => "--nodekey <path of the node's key file>; for geth <datadir>/geth/nodekey".into(),
            Self::OtherKey { .. } => {
                "--nodekey with this node's own file, or --rpc with the node that the key belongs to".into()
            }
            Self::NotLinked(_) => "vipnode link --request here, and the command that it prints where the key is".into(),
            Self::NotUndone { .. } | Self::NotReleased { .. } => "once the node answers: vipnode release".into(),
            Self::Random(_) | Self::Fault(_) => "please report this".into(),
        }
    }
}
