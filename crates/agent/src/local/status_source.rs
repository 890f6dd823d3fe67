use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use vipnode_types::wire::{
    DailyStatementRequest, ExplainReply, NodeFunds, PoolStatus, SignedDailyStatement, WireError,
};

use super::{AgentStatus, PoolState};
use crate::{
    limits::{LOCAL_DEADLINE, REQUEST_DEADLINE},
    request_error::{RETRY_MS, RequestError},
};

/// Reports an agent's status within its own process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StatusSource {
    status_queries: mpsc::Sender<StatusQuery>,
    pool_queries: mpsc::Sender<PoolQuery>,
}

/// A question to the agent core, and where its status goes.
#[derive(Debug)]
pub(crate) struct StatusQuery(pub(crate) oneshot::Sender<AgentStatus>);

/// A question to the pool, and where its answer goes.
#[derive(Debug)]
pub(crate) enum PoolQuery {
    /// Why the node has these hosts.
    Why(oneshot::Sender<Result<ExplainReply, WireError>>),
    /// The status of the pool, which may report it to members only.
    Pool(oneshot::Sender<Result<PoolStatus, WireError>>),
    /// What the node may spend, and what it earned.
    Funds(oneshot::Sender<Result<NodeFunds, WireError>>),
    /// A page of what the pool signs to the node for a day; its signature is checked before the answer.
    Daily(DailyStatementRequest, oneshot::Sender<Result<SignedDailyStatement, WireError>>),
}

/// Where the queries arrive.
#[derive(Debug)]
pub(crate) struct Queries {
    pub(crate) status: mpsc::Receiver<StatusQuery>,
    pub(crate) pool: mpsc::Receiver<PoolQuery>,
}

impl StatusSource {
    /// At most this many queries of each kind wait; a further one waits for room.
    pub(crate) fn new(waiting: usize) -> (Self, Queries) {
        let (status_queries, status) = mpsc::channel(waiting);
        let (pool_queries, pool) = mpsc::channel(waiting);
        (Self { status_queries, pool_queries }, Queries { status, pool })
    }

    /// The status of the agent; waits until it has found its node. `None` once the agent has ended.
    pub async fn status(&self) -> Option<AgentStatus> {
        let (answer, answered) = oneshot::channel();
        self.status_queries.send(StatusQuery(answer)).await.ok()?;
        answered.await.ok()
    }

    /// The same within [`LOCAL_DEADLINE`].
    pub(super) async fn status_soon(&self) -> Result<AgentStatus, WireError> {
        match timeout(LOCAL_DEADLINE, self.status()).await {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err(RequestError::Stopping.into()),
            Err(_elapsed) => Err(RequestError::AgentBusy { retry_ms: RETRY_MS }.into()),
        }
    }

    /// Asks the pool why the node has these hosts.
    pub(super) async fn explain(&self) -> Result<ExplainReply, WireError> {
        let status = self.status_soon().await?;
        if status.client.is_none() {
            return Err(RequestError::NotClient.into());
        }
        if status.pool.state == PoolState::None {
            return Err(RequestError::NoPool.into());
        }
        if status.pool.state != PoolState::Joined {
            return Err(RequestError::PoolOffline.into());
        }
        self.ask_pool(PoolQuery::Why).await
    }

    /// Asks the pool about itself.
    pub(super) async fn pool(&self) -> Result<PoolStatus, WireError> {
        if self.status_soon().await?.pool.state != PoolState::Joined {
            return Err(RequestError::NotJoined.into());
        }
        self.ask_pool(PoolQuery::Pool).await
    }

    /// Asks the pool what the node may spend, and what it earned.
    pub(crate) async fn funds(&self) -> Result<NodeFunds, WireError> {
        if self.status_soon().await?.pool.state != PoolState::Joined {
            return Err(RequestError::NotJoined.into());
        }
        self.ask_pool(PoolQuery::Funds).await
    }

    /// Asks the pool for a page of what it signs to the node for a day.
    pub(crate) async fn daily_statement(
        &self,
        request: DailyStatementRequest,
    ) -> Result<SignedDailyStatement, WireError> {
        self.ask_pool(|answer| PoolQuery::Daily(request, answer)).await
    }

    async fn ask_pool<T>(
        &self,
        query: impl FnOnce(oneshot::Sender<Result<T, WireError>>) -> PoolQuery,
    ) -> Result<T, WireError> {
        let (answer, answered) = oneshot::channel();
        let asking = async {
            self.pool_queries.send(query(answer)).await.ok()?;
            answered.await.ok()
        };
        match timeout(REQUEST_DEADLINE, asking).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(RequestError::LinkLost.into()),
            Err(_elapsed) => Err(RequestError::PoolSlow { retry_ms: RETRY_MS }.into()),
        }
    }
}
