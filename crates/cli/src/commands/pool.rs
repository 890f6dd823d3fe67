use std::{collections::BTreeSet, io::ErrorKind, path::PathBuf, time::SystemTime};

use tokio::sync::watch::{Receiver, error::RecvError};
use vipnode_agent::state::StateDir;
use vipnode_pool::{
    CertificateFacts, DataDir, LostKey, Membership, PoolConfig, PoolError, PoolServer, PoolTls, ReloadChanges,
    RenewalResult, TrustedProxies,
};
use vipnode_pool_core::Limits;
use vipnode_types::Asset;

use crate::{
    args::{Command, PoolArgs, asset_flag, chain_flag, limit_flag},
    commands::{
        pool_certificate::{self, CertificateAtStart},
        pool_data_dir::pool_data_dir,
        pool_deposits::set_deposits,
        pool_start::{JoinNeeds, PoolStart},
        pool_terms::{PoolTerms, price_change, short_notice},
        print_limits::print_limits,
    },
    config::{Applied, Reload, say_kept},
    error::{CliError, CommandError},
    output::{
        Line, Screen, Tone,
        format::{counted, slot_costs},
    },
    service_manager::{self, Heartbeat},
    signals::{ReloadSignals, Signals},
    status::{PoolFigures, StatusLine},
};

/// Runs a pool until it is stopped and has answered pending requests.
pub(crate) async fn run(args: PoolArgs, screen: Screen, signals: Signals, reload: Reload) -> Result<(), CliError> {
    if args.check_config {
        return check(args, screen);
    }
    let only_limits = args.print_limits;
    if only_limits {
        print_limits(&config(args)?, screen);
        return Ok(());
    }
    let lost = lost_key(&args);
    let (figures, secret_file) = (args.stats_interval, args.join.join_secret_file.clone());
    let datadir = pool_data_dir(&args)?;
    let deposits = args.deposits.clone();
    let mut config = config(args)?;
    set_deposits(&mut config, &deposits).await?;
    // From the start: a SIGHUP while the pool opens its files is kept until it runs.
    let hangups = ReloadSignals::listen(&signals)?;
    let screen = screen.with_times();
    let is_open = !config.members.is_closed();
    let needs = JoinNeeds { secret: matches!(config.members, Membership::Secret(_)), secret_file };
    let limits = config.core.clone();
    let (tls, metrics) = (config.tls.clone(), config.metrics.clone());
    let at_any_address = config.bind.ip().is_unspecified() && config.public_urls.is_empty();
    // Without a home directory, a pool has no admin socket.
    config.state_dir = StateDir::root(None).ok();
    let opened = datadir.as_deref().map(|dir| DataDir::open_with(dir, lost)).transpose()?;
    let id = opened.as_ref().map(|opened| opened.id().to_string());
    let mut server = match opened {
        Some(opened) => PoolServer::spawn_in(config, opened).await?,
        None => PoolServer::spawn(config).await?,
    };
    let (address, urls) = (server.local_addr(), server.urls());
    let terms = PoolTerms::of(&limits, server.prices().await.as_ref());
    let certificate = tls.as_ref().map(CertificateAtStart::of);
    let keeps_leases = datadir.is_some();
    let start = PoolStart { address, urls, certificate, needs, id, datadir, terms, is_open, at_any_address };
    start.lines(SystemTime::now()).iter().chain(&short_notice(&limits)).for_each(|line| screen.say(line));
    let _figures = PoolFigures::write(metrics.clone(), figures, screen);
    let _live = StatusLine::of_pool(metrics, screen);
    let probe = server.probe();
    let _heartbeat = Heartbeat::start(move || {
        let probe = probe.clone();
        async move { probe.answers().await }
    });
    service_manager::ready();
    serve(&mut server, tls, screen, signals, (limits, reload, hangups)).await?;
    service_manager::stopping();
    screen.say(&stopping_line(keeps_leases));
    server.shutdown().await?;
    screen.say(&Line::new("stopped", Tone::Good, "Stopped"));
    Ok(())
}

/// The settings that SIGHUP changes. Of the limits it changes those of the core and reports which others stay.
const LIVE: [&str; 13] = [
    "members",
    "join-secret",
    "join-secret-file",
    "welcome",
    "price",
    "trial",
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
    (mut limits, mut reload, mut hangups): (Limits, Reload, ReloadSignals),
) -> Result<(), CliError> {
    let mut news = tls.as_ref().map(PoolTls::news);
    loop {
        tokio::select! {
            () = signals.first() => return Ok(()),
            ended = server.join() => return Ok(ended?),
            () = hangups.next() => {
                read_again(server, &mut limits, &mut reload, screen).await;
                if let Some(tls) = &tls {
                    screen.say(&pool_certificate::reload_line(&tls.reload(), SystemTime::now()));
                }
            }
            Some(Ok(())) = changed(news.as_mut()) => {
                if let Some(news) = news.as_mut().and_then(|news| news.borrow_and_update().clone()) {
                    screen.say(&pool_certificate::news_line(&news, SystemTime::now()));
                }
            }
        }
    }
}

async fn changed(news: Option<&mut Receiver<Option<RenewalResult>>>) -> Option<Result<(), RecvError>> {
    match news {
        Some(news) => Some(news.changed().await),
        None => None,
    }
}

/// `limits` are those of the settings that are in force.
async fn read_again(server: &PoolServer, limits: &mut Limits, reload: &mut Reload, screen: Screen) {
    let Some((cli, newer)) = reload.read(screen) else { return };
    let Some(Command::Pool(args)) = cli.command else { return };
    match same_asset(&args, limits.price.asset()).and_then(|()| live(&args, true)) {
        Ok(config) => {
            let before = server.prices().await;
            let changes = server.reload(&config).await;
            let refused: Vec<String> = changes.later_limits.iter().map(|name| format!("limit {name}")).collect();
            let file_changed = has_new_members(&changes);
            reload.done(newer, &Applied { live: &LIVE, refused: &refused, file_changed }, screen);
            if file_changed {
                screen.say(&members_line(&changes));
            }
            // The payment mode changes at a start only.
            let newer = Limits { payment: limits.payment, ..config.core };
            let changed = price_change(before.as_ref(), limits, &newer);
            let short = short_notice(&newer).filter(|_| limits.price_notice_ms != newer.price_notice_ms);
            changed.iter().chain(&short).for_each(|line| screen.say(line));
            *limits = newer;
        }
        Err(error) => say_kept(&error.message, &error.hint, screen),
    }
}

/// Refuses settings of another asset as a whole: a part of them, such as the price, means something else in this one.
fn same_asset(args: &PoolArgs, asset: Asset) -> Result<(), CliError> {
    if args.asset == asset { Ok(()) } else { Err(CommandError::AssetChanged { old: asset, new: args.asset }.into()) }
}

fn config(mut args: PoolArgs) -> Result<PoolConfig, CliError> {
    let mut config = live(&args, false)?;
    warn_of(args.asset);
    let tls = std::mem::take(&mut args.tls);
    config.tls = pool_certificate::pool_tls(tls, || internal_ca(&args))?;
    config.public_urls = args.public_url;
    config.accept_clock = args.accept_clock;
    config.proxies = TrustedProxies { proxies: args.proxy, header: args.proxy_header, balancers: args.proxy_protocol };
    Ok(config)
}

const fn lost_key(args: &PoolArgs) -> LostKey {
    if args.new_pool_key { LostKey::Replace } else { LostKey::Refuse }
}

fn warn_of(asset: Asset) {
    if let Some(unusual) = asset_flag::unusual(asset) {
        tracing::warn!("{unusual}");
    }
}

/// Checks the settings and the files that they name, without starting a pool: one may be running with them.
fn check(mut args: PoolArgs, screen: Screen) -> Result<(), CliError> {
    let bind = args.bind();
    // Whether a program listens on the port does not matter: it may be this pool.
    if std::net::TcpListener::bind((bind.ip(), 0)).is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable) {
        return Err(PoolError::ForeignAddress { bind }.into());
    }
    let tls = std::mem::take(&mut args.tls);
    let facts = pool_certificate::check(tls, || internal_ca(&args))?;
    if let Some(dir) = pool_data_dir(&args)?.as_deref() {
        DataDir::check(dir, lost_key(&args))?;
        DataDir::check_asset(dir, args.asset)?;
    }
    let config = live(&args, false)?;
    warn_of(args.asset);
    valid_lines(&config, facts.as_ref(), SystemTime::now()).iter().for_each(|line| screen.say(line));
    Ok(())
}

/// What is said of settings that a pool can start with.
fn valid_lines(config: &PoolConfig, certificate: Option<&CertificateFacts>, now: SystemTime) -> Vec<Line> {
    let members = match &config.members {
        Membership::Members(members) => counted(u64::try_from(members.len()).unwrap_or(u64::MAX), "member"),
        Membership::Secret(_) => "open to agents that have the join secret".to_owned(),
        Membership::Open => "open to anyone".to_owned(),
    };
    let text = format!("The settings are valid: {members}, {}", slot_costs(config.core.price));
    let valid = Line::new("settings_valid", Tone::Good, text);
    let certificate =
        certificate.map(|facts| pool_certificate::facts_line("certificate", "TLS certificate", facts, now));
    std::iter::once(valid).chain(certificate).chain(short_notice(&config.core)).collect()
}

fn stopping_line(keeps_leases: bool) -> Line {
    let leases =
        if keeps_leases { "Leases stay active." } else { "All leases are lost, since they are only in memory." };
    let text = format!("Stopping: answering pending requests. {leases} A second signal (Ctrl-C) stops at once.");
    Line::new("stopping", Tone::Plain, text)
}

/// Whether others may join than before.
const fn has_new_members(changes: &ReloadChanges) -> bool {
    changes.members_added != 0 || changes.members_removed != 0 || changes.disconnected != 0
}

/// Who may join now, and who was disconnected for that.
fn members_line(changes: &ReloadChanges) -> Line {
    let ReloadChanges { members_added: added, members_removed: removed, disconnected, .. } = *changes;
    let agents = counted(u64::try_from(disconnected).unwrap_or(u64::MAX), "agent");
    let text = format!("Members: {added} added, {removed} removed; disconnected {agents}");
    let line = Line::new("members_changed", Tone::Good, text).with("added", added).with("removed", removed);
    line.with("disconnected", disconnected)
}

/// Where the pool's own CA is kept, and for which names and addresses it issues.
fn internal_ca(args: &PoolArgs) -> Result<(PathBuf, Vec<String>), CliError> {
    let dir = match pool_data_dir(args)? {
        Some(datadir) => datadir,
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

/// Whether a name may stand in a certificate: labels of letters, digits, hyphens, and underscores, no hyphen first or last.
fn is_host_name(name: &str) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.split('.')
        .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(valid))
}

/// This machine's name for itself.
#[cfg(unix)]
fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_ascii_lowercase();
    is_host_name(&name).then_some(name)
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    None
}

/// All but what is read once, at the start. A pool that is `running` cannot change its asset.
fn live(args: &PoolArgs, running: bool) -> Result<PoolConfig, CliError> {
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
    let price = args.price.quoted(args.asset).and_then(|price| price.in_asset(args.asset));
    let price = price.map_err(|why| CommandError::price(why, !running))?;
    let (payment, fee_bps, trial_ms) = (args.payment, args.fee_bps, args.trial.0);
    config.core = Limits { price, payment, fee_bps, trial_ms, report_interval_ms, ..config.core };
    config.core.max_request_hosts = args.max_request_hosts.unwrap_or(config.core.max_request_hosts);
    config.core.pinned_chains = chain_flag::pinned(&args.chain)?;
    for chain in chain_flag::unlike_public(&config.core.pinned_chains) {
        tracing::warn!(
            "--chain {}: this is not the genesis block of {chain}, so no node on {chain} can join",
            chain.chain_id
        );
    }
    limit_flag::set(&mut config, &args.limit, "pool")?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use vipnode_pool::{TlsError, admin::AdminPrice};
    use vipnode_types::{JoinSecret, PaymentMode, Price};

    use super::*;
    use crate::args::Cli;

    fn facts() -> CertificateFacts {
        let names = vec!["pool.example.org".to_owned()];
        CertificateFacts { names, begins_s: 1_800_000_000, expires_s: 1_831_536_000 }
    }

    fn now() -> SystemTime {
        std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_831_000_000)
    }

    #[test]
    fn snapshot_of_a_check_of_the_settings() {
        let config = |members| {
            let config = PoolConfig::new("127.0.0.1:0".parse().unwrap()).unwrap();
            PoolConfig {
                members,
                core: Limits { price: Price::per_minute(100_000_000_000), ..config.core.clone() },
                ..config
            }
        };
        let members = Membership::Members([vipnode_types::NodeId::new([7; 64])].into_iter().collect());
        let mut said = valid_lines(&config(members), Some(&facts()), now());
        said.extend(valid_lines(&config(Membership::Open), None, now()));
        said.extend(valid_lines(&config(Membership::Secret(JoinSecret::new("sesame").unwrap())), None, now()));
        let pem = |name: &str| PathBuf::from(format!("/etc/vipnode/{name}.pem"));
        let usdc = |running| {
            let cli = Cli::read(["vipnode", "pool", "--price", "0.50 USDC/month"]).unwrap();
            let Some(Command::Pool(args)) = cli.command else { panic!() };
            live(&args, running).map(drop).unwrap_err()
        };
        assert!(!usdc(true).hint.contains("--asset"), "a running pool cannot change it");
        let bare =
            Cli::read(["vipnode", "pool", "--payment", "credit", "--asset", "USDC:6", "--price", "0.50"]).unwrap();
        let Some(Command::Pool(bare)) = bare.command else { panic!() };
        assert!(live(&bare, false).map(drop).unwrap_err().hint.contains("\"0.50 USDC/month\""));
        let cli = Cli::read(["vipnode", "pool", "--asset", "USDC:6"]).unwrap();
        let Some(Command::Pool(other)) = cli.command else { panic!() };
        let refused: [CliError; 4] = [
            usdc(false),
            same_asset(&other, Asset::ETHER).unwrap_err(),
            TlsError::Mismatch { certificate: pem("fullchain"), key: pem("privkey") }.into(),
            CommandError::MembersAndSecret.into(),
        ];
        let errors = refused.map(|error| crate::tests::text_of_error(&error)).join("\n");
        let page = format!("{}\n{errors}", crate::tests::text_of(&said));
        insta::assert_snapshot!("check_config", crate::tests::at_each_width(&page));
    }

    #[test]
    fn snapshot_of_what_a_running_pool_says() {
        let changes = |members_added, members_removed, disconnected| ReloadChanges {
            members_added,
            members_removed,
            disconnected,
            ..ReloadChanges::default()
        };
        let path = PathBuf::from("/etc/vipnode/fullchain.pem");
        let expired = TlsError::Expired { path, at: facts().expires() };
        let priced = Limits { price: Price::per_minute(100_000_000_000), ..Limits::default() };
        let failed = RenewalResult::Failed {
            why: "no such name".to_owned(),
            hint: "Make the name resolve".to_owned(),
            retry_s: 60,
        };
        let said = [
            members_line(&changes(1, 2, 1)),
            members_line(&changes(0, 0, 3)),
            pool_certificate::reload_line(&Ok(facts()), now()),
            pool_certificate::reload_line(&Err(expired), now()),
            pool_certificate::reload_line(&Err(TlsError::NoFiles), now()),
            pool_certificate::news_line(&RenewalResult::Obtained(facts()), now()),
            pool_certificate::news_line(&failed, now()),
            price_change(None, &Limits::default(), &priced).unwrap(),
            price_change(Some(&AdminPrice { price: Price::FREE, fee_bps: 0, next: None }), &Limits::default(), &priced)
                .unwrap(),
            short_notice(&Limits { payment: PaymentMode::Credit, price_notice_ms: 3_600_000, ..Limits::default() })
                .unwrap(),
            stopping_line(true),
            stopping_line(false),
        ];
        insta::assert_snapshot!("pool_running", crate::tests::at_each_width(&crate::tests::text_of(&said)));
    }

    #[test]
    fn only_a_host_name_goes_into_the_certificate() {
        for name in ["pool", "pool.lan", "under_score", "a-b.c"] {
            assert!(is_host_name(name), "{name}");
        }
        for name in ["", "-", ".", "a.", ".a", "-a", "a-", "a b", "*", "$(id)"] {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
