use std::{io, path::Path, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use tokio::task::spawn_blocking;
use vipnode_files::make_own_dir;
use vipnode_pool_core::{Command, NodeView};
use vipnode_rpc::{IpcListener, IpcPeer, IpcServer, IpcServerLimits, IpcService, Responder};
use vipnode_types::{sanitize, wire::WireError};

use super::{
    AccountStatementRequest, AdminAudit, AdminBans, AdminDrained, AdminUrls, AuditRecord, AuditRequest, BanRequest,
    Banned, DrainRequest, EpochRequest, FoldRequest, OPERATOR_LOG, PruneRequest, UnbanRequest, UrlsRequest,
    audit_log::AuditLog,
    epoch, fold,
    leases::leases,
    ledger, method,
    nodes::{Pages, nodes},
    price, prune,
    top::top,
};
use crate::{
    auth::{Ban, BanError, BanTarget},
    call_refusal::CallRefusal,
    close_reason::CloseReason,
    engine::{OperatorQuery, wall_clock},
    fairness::ConnectionLimiter,
    methods::Service,
};

/// Answers the operator.
#[derive(Debug, Clone)]
pub(crate) struct AdminService {
    pub(super) service: Arc<Service>,
    pub(super) limiter: Arc<ConnectionLimiter>,
    audit_log: Arc<AuditLog>,
}

/// The connections of an operator and the operator's scripts, so many that those which a script has left open hold up nobody.
const CONNECTIONS: usize = 256;
/// Requests have few fields.
pub(super) const REQUEST_BYTES: usize = 16 << 10;
/// Requests that wait on one connection.
const REQUESTS: usize = 4;
/// A connection without a request is closed after this time.
const IDLE: Duration = Duration::from_secs(10);
/// A connection stays this long after it opened, and after each answer, although another one waits.
const SETTLE: Duration = Duration::from_millis(500);
/// The pause between two attempts to accept a connection.
const RETRY: Duration = Duration::from_millis(100);

/// Listens on a socket in a directory that is made its owner's alone.
///
/// # Errors
/// The system's error; the directory above it is not safe.
pub(crate) fn listen(socket: &Path) -> io::Result<IpcServer> {
    make_own_dir(socket.parent().unwrap_or(socket))?;
    let limits = IpcServerLimits {
        connections: CONNECTIONS,
        request_bytes: REQUEST_BYTES,
        requests: REQUESTS,
        idle: IDLE,
        settle: SETTLE,
        retry: RETRY,
    };
    Ok(IpcServer::new(IpcListener::bind(socket)?, limits))
}

impl IpcService for AdminService {
    async fn answer(&self, peer: IpcPeer, method: &str, params: &RawValue, responder: Responder) {
        responder.respond_raw(self.handle(peer, method, params).await);
    }
}

impl AdminService {
    pub(crate) const fn new(service: Arc<Service>, limiter: Arc<ConnectionLimiter>, audit_log: Arc<AuditLog>) -> Self {
        Self { service, limiter, audit_log }
    }

    /// Answers a call. An admin command is written to the audit log before it is carried out, and again if it is
    /// refused.
    async fn handle(&self, peer: IpcPeer, method: &str, params: &RawValue) -> Result<Box<RawValue>, WireError> {
        let is_order = match method {
            method::BAN | method::UNBAN | method::DRAIN | method::LEDGER | method::PRICE => true,
            // One order has many steps.
            method::PRUNE => parse::<PruneRequest>(params)?.position.is_none(),
            method::FOLD => parse::<FoldRequest>(params)?.after.is_none(),
            method::EPOCH => parse::<EpochRequest>(params)?.run,
            _ => false,
        };
        if !is_order {
            return self.carry_out(peer, method, params).await;
        }
        self.record(peer, method, params, None).await?;
        let done = self.carry_out(peer, method, params).await;
        if let Err(refused) = &done {
            self.record(peer, method, params, Some(refused.message.clone())).await?;
        }
        done
    }

    async fn record(
        &self,
        peer: IpcPeer,
        method: &str,
        params: &RawValue,
        refused: Option<String>,
    ) -> Result<(), WireError> {
        let params = serde_json::from_str(params.get()).unwrap_or_default();
        let IpcPeer { user, process } = peer;
        let record = AuditRecord { at_ms: wall_clock(), user, process, method: method.to_owned(), params, refused };
        let log = Arc::clone(&self.audit_log);
        let written = spawn_blocking(move || log.append(&record)).await;
        let written = written.map_err(|error| CallRefusal::Internal { why: error.to_string() })?;
        Ok(written.map_err(|error| CallRefusal::AuditLog { why: error.to_string() })?)
    }

    async fn audit(&self, request: AuditRequest) -> Result<AdminAudit, WireError> {
        let log = Arc::clone(&self.audit_log);
        let read = spawn_blocking(move || log.page(&request)).await;
        let read = read.map_err(|error| CallRefusal::Internal { why: error.to_string() })?;
        let read = read.map_err(|error| CallRefusal::AuditLog { why: error.to_string() })?;
        Ok(read.ok_or(CallRefusal::NoAuditLog)?)
    }

    async fn carry_out(&self, peer: IpcPeer, method: &str, params: &RawValue) -> Result<Box<RawValue>, WireError> {
        match method {
            method::URLS => {
                let UrlsRequest {} = parse(params)?;
                json(&AdminUrls { urls: self.service.access.urls() })
            }
            method::AUDIT => json(&self.audit(parse(params)?).await?),
            method::TOP => json(&top(self, parse(params)?).await?),
            method::NODES => json(&nodes(self, &parse(params)?).await?),
            method::LEASES => json(&leases(self, parse(params)?).await?),
            method::BAN => json(&self.ban(parse(params)?).await?),
            method::UNBAN => json(&self.unban(parse(params)?).await?),
            method::BANS => json(&self.bans()),
            method::DRAIN => json(&self.drain(parse(params)?).await?),
            method::LEDGER => json(&ledger::change(self, parse(params)?, peer.user).await?),
            method::ACCOUNTS => json(&ledger::accounts(self, parse(params)?).await?),
            method::STATEMENT => {
                let AccountStatementRequest { account, range } = parse(params)?;
                json(&self.service.statements.read(account, range).await?)
            }
            method::FOLD => json(&fold::fold(self, parse(params)?).await?),
            method::PRUNE => json(&prune::prune(self, parse(params)?).await?),
            method::PRICE => json(&price::announce(self, &parse(params)?).await?),
            method::CLAIMS => json(&ledger::claims(self, parse(params)?).await?),
            method::EPOCH => json(&epoch::epoch(self, parse(params)?).await?),
            method::PAYOUTS => json(&ledger::payouts(self, parse(params)?).await?),
            other => Err(CallRefusal::unknown_method(other).into()),
        }
    }

    /// Bans a target, then ends its connections and leases. The ban is in force first, so that no new one is missed.
    async fn ban(&self, request: BanRequest) -> Result<Banned, WireError> {
        let since_ms = wall_clock();
        let reason = request.reason.map(|reason| sanitize(&reason, Ban::REASON_CHARS)).filter(|text| !text.is_empty());
        let until_ms = request.for_ms.map(|time| since_ms.plus(time));
        let ban = Ban { target: request.target, reason, since_ms, until_ms };
        let added = ban.clone();
        self.order(move |bans_and_drains| bans_and_drains.ban(added, since_ms)).await?;
        let ended_nodes = self.end(&ban).await?;
        tracing::info!(target: OPERATOR_LOG, banned = %ban.target, ended_nodes, "a ban by the operator is in effect");
        Ok(Banned { ban, ended_nodes, kept: self.service.access.bans_and_drains().are_kept() })
    }

    async fn unban(&self, request: UnbanRequest) -> Result<AdminBans, WireError> {
        self.order(move |bans_and_drains| bans_and_drains.unban(&request.target, wall_clock())).await?;
        tracing::info!(target: OPERATOR_LOG, unbanned = %request.target, "the operator removed a ban");
        Ok(self.bans())
    }

    fn bans(&self) -> AdminBans {
        let bans_and_drains = self.service.access.bans_and_drains();
        AdminBans { bans: bans_and_drains.bans(wall_clock()), kept: bans_and_drains.are_kept() }
    }

    async fn drain(&self, request: DrainRequest) -> Result<AdminDrained, WireError> {
        let DrainRequest { node, stop } = request;
        self.order(move |bans_and_drains| bans_and_drains.drain(node, !stop, wall_clock())).await?;
        let bans_and_drains = self.service.access.bans_and_drains();
        let drains = bans_and_drains.drains();
        self.service.gateway.query(OperatorQuery::Drains(drains.clone()));
        Ok(AdminDrained {
            pool: drains.all,
            nodes: drains.nodes.into_iter().collect(),
            kept: bans_and_drains.are_kept(),
        })
    }

    /// Changes the bans and drains, which may write a file.
    async fn order(
        &self,
        change: impl FnOnce(&crate::auth::BansAndDrains) -> Result<(), BanError> + Send + 'static,
    ) -> Result<(), WireError> {
        let access = Arc::clone(&self.service.access);
        let changed = spawn_blocking(move || change(access.bans_and_drains())).await;
        Ok(changed.map_err(|error| CallRefusal::Internal { why: error.to_string() })??)
    }

    /// Ends the connections and leases that a ban is for. Returns the number of nodes.
    async fn end(&self, ban: &Ban) -> Result<u64, WireError> {
        let reason = CloseReason::Banned { notice: ban.notice().to_string() }.to_string();
        let mut pages = Pages::new(0);
        let mut ended = 0_u64;
        while let Some(page) = pages.next(&self.service).await? {
            for view in page.iter().filter(|view| is_meant(&ban.target, view)) {
                let command = Command::Expel { node: view.id, reason: reason.clone() };
                self.service.gateway.note(command);
                ended = ended.saturating_add(1);
            }
        }
        if let BanTarget::Network(network) = ban.target {
            // Those that have not presented a node yet.
            self.service.connections.close_from(|address| network.contains(&address.to_canonical()), &reason);
        }
        Ok(ended)
    }
}

fn is_meant(target: &BanTarget, view: &NodeView) -> bool {
    match target {
        BanTarget::Node(node) => view.id == *node,
        BanTarget::Agent(key) => view.agent == Some(*key),
        BanTarget::Network(network) => view.address.is_some_and(|ip| network.contains(&ip.to_canonical())),
    }
}

fn parse<T: DeserializeOwned>(params: &RawValue) -> Result<T, WireError> {
    let (object,) = serde_json::from_str::<(T,)>(params.get()).map_err(|error| CallRefusal::invalid_params(&error))?;
    Ok(object)
}

fn json(answer: &impl Serialize) -> Result<Box<RawValue>, WireError> {
    Ok(to_raw_value(answer).map_err(|error| CallRefusal::Internal { why: error.to_string() })?)
}
