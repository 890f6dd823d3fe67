use std::{borrow::Cow, path::Path};

use vipnode_pool::{PoolServer, PoolTls};
use vipnode_types::RpcUrl;

use crate::{
    commands::pool_certificate,
    output::{Line, Screen, Tone},
};

/// Where a started pool listens, and how agents join it.
pub(crate) fn say_start(server: &PoolServer, tls: Option<&PoolTls>, screen: Screen) {
    let address = server.local_addr();
    let urls = server.urls();
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    let own = format!("{scheme}://{address}");
    let text = match &*urls {
        [url] if *url == own => format!("Listening on {own}"),
        urls => format!("Listening on {address}; agents can connect to {}", urls.join(", ")),
    };
    let first = urls.into_iter().next().unwrap_or(own);
    let listens = Line::new("listening", Tone::Good, text).with("url", &*first).with("address", address.to_string());
    screen.say(&listens);
    if let Some(tls) = tls {
        pool_certificate::say_at_start(tls, address.port(), screen);
    }
    let ca = tls.and_then(PoolTls::ca_file);
    screen.say(&Line::new("next", Tone::Plain, next(&first, ca.as_deref())));
    let http = first.replacen("ws", "http", 1);
    let text = format!("Health and metrics: {http}/health, {http}/metrics");
    screen.say(&Line::new("health", Tone::Plain, text));
}

/// The commands that join this pool, complete and quoted for a shell.
fn next(url: &str, ca: Option<&Path>) -> String {
    let parsed: Option<RpcUrl> = url.parse().ok();
    let local = parsed.as_ref().is_some_and(RpcUrl::is_local);
    let flags = match ca {
        // A proxy in front of the pool may speak without TLS.
        _ if parsed.is_some_and(|url| !url.is_tls()) => if local { "" } else { " --insecure" }.to_owned(),
        Some(ca) => format!(" --tls-ca {}", quoted(&ca.display().to_string())),
        None => String::new(),
    };
    let url = quoted(url);
    format!(
        "Next: run `vipnode host {url}{flags}` with a full node, and `vipnode client {url}{flags}` with another node"
    )
}

/// The word as a shell reads it; one with a zero byte, which no argument can have, stays as it is.
fn quoted(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

/// A pool at all addresses of its machine knows neither its names nor the addresses outside a container.
pub(crate) fn warn_unnamed(tls: bool, screen: Screen) {
    let scheme = if tls { "wss" } else { "ws" };
    let text = "Agents that reach this pool by a name, through a proxy, or at a published port will be rejected, because they \
                sign a URL that this pool does not know";
    let hint = format!("Pass the URL that agents use to reach this pool: --public-url {scheme}://HOST:PORT");
    screen.say(&Line::new("no_public_url", Tone::Warning, text).hint(&hint));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_commands_are_complete() {
        let next = |url, ca: Option<&str>| next(url, ca.map(Path::new));
        assert!(next("ws://127.0.0.1:8080", None).contains("`vipnode host ws://127.0.0.1:8080`"));
        assert!(next("wss://pool.example", None).contains("`vipnode client wss://pool.example`"));
        assert!(next("ws://10.0.0.1:8080", None).contains("`vipnode host ws://10.0.0.1:8080 --insecure`"));
        assert!(next("wss://10.0.0.1:8443", Some("/x/ca.pem")).contains("wss://10.0.0.1:8443 --tls-ca /x/ca.pem`"));
        assert!(next("wss://10.0.0.1:8443", Some("/my dir/ca.pem")).contains("--tls-ca '/my dir/ca.pem'`"));
        assert!(next("wss://pool.lan/$(id)", None).contains("`vipnode host 'wss://pool.lan/$(id)'`"));
        assert!(next("http://pool.lan", Some("/x/ca.pem")).contains("`vipnode host http://pool.lan --insecure`"));
    }
}
