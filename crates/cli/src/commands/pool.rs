use std::{collections::BTreeSet, path::PathBuf};

use tokio::sync::watch::{Receiver, error::RecvError};
use vipnode_agent::state::StateDir;
use vipnode_pool::{DataDir, Membership, PoolConfig, PoolServer, PoolTls, ReloadChanges, TlsNews, TrustedProxies};
use vipnode_pool_core::Limits;

use crate::{
    args::{Command, PoolArgs, chain_flag, limit_flag},
    commands::{
        pool_certificate,
        pool_start::{self, JoinNeeds},
    },
    config::{Reload, say_kept},
    error::{CliError, CommandError},
    output::{
        Line, Screen, Tone,
        format::{counted, slot_costs},
        terminal,
    },
    service_manager::{self, Heartbeat},
    signals::{ReloadSignals, Signals},
    status::{PoolFigures, StatusLine},
};

const STOPPING: &str =
    "Stopping: answering pending requests. Leases stay active. A second signal (Ctrl-C) stops at once.";

/// Runs a pool until it is stopped and has answered pending requests.
pub(crate) async fn run(args: PoolArgs, screen: Screen, signals: Signals, reload: Reload) -> Result<(), CliError> {
    if args.check_config {
        return check(args, screen);
    }
    let print_limits = args.print_limits;
    let (datadir, figures, secret_file) = (args.datadir.clone(), args.figures, args.join.join_secret_file.clone());
    let mut config = config(args)?;
    if print_limits {
        let table = limit_flag::table(&config, terminal::width());
        screen.print(&table.trim_fmt().as_str().into(), &limit_flag::json(&config));
        return Ok(());
    }
    // From the start: a SIGHUP while the pool opens its files is kept until it runs.
    let hangups = ReloadSignals::listen()?;
    let screen = screen.with_times();
    let open = !config.members.is_closed();
    let needs = JoinNeeds { secret: matches!(config.members, Membership::Secret(_)), secret_file };
    let (tls, metrics) = (config.tls.clone(), config.metrics.clone());
    let any_address = config.bind.ip().is_unspecified() && config.public_urls.is_empty();
    // Without a home directory, a pool has no admin socket.
    config.state_dir = StateDir::root(None).ok();
    let datadir = datadir.map(|dir| DataDir::open(&dir)).transpose()?;
    let id = datadir.as_ref().map(|datadir| datadir.id().to_string());
    let mut server = match datadir {
        Some(datadir) => PoolServer::spawn_in(config, datadir).await?,
        None => PoolServer::spawn(config).await?,
    };
    pool_start::say_start(&server, tls.as_ref(), &needs, screen);
    if let Some(id) = id {
        screen.say(&Line::new("pool_id", Tone::Plain, format!("Pool ID: {id}")).with("id", id));
    }
    if open {
        let text = "Anyone may join this pool";
        screen.say(
            &Line::new("open", Tone::Warning, text).hint("To close it, pass --members FILE or --join-secret-file FILE"),
        );
    }
    if any_address {
        pool_start::warn_unnamed(&server, tls.as_ref(), screen);
    }
    let _figures = PoolFigures::write(metrics.clone(), figures, screen);
    let _live = StatusLine::of_pool(metrics, screen);
    let probe = server.probe();
    let _heartbeat = Heartbeat::start(move || {
        let probe = probe.clone();
        async move { probe.answers().await }
    });
    service_manager::ready();
    serve(&mut server, tls, screen, signals, (reload, hangups)).await?;
    service_manager::stopping();
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
    (mut reload, mut hangups): (Reload, ReloadSignals),
) -> Result<(), CliError> {
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
            let changes = server.reload(&config).await;
            let refused: Vec<String> = changes.later_limits.iter().map(|name| format!("limit {name}")).collect();
            reload.done(newer, &LIVE, &refused, screen);
            say_members(&changes, screen);
        }
        Err(error) => say_kept(&error.message, &error.hint, screen),
    }
}

fn config(mut args: PoolArgs) -> Result<PoolConfig, CliError> {
    let mut config = live(&args)?;
    let tls = std::mem::take(&mut args.tls);
    config.tls = pool_certificate::pool_tls(tls, || internal_ca(&args))?;
    config.public_urls = args.public_url;
    config.proxies = TrustedProxies { proxies: args.proxy, header: args.proxy_header, balancers: args.proxy_protocol };
    Ok(config)
}

/// Checks the settings and the files that they name, without starting a pool: one may be running with them.
fn check(mut args: PoolArgs, screen: Screen) -> Result<(), CliError> {
    let tls = std::mem::take(&mut args.tls);
    let facts = pool_certificate::check(tls, || internal_ca(&args))?;
    args.datadir.as_deref().map_or(Ok(()), DataDir::check)?;
    let config = live(&args)?;
    let members = match &config.members {
        Membership::Members(members) => counted(u64::try_from(members.len()).unwrap_or(u64::MAX), "member"),
        Membership::Secret(_) => "members who know the join secret".to_owned(),
        Membership::Open => "open to anyone".to_owned(),
    };
    let text = format!("The settings are valid: {members}, {}", slot_costs(config.core.price));
    screen.say(&Line::new("settings_valid", Tone::Good, text));
    if let Some(facts) = facts {
        pool_certificate::say("certificate", "TLS certificate", &facts, screen);
    }
    Ok(())
}

/// Who may join now, and who was disconnected for that.
fn say_members(changes: &ReloadChanges, screen: Screen) {
    let ReloadChanges { members_added: added, members_removed: removed, disconnected, .. } = *changes;
    if added == 0 && removed == 0 && disconnected == 0 {
        return;
    }
    let agents = counted(u64::try_from(disconnected).unwrap_or(u64::MAX), "agent");
    let text = format!("Members: {added} added, {removed} removed; disconnected {agents}");
    let line = Line::new("members_changed", Tone::Good, text).with("added", added).with("removed", removed);
    screen.say(&line.with("disconnected", disconnected));
}

/// Where the pool's own CA is kept, and for which names and addresses it issues.
fn internal_ca(args: &PoolArgs) -> Result<(PathBuf, Vec<String>), CliError> {
    let dir = match &args.datadir {
        Some(datadir) => datadir.clone(),
        None => StateDir::root(None).map_err(|why| CommandError::TlsCache { why: Box::new(why) })?,
    };
    let mut names: Vec<String> = args.public_url.iter().map(|url| url.host().to_owned()).collect();
    names.extend(vipnode_pool::addresses_at(args.bind().ip()).iter().map(ToString::to_string));
    names.extend(host_name());
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok((dir.join("tls"), names))
}

/// This machine's name for itself.
#[cfg(unix)]
fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_ascii_lowercase();
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    (!name.is_empty() && name.chars().all(valid)).then_some(name)
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    None
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
