use std::time::Duration;

use tokio::time::sleep;
use vipnode_agent_core::PoolState;

use crate::{AgentMetrics, local::StatusSource};

/// Shows in the metrics what a node can spend at its pool and what it has earned there: only the pool knows it.
#[derive(Debug)]
pub(super) struct FundsMetrics {
    pub(super) source: StatusSource,
    pub(super) metrics: AgentMetrics,
    /// How often the pool is asked.
    pub(super) every: Duration,
}

/// When to look again whether the agent has joined its pool.
const LOOK: Duration = Duration::from_secs(2);

impl FundsMetrics {
    /// Runs until it is dropped.
    pub(super) async fn run(self) {
        loop {
            sleep(self.look().await).await;
        }
    }

    /// Returns when to look again. A question that fails is asked again at the next time.
    async fn look(&self) -> Duration {
        let Some(status) = self.source.status().await else { return self.every };
        if status.pool.state != PoolState::Joined {
            return LOOK.min(self.every);
        }
        if status.pool.terms.is_some_and(|terms| !terms.payment.is_none())
            && let Ok(funds) = self.source.funds().await
        {
            self.metrics.show_funds(&funds);
        }
        self.every
    }
}
