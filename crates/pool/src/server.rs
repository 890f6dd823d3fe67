use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Handle,
    sync::{mpsc, oneshot},
    task::{self, spawn_blocking},
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;
use vipnode_chain::ChainError;
use vipnode_files::process_user;
use vipnode_store::{MemoryStore, Store, StoreReader};
use vipnode_types::{PaymentMode, errors};

use crate::{
    DataDir, PoolConfig, PoolProbe, PoolTls, ReloadChanges,
    admin::{self, AdminPrice, AdminService, AuditLog},
    auth::{AccessControl, Audience, BansAndDrains, OwnCertificate},
    chain::ChainWatcher,
    close_reason::CloseReason,
    engine::{
        ChainPort, ClockAcceptance, Connections, CoreThread, CoreThreadParts, Inbox, OperatorQuery, RecordClock,
        StartError, StoreThread, inbox,
    },
    key_file::KeyFile,
    methods::{Monitor, Service, Statements},
    net::{fd_limit, listener::listen, port::Port},
};

/// A running pool.
#[derive(Debug)]
pub struct PoolServer {
    local_addr: SocketAddr,
    service: Arc<Service>,
    stop: CancellationToken,
    supervisor: Option<task::JoinHandle<Result<(), PoolError>>>,
}

errors! {
    /// Why a pool cannot start or continue.
    #[derive(Debug)]
    pub enum PoolError {
        /// Another program is using the port, or the operating system does not permit the address.
        Bind {
            /// The address from `--bind`.
            bind: SocketAddr,
            /// The error of the system.
            source: std::io::Error,
        }: local, "the pool cannot listen on {bind}: {source}",
            hint "Stop the program that is listening on {bind}, or use another address: --bind ADDRESS:PORT.";
        /// No network interface of this machine has the address.
        ForeignAddress {
            /// The address from `--bind`.
            bind: SocketAddr,
        }: local, "the pool cannot listen on {bind}: this machine does not have the address {ip}" (ip = bind.ip()),
            hint "Pass an address of this machine (`ip address` lists them), or all of them: --bind {all}."
                (all = SocketAddr::new(all_addresses(*bind), bind.port()));
        /// The process is not permitted to listen on a port below 1024.
        PrivilegedPort {
            /// The address from `--bind`.
            bind: SocketAddr,
            /// The error of the system.
            source: std::io::Error,
        }: local, "the pool cannot listen on {bind}: {source}",
            hint "Run sudo setcap cap_net_bind_service=+ep \"$(command -v vipnode)\", or set \
                  AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit, or use a higher port: --bind {higher}."
                (higher = SocketAddr::new(bind.ip(), HIGHER_PORT));
        /// The system has too little memory, or a limit on processes was reached.
        Thread {
            /// The error of the system.
            source: std::io::Error,
        }: local, "the pool cannot start a thread: {source}",
            hint "Raise the limits on memory and processes (ulimit -u), then start the pool again.";
        /// The chain on which clients deposit cannot be used.
        Chain {
            /// What the check of the chain found.
            source: ChainError,
        }: local, "{source}",
            hint "{fix}" (fix = source.hint().unwrap_or_default());
        /// A part of the pool failed because of a bug.
        Internal {
            /// The broken invariant, or the text of the panic.
            why: String,
        }: local, "the pool stopped because of an internal error: {why}",
            hint "Report this with the pool's log, then start the pool again.";
    }    also {
        /// The pool cannot continue from its store.
        Start(StartError);
    }
}

/// The port that a hint suggests instead of one below 1024.
const HIGHER_PORT: u16 = 8443;

/// How often silent HTTP sessions are searched for, unless `http_idle` is shorter.
const EXPIRE: Duration = Duration::from_secs(5);

impl PoolServer {
    /// Starts a pool with its state in memory, which is lost when it stops.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn spawn(config: PoolConfig) -> Result<Self, PoolError> {
        Self::spawn_with(config, Box::new(MemoryStore::new())).await
    }

    /// Starts a pool that has the key of a data directory and keeps its state there.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn spawn_in(config: PoolConfig, dir: DataDir) -> Result<Self, PoolError> {
        let DataDir { dir, keys, store } = dir;
        let KeyFile { key, changes } = keys;
        let config = PoolConfig { key: Some(Arc::new(key)), key_changes: changes, datadir: Some(dir), ..config };
        Self::spawn_with(config, Box::new(store)).await
    }

    /// Starts a pool on a store.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn spawn_with(config: PoolConfig, store: Box<dyn Store + Send>) -> Result<Self, PoolError> {
        let refused = |source| cannot_bind(config.bind, source);
        let listener = bind(config.bind).map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;
        make_room(&listener, config.limits.connections);
        let metrics = config.metrics.shared();
        let (inbox, reader) = inbox(metrics.queue.clone(), &config.limits);
        let connections = Arc::new(Connections::new(inbox.clone()));
        let audience = Audience::new(local_addr, &config.public_urls, own_certificate(config.tls.as_ref()));
        let bans_and_drains = BansAndDrains::open(config.datadir.as_ref(), &config.limits);
        let bans_and_drains = bans_and_drains.map_err(|source| StartError::Store { source })?;
        let access = Arc::new(AccessControl::new(audience, config.identity(), bans_and_drains, config.access_rules()));
        let farewell = if store.is_durable() { CloseReason::ShuttingDown } else { CloseReason::LosingLeases };
        let database = store.file();
        let store_reader = store.reader(Statements::read_limits(&config.limits));
        let store_reader = store_reader.map_err(|source| StartError::Store { source })?;
        let audit_log = Arc::new(AuditLog::new(config.datadir.clone()));
        let (store, store_thread) = StoreThread::start(store, inbox.clone(), config.limits.store_batches)
            .map_err(|source| PoolError::Thread { source })?;
        let (chain, watcher) = watch_chain(&config, &inbox).await?;
        let parts = CoreThreadParts {
            limits: vipnode_pool_core::Limits { members_only: access.is_closed(), ..config.core.clone() },
            seed: config.seed,
            accept_clock: config.accept_clock.then(|| acceptance(&audit_log, &store_reader)),
            access: Arc::clone(&access),
            retry_ms: config.limits.retry_ms(),
            core_time_blocks: config.limits.core_time_blocks,
            batch_time: Duration::from_micros(config.limits.core_batch_us.into()),
            store_retry: config.limits.store_retry,
            inbox: inbox.clone(),
            reader,
            connections: Arc::clone(&connections),
            store,
            chain,
            metrics: Arc::clone(&metrics),
            runtime: Handle::current(),
        };
        let core_thread = start_core(parts).await?;
        if let Some(tls) = &config.tls {
            tls.show_in(metrics.tls_expires.clone());
        }
        let admin_socket = config.admin_socket(local_addr);
        let service =
            Service::new(config.limits, &config.core, access, connections, metrics, (inbox, database, store_reader));
        let (service, stop) = (Arc::new(service), CancellationToken::new());
        let port = Arc::new(Port::new(Arc::clone(&service), config.proxies, config.tls, stop.clone()));
        if let Some(socket) = &admin_socket {
            serve_operator(socket, &port, audit_log);
        }
        if let Some(watcher) = watcher {
            tokio::spawn(watcher.run(stop.clone()));
        }
        let running = Running { port, farewell, threads: vec![core_thread, store_thread] };
        let supervisor = tokio::spawn(running.supervise(listener));
        Ok(Self { local_addr, service, stop, supervisor: Some(supervisor) })
    }

    /// Returns the address on which it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns a probe that asks this pool whether it still works.
    #[must_use]
    pub fn probe(&self) -> PoolProbe {
        PoolProbe(Arc::clone(&self.service))
    }

    /// Returns what slots cost, and what was announced; `None` if nobody pays, or the pool has ended.
    pub async fn prices(&self) -> Option<AdminPrice> {
        let prices = self.service.gateway.ask(OperatorQuery::Prices).await.flatten();
        prices.map(|row| AdminPrice::from(&row))
    }

    /// Returns whether its ledger held balances or due payouts at the start, although clients do not pay.
    pub async fn has_unused_funds(&self) -> bool {
        self.service.gateway.ask(OperatorQuery::UnusedFunds).await.unwrap_or_default()
    }

    /// Returns the URLs that agents can use, the most useful first: those of the operator, the names of the certificate, and
    /// the addresses at which the pool listens.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.service.access.urls()
    }

    /// Applies new settings while the pool runs: members, welcome, network, the price and the core's limits, the audience
    /// of the status, allowed origins. Other settings (addresses, proxies, the certificate's files) are ignored. Returns what
    /// changed.
    pub async fn reload(&self, config: &PoolConfig) -> ReloadChanges {
        self.service.reload(config).await
    }

    /// Waits until the pool has ended, by [`PoolServer::shutdown`] or a fault. The future may be dropped, and the method
    /// called again.
    ///
    /// # Errors
    /// [`PoolError::Internal`].
    pub async fn join(&mut self) -> Result<(), PoolError> {
        let Some(supervisor) = &mut self.supervisor else { return Ok(()) };
        let ended = supervisor.await;
        self.supervisor = None;
        ended.unwrap_or_else(|error| Err(internal(&error)))
    }

    /// Shuts the pool down in order: it accepts no further connections, answers the requests in flight, writes all rows
    /// to the store, and closes each socket with a reason.
    ///
    /// # Errors
    /// [`PoolError::Internal`].
    pub async fn shutdown(mut self) -> Result<(), PoolError> {
        self.stop.cancel();
        self.join().await
    }
}

impl Drop for PoolServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Prepares to read the chain on which clients deposit, if they do.
async fn watch_chain(config: &PoolConfig, inbox: &Inbox) -> Result<(ChainPort, Option<ChainWatcher>), PoolError> {
    let terms = config.core.channel.filter(|_| config.core.payment == PaymentMode::X402);
    let Some((terms, chain)) = terms.zip(config.chain.clone()) else { return Ok((ChainPort::default(), None)) };
    let (requests, requested) = mpsc::unbounded_channel();
    let watcher = ChainWatcher::open(chain, terms, requested, inbox.clone()).await;
    let watcher = watcher.map_err(|source| PoolError::Chain { source })?;
    Ok((ChainPort::new(requests), Some(watcher)))
}

/// Connections that the system queues until the pool accepts them. A client beyond that is not refused but tries again
/// after a second. The system has its own limit (`net.core.somaxconn`), which is usually not higher.
const BACKLOG: u32 = 4_096;

fn cannot_bind(bind: SocketAddr, source: std::io::Error) -> PoolError {
    if source.kind() == ErrorKind::PermissionDenied && bind.port() < 1024 {
        return PoolError::PrivilegedPort { bind, source };
    }
    if source.kind() == ErrorKind::AddrNotAvailable {
        return PoolError::ForeignAddress { bind };
    }
    PoolError::Bind { bind, source }
}

/// All addresses of a machine, of the same family.
const fn all_addresses(of: SocketAddr) -> IpAddr {
    if of.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) }
}

fn internal(why: &(impl ToString + ?Sized)) -> PoolError {
    PoolError::Internal { why: why.to_string() }
}

fn bind(to: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restarted pool gets its port back at once.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(to)?;
    socket.listen(BACKLOG)
}

fn own_certificate(tls: Option<&PoolTls>) -> Option<Arc<dyn OwnCertificate>> {
    tls.map(|tls| Arc::new(tls.clone()) as Arc<dyn OwnCertificate>)
}

/// The acceptance of a clock by the user of this process.
fn acceptance(audit_log: &Arc<AuditLog>, reader: &Arc<dyn StoreReader>) -> ClockAcceptance {
    let (audit_log, reader) = (Arc::clone(audit_log), Arc::clone(reader));
    let record: RecordClock = Box::new(move |accepted, running| audit_log.record_clock(accepted, running));
    ClockAcceptance { by: process_user(), record, reader }
}

/// Starts the core's thread and waits until it has read the store.
async fn start_core(parts: CoreThreadParts) -> Result<JoinHandle<()>, PoolError> {
    let (ready, is_ready) = oneshot::channel();
    let work = move || match CoreThread::new(parts) {
        Ok(core) => {
            let _gone = ready.send(Ok(()));
            core.run();
        }
        Err(error) => {
            let _gone = ready.send(Err(error));
        }
    };
    let thread = std::thread::Builder::new().name("vipnode-core".to_owned()).spawn(work);
    let thread = thread.map_err(|source| PoolError::Thread { source })?;
    match is_ready.await {
        Ok(started) => started?,
        Err(_) => return Err(internal("the pool's core did not start")),
    }
    Ok(thread)
}

/// Answers `vipnode pool admin`. A pool that cannot do so serves its agents all the same.
fn serve_operator(socket: &Path, port: &Port, audit_log: Arc<AuditLog>) {
    match admin::listen(socket) {
        Ok(server) => {
            let service = AdminService::new(Arc::clone(&port.service), Arc::clone(&port.limiter), audit_log);
            let stop = port.stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(server.run(service)).await });
        }
        Err(error) => {
            tracing::warn!(%error, socket = %socket.display(), "`vipnode pool admin` cannot reach this pool");
        }
    }
}

/// The running parts of a pool.
struct Running {
    port: Arc<Port>,
    /// What closes the connections when the pool stops.
    farewell: CloseReason,
    threads: Vec<JoinHandle<()>>,
}

/// The threads end, however the supervisor ends.
impl Drop for Running {
    fn drop(&mut self) {
        self.port.service.gateway.stop();
    }
}

impl Running {
    async fn supervise(mut self, listener: TcpListener) -> Result<(), PoolError> {
        let (port, limits) = (Arc::clone(&self.port), self.port.service.limits.clone());
        port.service.monitor.refresh(&port.service).await;
        let (service, stop) = (Arc::clone(&port.service), port.stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(Monitor::run(&service)).await });
        let listening = tokio::spawn(listen(listener, Arc::clone(&port)));
        self.keep_certificate();
        let ended_by = self.watch().await;
        port.stop.cancel();
        let _ended = listening.await;
        port.service.gateway.finish_requests(limits.drain).await;
        port.service.connections.close_all(&self.farewell.to_string());
        port.tasks.close();
        if timeout(limits.closing, port.tasks.wait()).await.is_err() {
            tracing::warn!(sockets = port.tasks.len(), "sockets did not close in time");
        }
        port.service.gateway.stop();
        let threads = std::mem::take(&mut self.threads);
        let ended = spawn_blocking(move || threads.into_iter().all(|thread| thread.join().is_ok())).await;
        match (ended_by, ended) {
            (Some(why), _) => Err(internal(&why)),
            (None, Ok(true)) => Ok(()),
            (None, _) => Err(internal("a thread ended by a panic")),
        }
    }

    /// Starts to order and renew the certificate. An ACME server connects to the pool's port, so the pool already listens.
    fn keep_certificate(&self) {
        if let Some(tls) = self.port.tls.clone() {
            let stop = self.port.stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(tls.keep()).await });
        }
    }

    /// Waits until the pool has to end. Returns the reason if that is a fault.
    async fn watch(&self) -> Option<String> {
        let mut tick = interval(EXPIRE.min(self.port.service.limits.http_idle.max(Duration::from_millis(1))));
        loop {
            tokio::select! {
                () = self.port.stop.cancelled() => return None,
                _ = tick.tick() => {}
            }
            if self.threads.iter().any(JoinHandle::is_finished) {
                return Some("a thread of the pool ended".to_owned());
            }
            self.port.service.sessions.expire(self.port.service.limits.http_idle);
        }
    }
}

/// Makes room for the open files of `connections`. A pool with less room runs all the same.
fn make_room(listener: &TcpListener, connections: usize) {
    match fd_limit::make_room(listener, connections) {
        Ok(None) => {}
        Ok(Some(few)) => tracing::info!(
            "the system allows this pool {few} of {connections} connections: raise LimitNOFILE in its systemd unit or \
             `ulimit -Hn`, or pass --limit connections={few}"
        ),
        Err(error) => tracing::warn!(%error, "cannot preallocate room for {connections} connections"),
    }
}
