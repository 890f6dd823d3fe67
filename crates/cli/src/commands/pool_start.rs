use std::{
    borrow::Cow,
    net::IpAddr,
    path::{Path, PathBuf},
};

use vipnode_pool::{PoolServer, PoolTls};
use vipnode_types::RpcUrl;

use crate::{
    commands::pool_certificate,
    output::{Line, Screen, Tone},
};

/// What an agent needs to join a pool, next to its URL.
#[derive(Debug, Clone, Default)]
pub(crate) struct JoinNeeds {
    /// The pool has a join secret.
    pub(crate) secret: bool,
    /// The file from which the pool read it.
    pub(crate) secret_file: Option<PathBuf>,
}

/// Where a started pool listens, and how agents join it.
pub(crate) fn say_start(server: &PoolServer, tls: Option<&PoolTls>, needs: &JoinNeeds, screen: Screen) {
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
    screen.say(&Line::new("next", Tone::Plain, next(&first, ca.as_deref(), needs)));
    let http = first.replacen("ws", "http", 1);
    let text = format!("Health and metrics: {http}/health, {http}/metrics");
    screen.say(&Line::new("health", Tone::Plain, text));
}

/// The commands that join this pool, complete and quoted for a shell.
fn next(url: &str, ca: Option<&Path>, needs: &JoinNeeds) -> String {
    let parsed: Option<RpcUrl> = url.parse().ok();
    let local = parsed.as_ref().is_some_and(RpcUrl::is_local);
    let flags = match ca {
        // A proxy in front of the pool may speak without TLS.
        _ if parsed.is_some_and(|url| !url.is_tls()) => if local { "" } else { " --insecure" }.to_owned(),
        Some(ca) => format!(" --tls-ca {}", quoted(&ca.display().to_string())),
        None => String::new(),
    };
    let secret = match &needs.secret_file {
        _ if !needs.secret => String::new(),
        Some(file) => format!(" --join-secret-file {}", quoted(&file.display().to_string())),
        None => " --join-secret-file FILE".to_owned(),
    };
    let (url, flags) = (quoted(url), format!("{flags}{secret}"));
    format!(
        "Next: run `vipnode host {url}{flags}` with a full node, and `vipnode client {url}{flags}` with another node"
    )
}

/// The word as a shell reads it; one with a zero byte, which no argument can have, stays as it is.
fn quoted(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

/// A pool at all addresses of its machine knows neither its names nor the addresses outside a container, unless its
/// certificate, from elsewhere, names it.
pub(crate) fn warn_unnamed(server: &PoolServer, tls: Option<&PoolTls>, screen: Screen) {
    let has_name = |url: &String| url.parse::<RpcUrl>().is_ok_and(|url| url.host().parse::<IpAddr>().is_err());
    let from_elsewhere = tls.is_some_and(|tls| tls.ca_file().is_none());
    if from_elsewhere && server.urls().iter().any(has_name) {
        return;
    }
    let scheme = if tls.is_some() { "wss" } else { "ws" };
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
        let next = |url, ca: Option<&str>| super::next(url, ca.map(Path::new), &JoinNeeds::default());
        assert!(next("ws://127.0.0.1:8080", None).contains("`vipnode host ws://127.0.0.1:8080`"));
        assert!(next("wss://pool.example", None).contains("`vipnode client wss://pool.example`"));
        assert!(next("ws://10.0.0.1:8080", None).contains("`vipnode host ws://10.0.0.1:8080 --insecure`"));
        assert!(next("wss://10.0.0.1:8443", Some("/x/ca.pem")).contains("wss://10.0.0.1:8443 --tls-ca /x/ca.pem`"));
        assert!(next("wss://10.0.0.1:8443", Some("/my dir/ca.pem")).contains("--tls-ca '/my dir/ca.pem'`"));
        assert!(next("wss://pool.lan/$(id)", None).contains("`vipnode host 'wss://pool.lan/$(id)'`"));
        assert!(next("http://pool.lan", Some("/x/ca.pem")).contains("`vipnode host http://pool.lan --insecure`"));
    }
    #[test]
    fn the_next_commands_of_a_closed_pool_name_the_file_of_the_secret() {
        let next = |file: Option<&str>| {
            super::next("wss://p.example", None, &JoinNeeds { secret: true, secret_file: file.map(PathBuf::from) })
        };
        assert!(next(Some("/my dir/s")).contains("`vipnode host wss://p.example --join-secret-file '/my dir/s'`"));
        assert!(next(None).contains("`vipnode client wss://p.example --join-secret-file FILE`"));
    }
}
