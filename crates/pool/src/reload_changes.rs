/// What a reload of the settings changed, apart from the settings that the operator knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReloadChanges {
    /// The names of changed limits that take effect only at the next start.
    pub later_limits: Vec<&'static str>,
    /// Nodes that are members now and were not before.
    pub members_added: usize,
    /// Nodes that were members and are not any more.
    pub members_removed: usize,
    /// Connections closed because their nodes are not members any more.
    pub disconnected: usize,
}
