use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use vipnode_types::wire::{ErrorCode, ExplainReply, PoolStatus, WireError};

use super::{AgentStatus, PoolStanding};
use crate::limits::{LOCAL_DEADLINE, REQUEST_DEADLINE};

/// A question to the agent's mind; answered with what it is about.
#[derive(Debug)]
pub(crate) struct Look(pub(crate) oneshot::Sender<AgentStatus>);

/// A question to the pool, and where its answer goes.
#[derive(Debug)]
pub(crate) enum Question {
    /// Why the node has these hosts.
    Why(oneshot::Sender<Result<ExplainReply, WireError>>),
    /// What the pool tells of itself, to members only perhaps.
    Pool(oneshot::Sender<Result<PoolStatus, WireError>>),
}

/// Where an agent's status is had, in its own process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StatusSource {
    looks: mpsc::Sender<Look>,
    questions: mpsc::Sender<Question>,
}

/// Where the questions arrive.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) looks: mpsc::Receiver<Look>,
    pub(crate) questions: mpsc::Receiver<Question>,
}

impl StatusSource {
    /// At most so many questions of each kind wait; a further one waits for room.
    pub(crate) fn new(waiting: usize) -> (Self, Asked) {
        let (looks, looks_taken) = mpsc::channel(waiting);
        let (questions, questions_taken) = mpsc::channel(waiting);
        (Self { looks, questions }, Asked { looks: looks_taken, questions: questions_taken })
    }

    /// What the agent is about; waits until it has found its node. `None` once the agent has ended.
    pub async fn status(&self) -> Option<AgentStatus> {
        let (answer, answered) = oneshot::channel();
        self.looks.send(Look(answer)).await.ok()?;
        answered.await.ok()
    }

    /// The same for somebody who does not wait for ever.
    pub(super) async fn status_soon(&self) -> Result<AgentStatus, WireError> {
        match timeout(LOCAL_DEADLINE, self.status()).await {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err(ending()),
            Err(_elapsed) => Err(WireError::busy("the agent is busy", 1_000)),
        }
    }

    /// Asks the pool why the node has these hosts.
    pub(super) async fn explain(&self) -> Result<ExplainReply, WireError> {
        let status = self.status_soon().await?;
        if status.client.is_none() {
            let text = "this agent is no client: it seeks no hosts, so there is nothing to explain";
            return Err(WireError::new(ErrorCode::Unsuitable, text, "ask the agent of a client"));
        }
        if status.pool.standing == PoolStanding::None {
            let text = "there is no pool: these hosts are the ones that were named";
            return Err(WireError::new(ErrorCode::Unsuitable, text, "name other hosts, or a pool"));
        }
        if status.pool.standing != PoolStanding::Joined {
            let text = "the pool is away, and it alone knows why; leases go on";
            return Err(WireError::new(ErrorCode::Server, text, "try again once the pool is back"));
        }
        self.ask_pool(Question::Why).await
    }

    /// Asks the pool about itself.
    pub(super) async fn pool(&self) -> Result<PoolStatus, WireError> {
        if self.status_soon().await?.pool.standing != PoolStanding::Joined {
            let text = "this agent has not joined a pool now";
            return Err(WireError::new(ErrorCode::Server, text, "try again once it has"));
        }
        self.ask_pool(Question::Pool).await
    }

    async fn ask_pool<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<Result<T, WireError>>) -> Question,
    ) -> Result<T, WireError> {
        let (answer, answered) = oneshot::channel();
        let asking = async {
            self.questions.send(question(answer)).await.ok()?;
            answered.await.ok()
        };
        match timeout(REQUEST_DEADLINE, asking).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(WireError::new(ErrorCode::Server, "the connection to the pool is gone", "try again")),
            Err(_elapsed) => Err(WireError::busy("the pool did not answer in time", 1_000)),
        }
    }
}

fn ending() -> WireError {
    WireError::new(ErrorCode::Server, "the agent is about to end", "")
}
