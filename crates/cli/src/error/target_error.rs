use vipnode_types::{EnodeError, NodeIdError, errors};

errors! {
    /// Why a text names neither a pool nor a node.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum TargetError {
        /// A node ID was given where a pool or an enode is expected.
        BareId: local, "a node ID has no address", hint "Pass enode://<id>@<host>:<port>.";
        /// The name of a role was given where a pool or an enode is expected.
        Role {
            /// The role that was passed.
            role: String,
        }: local, "that is a role, not a pool URL such as wss://pool.example",
            hint "Pass the URL of a pool. To check a role, run `vipnode doctor --role {role}`.";
        /// A word without a dot, a port, or a scheme was given where a pool is expected. It may be a mistyped command.
        Word {
            /// The word that was passed.
            word: String,
        }: local, "\"{word}\" is not the URL of a pool",
            hint "Pass a URL, such as wss://pool.example or ws://HOST:8080, or pass --pool {quoted}. To list the commands, run `vipnode --help`."
                (quoted = shlex::try_quote(word).unwrap_or_default());
    }
    also {
        /// It is not an enode.
        Enode(EnodeError);
        /// It is not a node ID.
        Id(NodeIdError);
    }
}
