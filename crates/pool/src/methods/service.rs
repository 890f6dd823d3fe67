use std::{sync::Arc, thread::available_parallelism, time::Instant};

use serde_json::value::RawValue;
use tokio::{
    sync::{Mutex, Semaphore, oneshot},
    time::timeout,
};
use vipnode_pool_core::{Command, Limits, PoolLimits};
use vipnode_types::wire::WireError;

use crate::{
    PoolConfig,
    auth::AccessControl,
    engine::{Connections, Gateway, Inbox, NOBODY, reply_text, wall_clock},
    error::Refusal,
    fairness::{Block, FairPermit, FairSemaphore, PermitClass},
    methods::http_sessions::HttpSessions,
    metrics::Metrics,
};

/// What serves the methods, on all connections.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) limits: PoolLimits,
    pub(crate) access: Arc<AccessControl>,
    pub(crate) gateway: Gateway,
    pub(crate) connections: Arc<Connections>,
    pub(crate) sessions: HttpSessions,
    pub(crate) metrics: Arc<Metrics>,
    /// Signature checks.
    checks: Arc<FairSemaphore>,
    /// Ports that are tried at once.
    pub(crate) reaches: Semaphore,
    /// Stands for the pool's own requests.
    own: Arc<Block>,
    kept_status: Mutex<Option<(Instant, Box<RawValue>)>>,
}

impl Service {
    pub(crate) fn new(
        limits: PoolLimits,
        core: &Limits,
        access: Arc<AccessControl>,
        connections: Arc<Connections>,
        metrics: Arc<Metrics>,
        inbox: Inbox,
    ) -> Self {
        let checks = match limits.signature_checks {
            0 => available_parallelism().map_or(1, |cores| cores.get() / 2).max(1),
            checks => checks,
        };
        Self {
            access,
            gateway: Gateway::new(&limits, inbox),
            connections,
            sessions: HttpSessions::new(limits.http_agents, core, wall_clock()),
            metrics,
            checks: Arc::new(FairSemaphore::new(checks)),
            reaches: Semaphore::new(limits.reaches),
            own: Arc::new(Block::new(&limits, Instant::now())),
            kept_status: Mutex::new(None),
            limits,
        }
    }

    /// Takes other rules, and has the core take other limits. Returns the names of changed limits that are taken at a
    /// start only.
    pub(crate) async fn reload(&self, config: &PoolConfig) -> Vec<&'static str> {
        self.access.replace(config.access_rules());
        let limits = Limits { closed: self.access.is_closed(), ..config.core.clone() };
        let mut refused = self.gateway.reload(limits).await;
        let own = PoolLimits::TABLE.iter().filter(|row| (row.get)(&self.limits) != (row.get)(&config.limits));
        refused.extend(own.map(|row| row.name));
        refused
    }

    /// Returns a permit to check a signature, or what [`Service::wait_for_check`] waits for.
    pub(crate) fn try_check(&self, block: &Arc<Block>) -> Result<FairPermit, oneshot::Receiver<FairPermit>> {
        self.checks.acquire(block)
    }

    /// Waits for a permit to check a signature, at most for [`PoolLimits::check_wait`].
    pub(crate) async fn wait_for_check(&self, wait: oneshot::Receiver<FairPermit>) -> Result<FairPermit, WireError> {
        let permit = timeout(self.limits.check_wait, wait).await.ok().and_then(Result::ok);
        permit.ok_or_else(|| Refusal::Overloaded { retry_ms: self.limits.retry_ms() }.into())
    }

    /// Returns a permit to check a signature, waited for where there is none now.
    pub(crate) async fn acquire_check(&self, block: &Arc<Block>) -> Result<FairPermit, WireError> {
        match self.try_check(block) {
            Ok(permit) => Ok(permit),
            Err(wait) => self.wait_for_check(wait).await,
        }
    }

    /// Returns the status, for a caller that has connected or not. It is made at most once in
    /// [`PoolLimits::status_age`].
    pub(crate) async fn status(&self, connected: bool) -> Result<Box<RawValue>, WireError> {
        self.access.admit_to_status(connected)?;
        let mut kept = self.kept_status.lock().await;
        if let Some((made, status)) = &*kept
            && made.elapsed() < self.limits.status_age
        {
            return Ok(status.clone());
        }
        let make = |request| Command::Status { connection: NOBODY, request };
        let command = self.gateway.prepare(PermitClass::Other, make)?;
        let status = reply_text(&self.gateway.answer(&self.own, command).await?)?;
        *kept = Some((Instant::now(), status.clone()));
        Ok(status)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use vipnode_types::wire::ErrorCode;

    use super::*;
    use crate::{
        PoolMetrics,
        auth::Audience,
        engine::{InboxReader, inbox},
    };

    /// A service without a core: what it hands on comes to the reader.
    pub(crate) fn service(limits: PoolLimits) -> (Arc<Service>, InboxReader) {
        let config = PoolConfig::new(([127, 0, 0, 1], 1).into()).unwrap();
        let metrics = PoolMetrics::default().shared();
        let (inbox, reader) = inbox(metrics.queue.clone());
        let access = AccessControl::new(Audience::new(config.bind, &[], None), config.access_rules());
        let connections = Arc::new(Connections::new(inbox.clone()));
        let service = Service::new(limits, &config.core, Arc::new(access), connections, metrics, inbox);
        (Arc::new(service), reader)
    }

    #[tokio::test]
    async fn so_many_signatures_are_checked_at_once_and_the_next_waits_no_longer_than_allowed() {
        let limits = PoolLimits { signature_checks: 1, check_wait: Duration::ZERO, ..PoolLimits::default() };
        let (service, _reader) = service(limits);
        let permit = service.try_check(&service.own).unwrap();
        let wait = service.try_check(&service.own).unwrap_err();
        assert!(service.wait_for_check(wait).await.unwrap_err().is(ErrorCode::Busy));
        drop(permit);
        assert!(service.try_check(&service.own).is_ok());
    }
}
