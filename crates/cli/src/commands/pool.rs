use vipnode_core::Limits;
use vipnode_pool::{Membership, PoolConfig, PoolServer, TrustedProxies};

use crate::{
    args::PoolArgs,
    commands::join::join_secret,
    failure::Failure,
    limit_flag,
    screen::{Line, Screen, Tone},
    signals::Signals,
};

/// Runs a pool until it is stopped, and everybody was answered.
pub(crate) async fn run(args: PoolArgs, screen: Screen, signals: Signals) -> Result<(), Failure> {
    let bind = args.bind;
    let unnamed = !bind.ip().is_loopback() && args.public_url.is_empty();
    let print_limits = args.print_limits;
    let config = config(args)?;
    if print_limits {
        screen.print(&limit_flag::table(&config).trim_fmt(), &limit_flag::json(&config));
        return Ok(());
    }
    let open = !config.members.is_closed();
    let mut server = PoolServer::spawn(config).await.map_err(|error| {
        Failure::new(error.to_string(), format!("free {bind}, or choose another address: --bind ADDRESS:PORT"))
    })?;
    let address = server.local_addr();
    let url = format!("ws://{address}");
    let listens = Line::new("listening", Tone::Good, format!("the pool listens on {url}"));
    screen.say(&listens.with("url", url.as_str()));
    if open {
        let text = "anyone may join (--members FILE or --join-secret-file FILE closes it)";
        screen.say(&Line::new("open", Tone::Warning, text));
    }
    if unnamed {
        let text = "agents on other machines will be refused: what they sign names the pool's address\n  \
                    -> say how they reach this pool: --public-url ws://HOST:PORT";
        screen.say(&Line::new("no_public_url", Tone::Warning, text));
    }
    let next = if address.ip().is_unspecified() { format!("ws://<this machine>:{}", address.port()) } else { url };
    let text = format!("next: `vipnode host {next}` beside a full node, `vipnode client {next}` beside another");
    screen.say(&Line::new("next", Tone::Plain, text));
    let health = format!("http://{address}/health, /metrics");
    screen.say(&Line::new("health", Tone::Plain, format!("for monitoring: {health}")));
    tokio::select! {
        () = signals.first() => {}
        ended = server.join() => {
            return ended.map_err(|error| Failure::new(error.to_string(), "look at the log above, and start it again"));
        }
    }
    screen.say(&Line::new("stopping", Tone::Plain, "stopping: answering what is under way; leases go on"));
    server.shutdown().await.map_err(|error| Failure::new(error.to_string(), "look at the log above"))?;
    screen.say(&Line::new("stopped", Tone::Good, "stopped"));
    Ok(())
}

fn config(args: PoolArgs) -> Result<PoolConfig, Failure> {
    let secret = join_secret(&args.join)?;
    let members = match (&args.members, secret) {
        (Some(_), Some(_)) => {
            return Err(Failure::new("--members and a join secret were both given", "give one of the two"));
        }
        (Some(path), None) => Membership::read_file(path).map_err(|error| Failure::new(error.to_string(), ""))?,
        (None, Some(secret)) => Membership::Secret(secret),
        (None, None) => Membership::Open,
    };
    let mut config = PoolConfig::new(args.bind)
        .map_err(|error| Failure::new(format!("the operating system gives no random bytes: {error}"), ""))?;
    config.public_urls = args.public_url;
    config.members = members;
    config.proxies = TrustedProxies { proxies: args.proxy, header: args.proxy_header };
    config.welcome = args.welcome;
    let report_interval_ms = u64::try_from(args.report_interval.as_millis()).unwrap_or(u64::MAX);
    config.core = Limits { price: args.price, report_interval_ms, ..config.core };
    limit_flag::set(&mut config, &args.limit)?;
    Ok(config)
}
