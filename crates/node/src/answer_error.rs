use vipnode_types::errors;

errors! {
    /// What is wrong with an answer of a node.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum AnswerError {
        /// The response is not valid JSON-RPC, or does not have the expected format.
        Json {
            /// What is wrong.
            why: String,
        }: local, "{why}", hint "Try the same call in the node's console; if it works there, please report this.";
        /// Another program responds at the node's address, or the node returned more than expected.
        TooLarge {
            /// The limit, [`crate::limits::NodeLimits::node_bytes`].
            bytes: usize,
        }: local, "it has more than {bytes} bytes",
            hint "Check that an execution client answers at this address. If it does, read longer responses: --limit \
                  node_bytes=64MiB.";
        /// The node reported an enode that does not contain a public key.
        NoKey: local, "its enode has no valid key",
            hint "Compare `admin.nodeInfo.enode` in the node's console; if it is valid, please report this.";
        /// The node has more peers than vipnode reads from one response.
        TooManyPeers {
            /// How many there are.
            peers: usize,
            /// How many peers a list may have.
            most: usize,
        }: local, "{peers} peers exceed the limit of {most}", hint "Read longer lists (--limit node_peers=4096), or lower the node's own --maxpeers.";
        /// The node's response contains a value of a different type instead of a number.
        NotANumber {
            /// Name of the field in the node's response.
            field: &'static str,
        }: local, "{field} is not a number",
            hint "Try the same call in the node's console; if it works there, please report this.";
        /// The node is still reading its database, or has not begun to sync.
        NoBlock: local, "it has no block yet",
            hint "Wait until the node has read its database or has begun to sync; its log shows what it is doing.";
        /// `eth_chainId`, the node's settings, and `net_version` all lack a chain ID other than 0.
        NoChainId: local, "it does not report a chain ID",
            hint "Wait until the node has read its database. If that does not help, check `net.version` in the node's console: it has to be a number other than 0.";
        /// The node's response describes the genesis block without its hash.
        NoHash: local, "block 0 has no hash",
            hint "Try `eth.getBlock(0)` in the node's console; if it shows a hash, please report this.";
    }
}

impl From<serde_json::Error> for AnswerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { why: error.to_string() }
    }
}
