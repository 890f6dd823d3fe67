use vipnode_types::Ms;

/// Why an agent is not connected to its pool, and when it tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLoss {
    /// The reason of the newest failure.
    pub why: String,
    /// Since when the agent is not connected, whatever the reasons were.
    pub since: Ms,
    /// When it tries again; `None` if it is stopping.
    pub retry: Option<Ms>,
}

/// Characters that are kept of a reason, which can be a text of the pool.
const REASON_CHARS: usize = 300;

impl PoolLoss {
    /// Records another failure.
    pub(crate) fn again(before: Option<Self>, now: Ms, why: &str) -> Self {
        let since = before.map_or(now, |before| before.since);
        Self { why: vipnode_types::sanitize(why, REASON_CHARS), since, retry: None }
    }
}
