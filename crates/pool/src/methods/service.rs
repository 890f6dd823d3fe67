use std::{sync::Arc, thread::available_parallelism, time::Instant};

use serde_json::value::RawValue;
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use vipnode_pool_core::{Command, Limits, PoolLimits};
use vipnode_store::{DatabaseFile, StoreReader};
use vipnode_types::{
    PaymentMode,
    wire::{VoucherRequest, WireError},
};

use crate::{
    PoolConfig, ReloadChanges,
    auth::AccessControl,
    call_refusal::CallRefusal,
    engine::{Connections, Gateway, HealthError, Inbox, NOBODY, reply_text, wall_clock},
    fairness::{Block, Caller, FairPermit, FairSemaphore, FairWait, PermitClass, PortTests},
    methods::{Monitor, http_sessions::HttpSessions, statements::Statements},
    metrics::Metrics,
};

/// The service of the methods, for all connections.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) limits: PoolLimits,
    pub(crate) access: Arc<AccessControl>,
    pub(crate) gateway: Gateway,
    pub(crate) connections: Arc<Connections>,
    pub(crate) sessions: HttpSessions,
    pub(crate) monitor: Monitor,
    pub(crate) metrics: Arc<Metrics>,
    /// The file of the store, if it has one.
    database: Option<DatabaseFile>,
    pub(crate) statements: Statements,
    /// The chain on which clients deposit, if they do.
    channel_chain: Option<u64>,
    /// Limits concurrent signature checks.
    checks: Arc<FairSemaphore>,
    pub(crate) port_tests: PortTests,
    /// Charged for the pool's own requests.
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
        (inbox, database, reader): (Inbox, Option<DatabaseFile>, Arc<dyn StoreReader>),
    ) -> Self {
        let checks = match limits.signature_checks {
            0 => available_parallelism().map_or(1, |cores| cores.get() / 2).max(1),
            checks => checks,
        };
        let statements = Statements::new(reader, &limits, core.payment != PaymentMode::None, access.key());
        Self {
            access,
            gateway: Gateway::new(&limits, inbox),
            connections,
            monitor: Monitor::new(limits.health_age),
            sessions: HttpSessions::new(&limits, core, wall_clock()),
            metrics,
            database,
            statements,
            channel_chain: core.channel.map(|channel| channel.chain_id),
            checks: Arc::new(FairSemaphore::new(checks)),
            port_tests: PortTests::new(&limits),
            own: Arc::new(Block::unlimited()),
            kept_status: Mutex::new(None),
            limits,
        }
    }

    /// Whether the core answers, and whether the store writes to the file that the next start will read.
    pub(crate) async fn health(&self) -> Result<(), HealthError> {
        self.gateway.health().await?;
        self.database.as_ref().map_or(Ok(()), DatabaseFile::check).map_err(|source| HealthError::Store { source })
    }

    /// Applies new access rules, and new limits of the core. Returns what changed.
    pub(crate) async fn reload(&self, config: &PoolConfig) -> ReloadChanges {
        let (members_added, members_removed) = self.access.replace(config.access_rules());
        let limits = Limits { members_only: self.access.is_closed(), ..config.core.clone() };
        let mut changes = self.gateway.reload(limits).await;
        let own = PoolLimits::TABLE.iter().filter(|row| (row.get)(&self.limits) != (row.get)(&config.limits));
        changes.later_limits.extend(own.map(|row| row.name));
        ReloadChanges { members_added, members_removed, ..changes }
    }

    /// Checks the signature of a voucher, for which the caller holds a permit. A pool without channels leaves the answer to the core.
    pub(crate) fn verify_voucher(&self, voucher: &VoucherRequest) -> Result<(), WireError> {
        if let Some(chain_id) = self.channel_chain {
            voucher.verify(chain_id)?;
        }
        Ok(())
    }

    /// Returns a permit to check a signature, or a waiter for [`Service::wait_for_check`].
    pub(crate) fn try_check(&self, caller: &Caller) -> Result<FairPermit, FairWait> {
        self.checks.acquire(caller.address_block(), caller.checks())
    }

    /// Waits for a permit to check a signature, for at most [`PoolLimits::check_wait`].
    pub(crate) async fn wait_for_check(&self, wait: FairWait) -> Result<FairPermit, WireError> {
        let permit = timeout(self.limits.check_wait, wait.permit()).await.ok().flatten();
        permit.ok_or_else(|| CallRefusal::Overloaded { retry_ms: self.limits.retry_ms() }.into())
    }

    /// Returns a permit to check a signature; waits for one if necessary.
    pub(crate) async fn acquire_check(&self, caller: &Caller) -> Result<FairPermit, WireError> {
        match self.try_check(caller) {
            Ok(permit) => Ok(permit),
            Err(wait) => self.wait_for_check(wait).await,
        }
    }

    /// Returns the status, if the caller may see it; `connected` is whether it has connected. The status is built at most
    /// once per [`PoolLimits::status_age`].
    pub(crate) async fn status(&self, connected: bool) -> Result<Box<RawValue>, WireError> {
        self.access.admit_to_status(connected)?;
        let mut kept = self.kept_status.lock().await;
        if let Some((made, status)) = &*kept
            && made.elapsed() < self.limits.status_age
        {
            return Ok(status.clone());
        }
        let status = self.status_now().await?;
        *kept = Some((Instant::now(), status.clone()));
        Ok(status)
    }

    /// Builds the status if everyone may see it.
    pub(crate) async fn public_status(&self) -> Result<Box<RawValue>, WireError> {
        self.access.admit_to_status(false)?;
        self.status_now().await
    }

    async fn status_now(&self) -> Result<Box<RawValue>, WireError> {
        let make = |request| Command::Status { connection: NOBODY, request };
        let command = self.gateway.prepare(PermitClass::Other, make)?;
        reply_text(&self.gateway.answer(&self.own, command).await?)
    }

    /// Returns the status, for a caller of this address block, which its bytes are charged to.
    pub(crate) async fn status_for(&self, connected: bool, block: &Block) -> Result<Box<RawValue>, WireError> {
        let status = self.status(connected).await?;
        self.charge(block, status.get().len()).await?;
        Ok(status)
    }

    /// Charges an answer to an address block, and waits until it may be sent.
    pub(crate) async fn charge(&self, block: &Block, bytes: usize) -> Result<(), CallRefusal> {
        let wait = block.charge_bytes(bytes, Instant::now(), self.limits.block_wait);
        let wait = wait.map_err(|retry_ms| CallRefusal::BlockBytes { retry_ms })?;
        if !wait.is_zero() {
            sleep(wait).await;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use vipnode_store::{MemoryStore, ReadLimits, Store as _};
    use vipnode_types::wire::ErrorCode;

    use super::*;
    use crate::{
        PoolMetrics,
        auth::{Audience, BansAndDrains},
        engine::{InboxReader, inbox},
        fairness::ConnectionLimiter,
    };

    /// A service without a core: its messages to the core arrive at the reader.
    pub(crate) fn service(limits: PoolLimits) -> (Arc<Service>, InboxReader) {
        let config = PoolConfig::new(([127, 0, 0, 1], 1).into()).unwrap();
        let metrics = PoolMetrics::default().shared();
        let (inbox, reader) = inbox(metrics.queue.clone(), &limits);
        let access = AccessControl::new(
            Audience::new(config.bind, &[], None),
            None,
            BansAndDrains::open(None, &config.limits).unwrap(),
            config.access_rules(),
        );
        let connections = Arc::new(Connections::new(inbox.clone()));
        let store_reader = MemoryStore::new().reader(ReadLimits::default()).unwrap();
        let service =
            Service::new(limits, &config.core, Arc::new(access), connections, metrics, (inbox, None, store_reader));
        (Arc::new(service), reader)
    }

    #[tokio::test]
    async fn a_signature_beyond_the_concurrent_checks_waits_no_longer_than_allowed() {
        let limits = PoolLimits { signature_checks: 1, check_wait: Duration::ZERO, ..PoolLimits::default() };
        let (service, _reader) = service(limits);
        let limiter = Arc::new(ConnectionLimiter::new(&service.limits));
        let caller = limiter.admit(Ipv4Addr::LOCALHOST.into(), Instant::now()).unwrap();
        let permit = service.try_check(&caller).unwrap();
        let wait = service.try_check(&caller).unwrap_err();
        assert!(service.wait_for_check(wait).await.unwrap_err().is(ErrorCode::Busy));
        drop(permit);
        assert!(service.try_check(&caller).is_ok());
    }
}
