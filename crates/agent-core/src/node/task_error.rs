use vipnode_types::errors;

errors! {
    /// Why the node did not carry out a command, where the node itself reported no error.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum TaskError {
        /// The node is known to be offline, so the call fails immediately instead of at its deadline.
        Offline: local, "the node is offline", hint "Start the node. The agent then applies the pending changes.";
        /// The agent could not write the change to the journal, which it does before it changes the node.
        NotJournaled: local, "the change could not be recorded in the journal",
            hint "Check that the disk with the state directory has free space.";
        /// The queue of commands for the node is full.
        Full: local, "too many commands are waiting for the node", hint "Check why the node responds slowly.";
        /// The node did not answer within the deadline.
        Expired {
            /// The deadline, in seconds.
            seconds: u64,
        }: local, "no answer within {seconds} s", hint "Check why the node responds slowly.";
    }
}
