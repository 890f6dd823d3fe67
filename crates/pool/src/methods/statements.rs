//! Statements: read from the store, not from the core, which has only the sums.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::value::{RawValue, to_raw_value};
use tokio::{task::spawn_blocking, time::timeout};
use vipnode_pool_core::{ConnectionId, CoreError, PoolLimits};
use vipnode_store::{
    DailyRead, ReadLimits, StoreError, StoreReader, StoreSnapshot, account_statement, daily_statement, node_statement,
};
use vipnode_types::{
    Account, NodeId, PoolKey,
    wire::{DailyStatementRequest, SignedDailyStatement, Statement, StatementRange, WireError},
};

use crate::{
    call_refusal::CallRefusal,
    fairness::{Block, Caller, FairPermit, FairSemaphore, PermitsHeld},
    methods::Service,
};

/// Reads statements for a few callers at a time.
#[derive(Debug)]
pub(crate) struct Statements {
    reader: Arc<dyn StoreReader>,
    permits: Arc<FairSemaphore>,
    /// How long a read waits, and how long it lasts.
    time: Duration,
    /// Entries of the ledger on one page.
    most: usize,
    /// Lines on one page of a daily statement.
    daily_lines: usize,
    retry_ms: u64,
    has_ledger: bool,
    /// Signs daily statements.
    key: Option<Arc<PoolKey>>,
}

/// Reads that the operator makes next to those of agents and accounts.
const OPERATORS: usize = 2;

/// Whose statement is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StatementOf {
    Account(Account),
    /// A node, if the core has accepted the agent on this connection.
    Node(NodeId, ConnectionId),
}

/// A call for a page of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StatementCall {
    /// Of the ledger.
    Page(PageCall),
    /// Of what the pool signs to a node for a day, if the core has accepted the agent on this connection.
    Daily(NodeId, ConnectionId, DailyStatementRequest),
}

/// A call for a page of the ledger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageCall {
    pub(crate) of: StatementOf,
    pub(crate) range: StatementRange,
}

/// The turn of an address block to read.
struct ReadTurn {
    _permit: FairPermit,
    block: Arc<Block>,
}

/// A read that has begun; its block is charged when it is dropped.
struct ChargedRead {
    turn: ReadTurn,
    began: Instant,
}

impl ReadTurn {
    fn begin(self) -> ChargedRead {
        ChargedRead { turn: self, began: Instant::now() }
    }
}

impl Drop for ChargedRead {
    fn drop(&mut self) {
        self.turn.block.spend_statement_time(self.began, self.began.elapsed());
    }
}

impl Statements {
    /// What the readers of a store may use, so that these limits hold.
    pub(crate) const fn read_limits(limits: &PoolLimits) -> ReadLimits {
        ReadLimits { snapshots: limits.statements.saturating_add(OPERATORS), time: limits.statement_time }
    }

    pub(crate) fn new(
        reader: Arc<dyn StoreReader>,
        limits: &PoolLimits,
        has_ledger: bool,
        key: Option<Arc<PoolKey>>,
    ) -> Self {
        Self {
            reader,
            permits: Arc::new(FairSemaphore::new(limits.statements)),
            time: limits.statement_time,
            most: limits.statement_entries,
            daily_lines: limits.daily_lines,
            retry_ms: limits.retry_ms(),
            has_ledger,
            key,
        }
    }

    /// Reads a page for the operator.
    pub(crate) async fn read(&self, account: Account, range: StatementRange) -> Result<Statement, WireError> {
        self.read_with(None, PageCall { of: StatementOf::Account(account), range }).await
    }

    /// Reads a page for a caller from the network, once it is its address block's turn.
    async fn read_for(&self, caller: &Caller, call: PageCall) -> Result<Statement, WireError> {
        self.read_with(Some(self.turn(caller).await?), call).await
    }

    /// Waits for the turn of a caller's address block.
    async fn turn(&self, caller: &Caller) -> Result<ReadTurn, WireError> {
        let block = caller.charged_to();
        block.statement_time_left(Instant::now()).map_err(|retry_ms| CallRefusal::StatementTime { retry_ms })?;
        // Not those of signature checks, for whose time the caller takes no turn.
        let permit = match self.permits.acquire(caller.address_block(), &PermitsHeld::default()) {
            Ok(permit) => Some(permit),
            Err(wait) => timeout(self.time, wait.permit()).await.ok().flatten(),
        };
        let permit = permit.ok_or(CallRefusal::Overloaded { retry_ms: self.retry_ms })?;
        // Others of the block may have read meanwhile.
        block.statement_time_left(Instant::now()).map_err(|retry_ms| CallRefusal::StatementTime { retry_ms })?;
        Ok(ReadTurn { _permit: permit, block: Arc::clone(block) })
    }

    /// Reads a page of what a host earned on a day, and signs it. The turn is held and charged until the read ends.
    async fn sign_day(
        &self,
        turn: ReadTurn,
        host: NodeId,
        request: DailyStatementRequest,
    ) -> Result<SignedDailyStatement, WireError> {
        if !self.has_ledger {
            return Err(CoreError::NoLedger.into());
        }
        let (key, most) = (self.key.clone().ok_or(CallRefusal::NoKey)?, self.daily_lines);
        let signed = self.with_snapshot(move |snapshot| {
            let _charged = turn.begin();
            let of = (key.id(), &host);
            let read = daily_statement(snapshot, of, request, most, &mut |payer| key.meter_of(payer))?;
            Ok(match read {
                DailyRead::Page(page) => Ok(page.sign(&key)),
                DailyRead::NotOver => Err(None),
                DailyRead::Pruned => Err(Some(CallRefusal::DayPruned { day: request.day })),
                DailyRead::NoPage { pages } => Err(Some(CallRefusal::NoDailyPage { pages })),
            })
        });
        let not_over = || CallRefusal::DayNotOver { day: request.day, retry_ms: self.retry_ms };
        signed.await?.map_err(|refusal| refusal.unwrap_or_else(not_over).into())
    }

    /// The turn is held and charged until the read ends, even if the caller no longer waits.
    async fn read_with(&self, turn: Option<ReadTurn>, call: PageCall) -> Result<Statement, WireError> {
        if !self.has_ledger {
            return Err(CoreError::NoLedger.into());
        }
        let PageCall { of, range } = call;
        let most = usize::try_from(range.most.max(1)).unwrap_or(usize::MAX).min(self.most);
        self.with_snapshot(move |snapshot| {
            let _charged = turn.map(ReadTurn::begin);
            match of {
                StatementOf::Account(account) => account_statement(snapshot, account, range, most),
                StatementOf::Node(node, _) => node_statement(snapshot, &node, range, most),
            }
        })
        .await
    }

    /// Reads from a snapshot of the store, on a thread that may wait.
    pub(crate) async fn with_snapshot<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn StoreSnapshot) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, WireError> {
        let reader = Arc::clone(&self.reader);
        let read = spawn_blocking(move || work(&mut *reader.read(0)?)).await;
        let read = read.map_err(|error| CallRefusal::Internal { why: error.to_string() })?;
        read.map_err(|error| self.refusal(&error).into())
    }

    fn refusal(&self, error: &StoreError) -> CallRefusal {
        match error {
            StoreError::CursorBalances | StoreError::CursorPruned => CallRefusal::invalid_params(error),
            StoreError::ReadTime { limit_ms } => CallRefusal::SlowStatement { limit_s: limit_ms / 1_000 },
            StoreError::TooManyReads { .. } | StoreError::ReadCanceled | StoreError::NotDurable { .. } => {
                CallRefusal::Overloaded { retry_ms: self.retry_ms }
            }
            // A caller from the network does not get the paths of the pool's files.
            error => {
                tracing::error!(%error, "the pool cannot read a statement from its store");
                CallRefusal::StoreUnread
            }
        }
    }
}

impl StatementCall {
    /// Answers the call.
    pub(crate) async fn answer(self, service: &Service, caller: &Caller) -> Result<Box<RawValue>, WireError> {
        if let Self::Page(PageCall { of: StatementOf::Node(_, connection), .. }) | Self::Daily(_, connection, _) = self
        {
            service.gateway.passed(connection).await;
            if !service.connections.is_confirmed(connection) {
                return Err(CallRefusal::NotAuthenticated.into());
            }
        }
        let statements = &service.statements;
        let answer = match self {
            Self::Page(call) => to_raw_value(&statements.read_for(caller, call).await?),
            Self::Daily(node, _, request) => {
                let turn = statements.turn(caller).await?;
                to_raw_value(&statements.sign_day(turn, node, request).await?)
            }
        };
        Ok(answer.map_err(|error| CallRefusal::Internal { why: error.to_string() })?)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Instant};

    use vipnode_store::{MemoryStore, Store as _};
    use vipnode_types::wire::ErrorCode;

    use super::*;
    use crate::fairness::ConnectionLimiter;

    #[tokio::test]
    async fn a_read_beyond_those_at_the_same_time_waits_no_longer_than_allowed() {
        let limits = PoolLimits { statements: 1, ..PoolLimits::default() };
        let reader = MemoryStore::new().reader(Statements::read_limits(&limits)).unwrap();
        let mut statements = Statements::new(reader, &limits, true, None);
        let limiter = Arc::new(ConnectionLimiter::new(&limits));
        let caller = limiter.admit(Ipv4Addr::LOCALHOST.into(), Instant::now()).unwrap();
        let of = StatementOf::Account(Account::new([1; 20]));
        let call = PageCall { of, range: StatementRange::default() };
        let permit = statements.permits.acquire(caller.address_block(), &PermitsHeld::default()).unwrap();
        statements.time = Duration::ZERO;
        assert!(statements.read_for(&caller, call).await.unwrap_err().is(ErrorCode::Busy));
        assert_eq!(statements.read(Account::new([1; 20]), call.range).await.unwrap().lines, [], "the operator's own");
        drop(permit);
        assert_eq!(statements.read_for(&caller, call).await.unwrap().lines, []);
    }

    #[tokio::test]
    async fn a_block_whose_statements_took_too_long_waits() {
        let limits = PoolLimits::default();
        let reader = MemoryStore::new().reader(Statements::read_limits(&limits)).unwrap();
        let statements = Statements::new(reader, &limits, true, None);
        let limiter = Arc::new(ConnectionLimiter::new(&limits));
        let [caller, other] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 1, 0, 1)]
            .map(|address| limiter.admit(address.into(), Instant::now()).unwrap());
        let of = StatementOf::Account(Account::new([1; 20]));
        let call = PageCall { of, range: StatementRange::default() };
        assert!(statements.read_for(&caller, call).await.is_ok());
        let began = Instant::now();
        caller.charged_to().spend_statement_time(began, limits.statement_time.saturating_mul(2));
        let refusal = statements.read_for(&caller, call).await.unwrap_err();
        assert!(refusal.is(ErrorCode::Busy) && refusal.message.contains("too much time"), "{refusal:?}");
        assert!(statements.read_for(&other, call).await.is_ok());
    }

    /// It was called an answer that cannot be serialized, to be reported with the pool's log, which the caller does not have.
    #[test]
    fn a_store_that_fails_is_not_a_bug_of_the_caller() {
        let limits = PoolLimits::default();
        let reader = MemoryStore::new().reader(Statements::read_limits(&limits)).unwrap();
        let refusal =
            Statements::new(reader, &limits, true, None).refusal(&StoreError::Full { file: "/secret".into() });
        let error = WireError::from(refusal);
        assert_eq!(error.message, "the pool cannot read its store");
        assert!(!error.data.unwrap().hint.contains("Report"));
    }

    #[tokio::test]
    async fn a_read_is_charged_to_its_block() {
        let limits = PoolLimits { statement_time: Duration::from_nanos(1), ..PoolLimits::default() };
        let limiter = Arc::new(ConnectionLimiter::new(&limits));
        let caller = limiter.admit(Ipv4Addr::LOCALHOST.into(), Instant::now()).unwrap();
        let permits = Arc::new(FairSemaphore::new(1));
        let permit = permits.acquire(caller.address_block(), &PermitsHeld::default()).unwrap();
        let turn = ReadTurn { _permit: permit, block: Arc::clone(caller.charged_to()) };
        let read = turn.begin();
        let at = read.began;
        assert_eq!(caller.charged_to().statement_time_left(at), Ok(()));
        while read.began.elapsed().is_zero() {}
        drop(read);
        assert!(caller.charged_to().statement_time_left(at).is_err());
        assert!(permits.acquire(caller.address_block(), &PermitsHeld::default()).is_ok(), "the permit came back");
    }
}
