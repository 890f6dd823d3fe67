use std::net::SocketAddr;

use tokio::sync::watch::{Receiver, error::RecvError};
use vipnode_agent::state::StateDir;
use vipnode_pool::{DataDir, Membership, PoolConfig, PoolServer, PoolTls, TlsNews, TrustedProxies};
use vipnode_pool_core::Limits;

use crate::{
    args::{Command, PoolArgs, chain_flag, limit_flag},
    commands::pool_certificate,
    config::{Reload, say_kept},
    error::{CliError, CommandError},
    output::{Line, Screen, Tone, terminal},
    signals::{ReloadSignals, Signals},
    status::StatusLine,
};

const STOPPING: &str =
    "Stopping: answering pending requests. Leases stay active. A second signal (Ctrl-C) stops at once.";

/// Runs a pool until it is stopped and has answered pending requests.
pub(crate) async fn run(args: PoolArgs, screen: Screen, signals: Signals, reload: Reload) -> Result<(), CliError> {
    let unnamed = !args.bind().ip().is_loopback() && args.public_url.is_empty() && !args.tls.by_acme();
    let print_limits = args.print_limits;
    let datadir = args.datadir.clone();
    let mut config = config(args)?;
    if print_limits {
        let table = limit_flag::table(&config, terminal::width());
        screen.print(&table.trim_fmt().as_str().into(), &limit_flag::json(&config));
        return Ok(());
    }
    let open = !config.members.is_closed();
    let (tls, metrics) = (config.tls.clone(), config.metrics.clone());
    // Without a home directory, a pool has no admin socket.
    config.state_dir = StateDir::root(None).ok();
    let datadir = datadir.map(|dir| DataDir::open(&dir)).transpose()?;
    let id = datadir.as_ref().map(|datadir| datadir.id().to_string());
    let mut server = match datadir {
        Some(datadir) => PoolServer::spawn_in(config, datadir).await?,
        None => PoolServer::spawn(config).await?,
    };
    say_start(server.local_addr(), tls.as_ref(), screen);
    if let Some(id) = id {
        screen.say(&Line::new("pool_id", Tone::Plain, format!("Pool ID: {id}")).with("id", id));
    }
    if open {
        let text = "Anyone may join this pool";
        screen.say(
            &Line::new("open", Tone::Warning, text).hint("To close it, pass --members FILE or --join-secret-file FILE"),
        );
    }
    if unnamed {
        let scheme = if tls.is_some() { "wss" } else { "ws" };
        let text = "Agents that reach this pool by a name, through a proxy, or at a published port will be rejected, because they sign a URL that this pool does not know";
        let hint = format!("Pass the URL that agents use to reach this pool: --public-url {scheme}://HOST:PORT");
        screen.say(&Line::new("no_public_url", Tone::Warning, text).hint(&hint));
    }
    let _live = StatusLine::of_pool(metrics, screen);
    serve(&mut server, tls, screen, signals, reload).await?;
    screen.say(&Line::new("stopping", Tone::Plain, STOPPING));
    server.shutdown().await?;
    screen.say(&Line::new("stopped", Tone::Good, "Stopped"));
    Ok(())
}

/// The settings that SIGHUP changes. Of the limits it changes those of the core and reports which others stay.
const LIVE: [&str; 12] = [
    "members",
    "join-secret",
    "join-secret-file",
    "welcome",
    "price",
    "report-interval",
    "restrict-network",
    "chain",
    "max-request-hosts",
    "status",
    "allow-origin",
    "limit",
];

/// Until the user stops it; SIGHUP has the settings, and the files they name, read again.
async fn serve(
    server: &mut PoolServer,
    tls: Option<PoolTls>,
    screen: Screen,
    signals: Signals,
    mut reload: Reload,
) -> Result<(), CliError> {
    let mut hangups = ReloadSignals::listen()?;
    let mut news = tls.as_ref().map(PoolTls::news);
    loop {
        tokio::select! {
            () = signals.first() => return Ok(()),
            ended = server.join() => return Ok(ended?),
            () = hangups.next() => {
                read_again(server, &mut reload, screen).await;
                if let Some(tls) = &tls {
                    pool_certificate::reload(tls, screen);
                }
            }
            Some(Ok(())) = changed(news.as_mut()) => {
                if let Some(news) = news.as_mut().and_then(|news| news.borrow_and_update().clone()) {
                    pool_certificate::say_news(&news, screen);
                }
            }
        }
    }
}

async fn changed(news: Option<&mut Receiver<Option<TlsNews>>>) -> Option<Result<(), RecvError>> {
    match news {
        Some(news) => Some(news.changed().await),
        None => None,
    }
}

async fn read_again(server: &PoolServer, reload: &mut Reload, screen: Screen) {
    let Some((cli, newer)) = reload.read(screen) else { return };
    let Some(Command::Pool(args)) = cli.command else { return };
    match live(&args) {
        Ok(config) => {
            let refused = server.reload(&config).await;
            let refused: Vec<String> = refused.into_iter().map(|name| format!("limit {name}")).collect();
            reload.done(newer, &LIVE, &refused, screen);
        }
        Err(error) => say_kept(&error.message, &error.hint, screen),
    }
}

fn say_start(address: SocketAddr, tls: Option<&PoolTls>, screen: Screen) {
    let (ws, http) = if tls.is_some() { ("wss", "https") } else { ("ws", "http") };
    let url = match tls.and_then(|tls| tls.hosts().first()) {
        Some(host) if address.port() == 443 => format!("{ws}://{host}"),
        Some(host) => format!("{ws}://{host}:{}", address.port()),
        None => format!("{ws}://{address}"),
    };
    let listens = Line::new("listening", Tone::Good, format!("Listening on {url}"));
    screen.say(&listens.with("url", url.as_str()).with("address", address.to_string()));
    if let Some(tls) = tls {
        pool_certificate::say_at_start(tls, address.port(), screen);
    }
    let named = tls.is_some_and(|tls| !tls.hosts().is_empty());
    let somewhere = address.ip().is_unspecified() && !named;
    let next = if somewhere { format!("{ws}://<this machine>:{}", address.port()) } else { url.clone() };
    let text =
        format!("Next: run `vipnode host {next}` with a full node, and `vipnode client {next}` with another node");
    screen.say(&Line::new("next", Tone::Plain, text));
    let health = url.replacen(ws, http, 1);
    screen.say(&Line::new("health", Tone::Plain, format!("Health and metrics: {health}/health, {health}/metrics")));
}

fn config(mut args: PoolArgs) -> Result<PoolConfig, CliError> {
    let mut config = live(&args)?;
    config.tls = pool_certificate::pool_tls(std::mem::take(&mut args.tls))?;
    config.public_urls = args.public_url;
    config.proxies = TrustedProxies { proxies: args.proxy, header: args.proxy_header, balancers: args.proxy_protocol };
    Ok(config)
}

/// All but what is read once, at the start.
fn live(args: &PoolArgs) -> Result<PoolConfig, CliError> {
    args.original.refuse()?;
    let secret = args.join.secret()?;
    let members = match (&args.members, secret) {
        (Some(_), Some(_)) => return Err(CommandError::MembersAndSecret.into()),
        (Some(path), None) => Membership::read_file(path)?,
        (None, Some(secret)) => Membership::Secret(secret),
        (None, None) => Membership::Open,
    };
    let mut config = PoolConfig::new(args.bind()).map_err(|error| CommandError::Random { error: error.to_string() })?;
    config.members = members;
    config.welcome = args.welcome.clone();
    config.network = args.restrict_network;
    config.status = args.status;
    config.origins = args.allow_origin.iter().cloned().collect();
    let report_interval_ms = u64::try_from(args.report_interval.as_millis()).unwrap_or(u64::MAX);
    config.core = Limits { price: args.price, report_interval_ms, ..config.core };
    config.core.max_request_hosts = args.max_request_hosts.unwrap_or(config.core.max_request_hosts);
    config.core.pinned_chains = chain_flag::pinned(&args.chain)?;
    for chain in chain_flag::unlike_public(&config.core.pinned_chains) {
        tracing::warn!(
            "--chain {}: {chain} has another genesis block than this, so no node of {chain} can join",
            chain.chain_id
        );
    }
    limit_flag::set(&mut config, &args.limit)?;
    Ok(config)
}
