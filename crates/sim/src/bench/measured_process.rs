//! Measured servers, each in a process of its own on a CPU core of its own.

use std::{
    io::{self, BufRead as _, Read as _, Write},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use axum::{
    Router,
    extract::ws::{WebSocket, WebSocketUpgrade},
    routing::get,
    serve::ListenerExt as _,
};
use tokio::{net::TcpListener, runtime};
use vipnode_pool::{DataDir, PoolConfig, PoolLimits, PoolServer, PoolTls};
use vipnode_types::{PaymentMode, Price};

use clap::ValueEnum as _;

use super::{
    certificate::{self, SelfSigned},
    flood::Attack,
    machine::{self, SchedulingPolicy},
};

/// What a lease costs at a pool that charges, in smallest units per millisecond.
pub(crate) const CHARGED_A_MS: u64 = 1_000;

/// What runs in the measured process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerKind {
    /// A pool with the default limits of `vipnode pool`.
    Shipped,
    /// A pool with limits that let one load generator act as many agents.
    Pool,
    /// The same, whose clients pay, and whose hosts earn.
    Charging,
    /// An echo server with the same WebSocket library and buffers.
    Echo,
}

/// A running server; killed when this is dropped.
pub(crate) struct ServerProcess {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    pub(crate) fn start(kind: ServerKind) -> io::Result<Self> {
        Self::start_with(kind, None)
    }

    /// Starts a server; a pool with a certificate speaks TLS.
    pub(crate) fn start_with(kind: ServerKind, certificate: Option<&SelfSigned>) -> io::Result<Self> {
        Self::run(kind, certificate, None)
    }

    /// Starts a pool that keeps its state in a directory.
    pub(crate) fn start_in(datadir: &Path) -> io::Result<Self> {
        Self::run(ServerKind::Pool, None, Some(datadir))
    }

    /// Starts a pool that charges and keeps its state in a directory.
    pub(crate) fn start_charging(datadir: &Path) -> io::Result<Self> {
        Self::run(ServerKind::Charging, None, Some(datadir))
    }

    fn run(kind: ServerKind, certificate: Option<&SelfSigned>, datadir: Option<&Path>) -> io::Result<Self> {
        let kind = match kind {
            ServerKind::Shipped => "shipped",
            ServerKind::Pool => "pool",
            ServerKind::Charging => "charging",
            ServerKind::Echo => "echo",
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["measured", kind]);
        if let Some(certificate) = certificate {
            command.arg("--tls").arg(certificate.folder());
        }
        if let Some(datadir) = datadir {
            command.arg("--datadir").arg(datadir);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let address = process.stdout.as_mut().map_or(Ok(String::new()), read_line)?;
        let address =
            address.trim().parse().map_err(|_| io::Error::other(format!("expected an address, got {address:?}")))?;
        Ok(Self { process, address })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

fn read_line(out: &mut ChildStdout) -> io::Result<String> {
    let mut line = String::new();
    io::BufReader::new(out).read_line(&mut line)?;
    Ok(line)
}

/// Runs a measurement in a process of its own and returns its output.
pub(crate) fn ask(args: &[&str]) -> io::Result<String> {
    let output = Command::new(std::env::current_exe()?).arg("measured").args(args).stderr(Stdio::inherit()).output()?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(io::Error::other);
    }
    Err(io::Error::other(format!("{args:?} failed")))
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Nothing of it is needed any more.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

/// Runs as such a server until standard input ends.
pub(crate) fn serve(
    kind: ServerKind,
    (tls, datadir): (Option<&Path>, Option<&Path>),
    out: &mut impl Write,
) -> io::Result<()> {
    machine::pin(machine::MEASURED)?;
    SchedulingPolicy::Normal.apply()?;
    machine::raise_open_files()?;
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        match kind {
            ServerKind::Pool | ServerKind::Charging | ServerKind::Shipped => {
                let shipped = shipped(tls)?;
                let config = match kind {
                    ServerKind::Shipped => shipped,
                    ServerKind::Charging => charging(raised(shipped)),
                    _ => raised(shipped),
                };
                let dir = datadir.map(DataDir::open).transpose().map_err(io::Error::other)?;
                let pool = match dir {
                    Some(dir) => PoolServer::spawn_in(config, dir).await,
                    None => PoolServer::spawn(config).await,
                };
                let pool = pool.map_err(io::Error::other)?;
                print_address(out, pool.local_addr())?;
                until_input_ends().await?;
                drop(pool);
            }
            ServerKind::Echo => {
                let listener = TcpListener::bind(loopback()).await?;
                print_address(out, listener.local_addr()?)?;
                let listener = listener.tap_io(|stream| {
                    let _best_effort = stream.set_nodelay(true);
                });
                let app = Router::new().route(
                    "/",
                    get(async |upgrade: WebSocketUpgrade| {
                        upgrade.read_buffer_size(4_096).write_buffer_size(0).on_upgrade(echo)
                    }),
                );
                tokio::select! {
                    ended = axum::serve(listener, app) => ended?,
                    ended = until_input_ends() => ended?,
                }
            }
        }
        Ok(())
    })
}

fn print_address(out: &mut impl Write, address: SocketAddr) -> io::Result<()> {
    writeln!(out, "{address}")?;
    out.flush()
}

async fn until_input_ends() -> io::Result<()> {
    tokio::task::spawn_blocking(|| io::stdin().read(&mut [0]).map(|_| ())).await.map_err(io::Error::other)?
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Raises the limits that keep one agent from crowding out others: they would keep the load generator from loading the
/// pool.
fn raised(mut config: PoolConfig) -> PoolConfig {
    config.limits = PoolLimits {
        calls_a_second: 1_000_000,
        burst: 1_000_000,
        block_calls_a_second: 100_000_000,
        block_bytes_a_second: 1 << 30,
        block_bytes_at_once: 1 << 30,
        block_burst: 100_000_000,
        block_cpu_us: 100_000_000,
        connections_an_address: 1_000_000,
        unauthenticated: Duration::from_secs(60),
        ..config.limits
    };
    config.core.offers_minimum = 1_000_000;
    config
}

/// Has clients pay. Each billing period is posted when it ends, and an account can be used up.
fn charging(mut config: PoolConfig) -> PoolConfig {
    config.core = vipnode_pool_core::Limits {
        price: Price::per_minute(CHARGED_A_MS.saturating_mul(60_000)),
        payment: PaymentMode::Credit,
        fee_bps: 500,
        funds_last_ms: 0,
        periods_an_hour: 60_000,
        ..config.core
    };
    config
}

/// An attack in a process of its own, which runs only when nothing else wants the load generator's CPU core.
pub(crate) struct Attacker(Child);

impl Attacker {
    pub(crate) fn start(attack: Attack, pool: SocketAddr) -> io::Result<Self> {
        let name = attack.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["measured", "attack", &name, &pool.to_string()]);
        Ok(Self(command.stdin(Stdio::null()).spawn()?))
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// The default configuration of a pool, with TLS if there is a certificate.
fn shipped(tls: Option<&Path>) -> io::Result<PoolConfig> {
    let mut config = PoolConfig::new(loopback())?;
    if let Some(folder) = tls {
        let files = (certificate::certificate_file(folder), certificate::key_file(folder));
        config.tls = Some(PoolTls::from_files(files.0, files.1).map_err(io::Error::other)?);
    }
    Ok(config)
}
