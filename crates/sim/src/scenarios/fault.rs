/// What goes wrong in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// A socket dies; each end notices in its own time.
    CutSocket,
    /// An agent cannot reach the pool for a while.
    PartitionAgent,
    /// An agent is killed (SIGKILL), and started again later.
    CrashAgent,
    /// An agent is stopped (SIGINT), and started again later.
    StopAgent,
    /// A node restarts and loses its state.
    RestartNode,
    /// Two nodes cannot reach each other for a while.
    SeverNodes,
    /// A connection between two nodes breaks.
    BreakLink,
    /// The pool is killed (SIGKILL), and started again later.
    CrashPool,
    /// The pool is killed, its database is replaced by the last backup, and it is started again. Only in the family in which
    /// clients pay.
    RestoreBackup,
    /// The pool's machine sleeps, for more than ten minutes at the longest.
    PausePool,
    /// Commits take seconds.
    SlowCommits,
    /// The store returns an error for a commit, and perhaps for all commits of some seconds. The pool keeps its sockets.
    FailCommit,
    /// The wall clock of an agent's machine jumps.
    JumpClock,
    /// Frames of an agent arrive seconds late.
    DelayFrames,
    /// Frames of an agent arrive twice.
    DuplicateFrames,
    /// A node does not follow the chain for a while.
    StallHead,
    /// A node answers calls with errors, whether it carried them out or not.
    FlakyNode,
    /// An agent is stopped, and comes back with the other protocol.
    SwitchProtocol,
    /// An agent reports each of its leases as up and none as down. Only one agent in a run does: two of them would bill
    /// each other.
    FalseReports,
}

/// Every kind of fault that each family may have.
pub(super) const FAULTS: [FaultKind; 18] = [
    FaultKind::CutSocket,
    FaultKind::PartitionAgent,
    FaultKind::CrashAgent,
    FaultKind::StopAgent,
    FaultKind::RestartNode,
    FaultKind::SeverNodes,
    FaultKind::BreakLink,
    FaultKind::CrashPool,
    FaultKind::PausePool,
    FaultKind::SlowCommits,
    FaultKind::FailCommit,
    FaultKind::JumpClock,
    FaultKind::DelayFrames,
    FaultKind::DuplicateFrames,
    FaultKind::StallHead,
    FaultKind::FlakyNode,
    FaultKind::SwitchProtocol,
    FaultKind::FalseReports,
];
