use std::path::PathBuf;

use vipnode_agent_core::{DirectConfigError, HostConfigError};
use vipnode_node::{NodeError, finder::FinderError};
use vipnode_rpc::OpenError;
use vipnode_types::{NodeKeyError, errors, wire::WireError};

errors! {
    /// Why an agent cannot start or continue.
    #[derive(Debug)]
    pub enum AgentError {
        /// The text given as the pool's address is the enode of a node.
        PoolIsEnode {
            /// What was given.
            text: String,
        }: local, "{text:?} is the enode of a node and not the address of a pool",
            hint "Pass the pool's address; to connect to that node without a pool, pass the enode to `vipnode client`.";
        /// The pool's address has an unknown scheme.
        PoolScheme {
            /// What was given.
            text: String,
        }: local, "{text:?} is not the address of a pool: it does not begin with ws://, wss://, http:// or https://",
            hint "Pass the pool's address as wss://HOST or ws://HOST:PORT.";
        /// The pool's address has no valid host.
        PoolHost {
            /// What was given.
            text: String,
        }: local, "{text:?} is not the address of a pool: it names no host",
            hint "Pass the pool's address as wss://HOST or ws://HOST:PORT.";
        /// The pool was reached and gave no answer, or one of another kind.
        Unanswered {
            /// What happened instead.
            why: String,
        }: local, "the pool gave no answer that can be read: {why}",
            hint "Check the address of the pool, and that `vipnode pool` runs there.";
        /// The server does not begin as a pool of protocol 3 does.
        NoChallenge: local, "what answers there is not a protocol 3 pool: it sent no challenge",
            hint "Check the address of the pool; for a pool that speaks protocol 2, pass --protocol 2.";
        /// The user named this node as a peer of itself.
        NamedItself {
            /// The node, short.
            node: String,
            /// Its address.
            at: String,
        }: local, "node {node}, which is to be a peer of the node at {at}, is that node itself",
            hint "Name the other node, or pass the other node's address with --rpc.";
        /// A host needs a socket, on which the pool can call it.
        HostOverHttp {
            /// The pool's address.
            url: String,
        }: local, "a pool at {url} cannot call this host: over HTTP an agent can only be a client",
            hint "Pass {socket}, or run `vipnode client`, which needs no calls." (socket = url.replacen("http", "ws", 1));
        /// Another node answers at the node's address.
        OtherNode {
            /// The address.
            at: String,
            /// Which node answered at the start, short.
            was: String,
            /// Which node answers now, short.
            now: String,
        }: local, "the node at {at} is now another one: {now} instead of {was}",
            hint "Start vipnode again; to undo what is left on the old node, run `vipnode release`.";
        /// A file or directory cannot be used.
        File {
            /// What was tried.
            doing: &'static str,
            /// With which file.
            path: PathBuf,
            /// What the system reports.
            why: std::io::Error,
        }: local, "{doing} {path}: {why}" (path = path.display()),
            hint "Check who owns it and that the disk has room, or choose another directory: --state-dir DIR.";
        /// A file of the state directory does not hold what was written to it.
        Damaged {
            /// Which file.
            path: PathBuf,
            /// What is wrong.
            why: String,
        }: local, "{path} cannot be read: {why}" (path = path.display()),
            hint "Move {path} to another directory and start again; grants recorded in a journal stay on the node until \
                  it restarts." (path = path.display());
        /// There is no directory to keep state in.
        NoHome: local, "no directory to keep state in: neither XDG_STATE_HOME nor HOME is set",
            hint "Pass --state-dir DIR.";
        /// Another process has the state directory.
        Locked {
            /// The lock file.
            path: PathBuf,
        }: local, "another vipnode agent runs for this node: it holds {path}" (path = path.display()),
            hint "Stop the other agent first; if both are wanted, give each its own node: --rpc FILE.ipc.";
        /// No node key is found, and one is needed: at the first start, and before a delegation ends.
        NoNodeKey {
            /// What was tried.
            why: FinderError,
        }: local, "the node has to sign once that this agent speaks for it: {why}",
            hint "Pass the node's key file once, as a user that may read it: --nodekey FILE; for geth DATADIR/geth/nodekey.";
        /// The key file cannot be read.
        NodeKeyFile {
            /// Which file.
            path: PathBuf,
            /// What the system reports.
            why: std::io::Error,
        }: local, "the node's key file {path} cannot be read: {why}" (path = path.display()),
            hint "Run vipnode as a user that may read the node's key file, and pass it: --nodekey FILE.";
        /// The key file does not hold a key.
        NodeKey {
            /// Which file.
            path: PathBuf,
            /// What is wrong.
            why: NodeKeyError,
        }: local, "the node key in {path}: {why}" (path = path.display()),
            hint "Pass the node's key file: --nodekey FILE; for geth DATADIR/geth/nodekey.";
        /// The key is that of another node.
        OtherKey {
            /// Which file.
            path: PathBuf,
            /// The node that the key belongs to, short.
            key: String,
            /// This agent's node, short.
            node: String,
            /// Its address.
            at: String,
        }: local, "the key in {path} is of node {key}, but the node at {at} is {node}" (path = path.display()),
            hint "Pass this node's own key file with --nodekey, or with --rpc the node that the key belongs to.";
        /// A delegation from another machine is not valid here.
        NotLinked {
            /// What is wrong.
            why: String,
        }: local, "this delegation cannot be used here: {why}",
            hint "Run `vipnode link --request` here, and the command that it prints where the key is.";
        /// Over protocol 2, no node key is found to sign with.
        NoKeyForEachCall {
            /// What was tried.
            why: FinderError,
        }: local, "protocol 2 signs every call with the node key, which could not be read: {why}",
            hint "Pass the node's key file at each start, as a user that may read it: --nodekey FILE; for geth \
                  DATADIR/geth/nodekey. Protocol 3 needs it once.";
        /// Over protocol 2, the node key cannot be used to sign with.
        KeyForEachCall {
            /// Why not.
            why: Box<AgentError>,
        }: local, "protocol 2 signs every call with the node key, which could not be read: {why}", hint_of why;
        /// The enode that others are asked to dial is that of another node.
        OtherEnode {
            /// The node in the enode, short.
            given: String,
            /// This agent's node, short.
            node: String,
            /// Its address.
            at: String,
        }: local, "--enode names node {given}, but the node at {at} is {node}",
            hint "Pass this node's own enode with --enode, or its host only with --enode.host HOST, or the other node \
                  with --rpc.";
        /// The system gave no random bytes.
        Random {
            /// What it reports.
            why: String,
        }: local, "the operating system gives no random bytes: {why}", hint "Please report this.";
        /// The agent was stopped, and not everything was undone in time.
        NotUndone {
            /// How many grants are left.
            left: usize,
        }: local, "stopping took too long: {left} grants are left on the node",
            hint "Once the node answers, run `vipnode release`.";
        /// Some grants could not be undone.
        NotReleased {
            /// How many are left.
            left: usize,
            /// Of how many.
            all: usize,
            /// The first reason.
            why: NodeError,
        }: local, "{left} of {all} grants could not be undone: {why}",
            hint "Once the node answers, run `vipnode release`.";
        /// A task of the agent ended when it must not.
        Fault {
            /// Which, and how.
            why: String,
        }: local, "a part of the agent failed: {why}", hint "Please report this.";
    }
    also {
        /// The pool cannot be connected to.
        Pool(OpenError);
        /// The pool cannot use this agent, or not everything was undone at the end.
        Stopped(WireError);
        /// What the host offers does not fit its node.
        Host(HostConfigError);
        /// Peers cannot be used as the user named them.
        Direct(DirectConfigError);
        /// The node does not do what is needed.
        Node(NodeError);
    }
}

impl AgentError {
    /// A fault that should not happen, with what is known of it.
    pub(crate) fn fault(why: impl std::fmt::Display) -> Self {
        Self::Fault { why: why.to_string() }
    }
}
