use std::path::PathBuf;

use vipnode_agent_core::{DirectConfigError, HostConfigError};
use vipnode_node::{NodeError, finder::FinderError};
use vipnode_rpc::{CallError, OpenError};
use vipnode_types::{Account, DelegationError, NodeKeyError, PoolId, errors, wire::WireError};

errors! {
    /// Why an agent cannot start or continue.
    #[derive(Debug)]
    pub enum AgentError {
        /// An enode was passed in place of a pool's address.
        PoolIsEnode {
            /// What was given.
            text: String,
        }: local, "{text:?} is the enode of a node, not the address of a pool",
            hint "Pass the pool's address. To connect to that node without a pool, pass the enode to `vipnode client`.";
        /// The channel was created for the key of another agent.
        ChannelOfOther {
            /// The channel's payer authorizer.
            authorizer: Account,
            /// The account of the agent's key.
            agent: Account,
        }: local, "the payment channel's payer authorizer is {authorizer}, but the address of this agent's key is {agent}",
            hint "Create a channel for this agent: run `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL \
                  --keystore FILE --authorizer {agent}`. Then pass --pay NEW_FILE." (agent = agent);
        /// The pool's address begins with an unsupported scheme, or has no scheme.
        PoolScheme {
            /// What was given.
            text: String,
        }: local, "{text:?} is not the address of a pool: it does not begin with ws://, wss://, http://, or https://",
            hint "Pass the pool's address as wss://HOST or ws://HOST:PORT.";
        /// The pool's address is mistyped, or a part of it was lost when it was copied.
        PoolHost {
            /// What was given.
            text: String,
        }: local, "{text:?} is not the address of a pool: the host is missing, or contains a space or another character that is not allowed",
            hint "Pass the pool's address as wss://HOST or ws://HOST:PORT.";
        /// The call failed before the server returned a response.
        Unanswered {
            /// What happened instead.
            why: CallError,
        }: local, "the pool did not return a valid response: {why}", hint_of why;
        /// The server returned a response to a different method, or from an incompatible version.
        InvalidReply {
            /// What is wrong with it.
            why: String,
        }: local, "the pool did not return a valid response: {why}",
            hint "Check the address of the pool, and that the pool and the agent run compatible versions.";
        /// The server is a protocol 2 pool, or another kind of WebSocket server.
        NoChallenge: local, "the server is not a protocol 3 pool: it did not send a challenge",
            hint "Check the address of the pool. For a protocol 2 pool, pass --protocol 2.";
        /// The pool runs without a data directory, so it has no key and no ID.
        NoPoolId {
            /// The pool's address.
            url: String,
        }: local, "the pool at {url} has no ID, so an account cannot sign anything for it",
            hint "Ask the pool's operator to start it with a data directory (--datadir).";
        /// The pool has a new key, or another pool has taken over the address.
        OtherPool {
            /// The pool's address.
            url: String,
            /// The ID that is pinned, or that the user passed.
            expected: PoolId,
            /// The ID that the pool has.
            shown: PoolId,
        }: local, "the pool at {url} has the ID {shown}, but this agent expects the ID {expected}",
            hint "Ask the pool's operator for the ID. Only if it is the new one, pass --accept-pool-key {shown}. \
                  Otherwise, another server may have taken over the pool's address.";
        /// The pool used to have an ID. It may have lost its data directory, or another pool may have taken over its
        /// address.
        PoolWithoutId {
            /// The pool's address.
            url: String,
            /// The ID that is pinned, or that the user passed.
            expected: PoolId,
        }: local, "the pool at {url} has no ID, but this agent expects the ID {expected}",
            hint "Ask the pool's operator to start it with the --datadir that it used before. Pass --accept-pool-key none \
                  only if the operator confirms that the pool has no ID from now on.";
        /// The server's proof of its ID is missing or not valid.
        UnprovenPool {
            /// The pool's address.
            url: String,
        }: local, "the server at {url} claims the ID of a pool but does not prove that it has the pool's key",
            hint "Check the address of the pool. Another server may have taken it over, or a proxy may be \
                  changing the response headers.";
        /// The user named this node as a peer of itself.
        NamedItself {
            /// The node, short.
            node: String,
            /// RPC address of that node.
            at: String,
        }: local, "node {node} cannot be a peer of itself (it is the node at {at})",
            hint "Pass the enode of another node, or pass another node's RPC address with --rpc.";
        /// The pool must be able to call a host, which requires a WebSocket.
        HostOverHttp {
            /// The pool's address.
            url: String,
        }: local, "the pool at {url} cannot call this host, because an agent can only be a client over HTTP",
            hint "Pass {socket}, or run `vipnode client`, which the pool does not need to call." (socket = url.replacen("http", "ws", 1));
        /// While the agent was running, its node was replaced by another one at the same address.
        OtherNode {
            /// RPC address at which the node was replaced.
            at: String,
            /// Which node answered at the start, short.
            was: String,
            /// Which node answers now, short.
            now: String,
        }: local, "a different node now responds at {at}: {now} instead of {was}",
            hint "Restart vipnode. To undo its changes on the old node, run `vipnode release`.";
        /// The operating system refused access to the agent's files.
        File {
            /// What was tried.
            doing: &'static str,
            /// With which file.
            path: PathBuf,
            /// What the system reports.
            why: std::io::Error,
        }: local, "{doing} {path}: {why}" (path = path.display()),
            hint "Check the owner and the free disk space, or use another directory: --state-dir DIR.";
        /// A file in the state directory is damaged or was changed.
        Damaged {
            /// The damaged file.
            path: PathBuf,
            /// What is wrong.
            why: String,
        }: local, "{path} cannot be read: {why}" (path = path.display()),
            hint "If the file is named journal, first run `vipnode release` to undo the changes in its readable lines; all \
                  other changes stay on the node until it restarts. Then move {path} to another directory and start \
                  again." (path = path.display());
        /// The file of the agent's own key does not contain a key.
        DamagedKey {
            /// The damaged file.
            path: PathBuf,
            /// What is wrong.
            why: NodeKeyError,
        }: local, "{path} cannot be read: {why}" (path = path.display()),
            hint "Put a copy of the file back. Without one, move {path} to another directory and start again: the agent then \
                  creates a new key." (path = path.display());
        /// The agent was started in an environment without a home directory.
        NoHome: local, "the state directory is unknown: neither XDG_STATE_HOME nor HOME is set",
            hint "Pass --state-dir DIR.";
        /// Only one agent can run for each node and state directory.
        Locked {
            /// The lock file.
            path: PathBuf,
        }: local, "another vipnode agent is running for this node and holds {path}" (path = path.display()),
            hint "Stop that agent first; `vipnode status` shows its process ID. To run another agent, give it a node of its own: --rpc FILE.ipc.";
        /// The node key was not found. It is needed at the first start and before a delegation expires.
        NoNodeKey {
            /// What was tried.
            why: FinderError,
        }: local, "the node key must sign a delegation to this agent once, but it was not found: {why}",
            hint "Run once as a user that can read the node key and pass it with --nodekey FILE (for geth, \
                  DATADIR/geth/nodekey). If only another user or machine can read it, run `vipnode link --request`.";
        /// The path is mistyped, or the node has not created its key yet.
        NodeKeyMissing {
            /// The missing key file.
            path: PathBuf,
        }: local, "the node's key file {path} does not exist" (path = path.display()),
            hint "Pass the node's key file with --nodekey FILE (for geth, DATADIR/geth/nodekey).";
        /// The key file belongs to another user, or the operating system cannot read it.
        NodeKeyFile {
            /// The unreadable key file.
            path: PathBuf,
            /// What the system reports.
            why: std::io::Error,
        }: local, "the node's key file {path} cannot be read: {why}" (path = path.display()),
            hint "Run vipnode as a user that can read the node's key file, and pass it with --nodekey FILE.";
        /// The key file does not contain a valid key.
        NodeKey {
            /// The file that should hold a key.
            path: PathBuf,
            /// What is wrong.
            why: NodeKeyError,
        }: local, "the node key in {path}: {why}" (path = path.display()),
            hint "Pass the node's key file with --nodekey FILE (for geth, DATADIR/geth/nodekey).";
        /// The key file of one node was used together with the RPC address of another.
        OtherKey {
            /// The file with the other node's key.
            path: PathBuf,
            /// The node that the key belongs to, short.
            key: String,
            /// This agent's node, short.
            node: String,
            /// RPC address of this agent's node.
            at: String,
        }: local, "the key in {path} belongs to node {key}, but the node at {at} is {node}" (path = path.display()),
            hint "Pass this node's own key file with --nodekey, or pass the RPC address of the key's node with --rpc.";
        /// The delegation is not valid for this agent.
        DelegationInvalid {
            /// What is wrong.
            why: DelegationError,
        }: local, "this delegation cannot be used by this agent: {why}",
            hint "Run `vipnode link --request` here, and then run the command that it prints where the key is \
                  readable.";
        /// The node key signed this delegation for the agent key of another state directory.
        DelegationOfOther: local,
            "this delegation is for an agent with a different state directory",
            hint "Run `vipnode link --request` here, and then run the command that it prints where the key is \
                  readable, or pass the other agent's directory: --state-dir DIR.";
        /// The node key, which signs every protocol 2 call, was not found.
        NoKeyForEachCall {
            /// What was tried.
            why: FinderError,
        }: local, "protocol 2 signs every call with the node key, which could not be read: {why}",
            hint "At every start, run as a user that can read the node key and pass it with --nodekey FILE (for geth, \
                  DATADIR/geth/nodekey). Protocol 3 needs the key only once.";
        /// The node key, which signs every protocol 2 call, cannot be used.
        KeyForEachCall {
            /// Why not.
            why: Box<AgentError>,
        }: local, "protocol 2 signs every call with the node key, which could not be read: {why}", hint_of why;
        /// The advertised enode belongs to another node.
        OtherEnode {
            /// The node in the enode, short.
            given: String,
            /// This agent's node, short.
            node: String,
            /// RPC address of this agent's node.
            at: String,
        }: local, "--enode contains node {given}, but the node at {at} is {node}",
            hint "Pass this node's own enode with --enode, pass only its host with --enode.host HOST, or pass the \
                  other node with --rpc.";
        /// The operating system's random number generator failed.
        Random {
            /// What it reports.
            why: String,
        }: local, "cannot get random bytes from the operating system: {why}", no_hint "only the operating system can fix this";
        /// The agent could not undo all changes to the node in time when it stopped.
        NotUndone {
            /// How many changes are left.
            left: usize,
        }: local, "stopping took too long; changes left on the node: {left}",
            hint "Run `vipnode release` once the node responds.";
        /// The node rejected some of the calls that undo changes, or did not respond.
        NotReleased {
            /// How many are left.
            left: usize,
            /// How many there were.
            all: usize,
            /// The first reason.
            why: NodeError,
        }: local, "changes that could not be undone: {left} of {all}: {why}",
            hint "Run `vipnode release` once the node responds.";
        /// A task of the agent ended unexpectedly.
        Internal {
            /// Which, and how.
            why: String,
        }: local, "a task of the agent failed: {why}", hint "Please report this.";
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

/// Characters of a text from a pool that are shown.
const TEXT_CHARS: usize = 1_024;

impl AgentError {
    /// A call to a pool that failed. What the pool reports is cleaned.
    pub(crate) fn call(error: CallError) -> Self {
        match error {
            CallError::Remote(error) => Self::Stopped(error.sanitized(TEXT_CHARS)),
            CallError::Open(error) => Self::Pool(error),
            why => Self::Unanswered { why },
        }
    }

    /// A response of a pool that is not one to the method.
    pub(crate) fn reply(why: &serde_json::Error) -> Self {
        Self::InvalidReply { why: why.to_string() }
    }

    /// A fault that should not happen, with what is known of it.
    pub(crate) fn internal(why: impl std::fmt::Display) -> Self {
        Self::Internal { why: why.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_rpc::SessionEnd;
    use vipnode_types::{TypedError as _, wire::ErrorCode};

    use super::*;

    #[test]
    fn a_call_that_fails_keeps_the_hint_of_its_error() {
        for error in [
            CallError::Expired,
            CallError::Full,
            CallError::TooLarge { bytes: 9 },
            CallError::Lost(SessionEnd::Silent { seconds: 9 }),
            CallError::Remote(WireError::new(ErrorCode::NotMember, "closed", "Ask the operator.")),
            CallError::Open(OpenError::Insecure { url: "ws://p".to_owned() }),
        ] {
            let (message, hint) = (error.to_string(), error.hint());
            let shown = AgentError::call(error);
            assert_eq!(shown.hint(), hint);
            assert!(shown.to_string().ends_with(&message), "{shown}");
        }
    }
}
