use vipnode_types::errors;

errors! {
    /// Why the node was not told to do something that the agent core wants.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum TaskError {
        /// The node is known not to answer, so the call fails at once instead of at its deadline.
        Offline: local, "the node is offline", hint "Start the node; the agent then does what is due.";
        /// What may be on the node is written down first, and that failed.
        NotJournaled: local, "it could not be written to the journal first",
            hint "Check that the disk of the state directory has room.";
        /// As many calls as allowed wait for the node.
        Full: local, "as many calls as allowed wait for the node", hint "Check why the node answers slowly.";
    }
}
