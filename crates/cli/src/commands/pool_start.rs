use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::SystemTime,
};

use vipnode_types::RpcUrl;

use crate::{
    commands::{pool_certificate::CertificateAtStart, pool_data_dir::default_data_dir, pool_terms::PoolTerms},
    output::{Line, Tone, format::quoted},
};

/// A started pool, as its first lines describe it: where it listens, how agents join it, and who may.
#[derive(Debug)]
pub(crate) struct PoolStart {
    pub(crate) address: SocketAddr,
    /// The public URLs.
    pub(crate) urls: Vec<String>,
    pub(crate) certificate: Option<CertificateAtStart>,
    pub(crate) needs: JoinNeeds,
    /// The pool's ID, if it has a data directory.
    pub(crate) id: Option<String>,
    /// Where it keeps its state, unless in memory.
    pub(crate) datadir: Option<PathBuf>,
    /// What a slot costs, and how clients pay.
    pub(crate) terms: PoolTerms,
    /// The ledger holds balances or due payouts, but clients do not pay.
    pub(crate) unused_funds: bool,
    /// Anyone may join.
    pub(crate) is_open: bool,
    /// It listens at all addresses, and the user named no public URL.
    pub(crate) at_any_address: bool,
}

/// What an agent needs to join a pool, next to its URL.
#[derive(Debug, Clone, Default)]
pub(crate) struct JoinNeeds {
    /// The pool has a join secret.
    pub(crate) secret: bool,
    /// The file from which the pool read it.
    pub(crate) secret_file: Option<PathBuf>,
    /// Clients pay, so a host names the account that earns.
    pub(crate) payout: bool,
}

/// Stands for the file of a CA that is not the pool's.
const OTHER_CA: &str = "CA.pem";

impl PoolStart {
    /// Its lines. `now` is compared with the certificate's end.
    pub(crate) fn lines(&self, now: SystemTime) -> Vec<Line> {
        let scheme = if self.certificate.is_some() { "wss" } else { "ws" };
        let own = format!("{scheme}://{}", self.address);
        let text = match &*self.urls {
            [url] if *url == own => format!("Listening on {own}"),
            urls => format!("Listening on {}; agents can connect to {}", self.address, urls.join(", ")),
        };
        let first = self.urls.first().unwrap_or(&own);
        let listening = Line::new("listening", Tone::Good, text).with("url", first.as_str());
        let mut lines = vec![listening.with("address", self.address.to_string())];
        if let Some(certificate) = &self.certificate {
            lines.extend(certificate.lines(self.address.port(), now));
        }
        lines.push(Line::new("next", Tone::Plain, next(first, self.ca(), &self.needs)));
        lines.push(Line::new("manage", Tone::Plain, self.manage(first)));
        let http = first.replacen("ws", "http", 1);
        let text = format!("Health and metrics: {http}/health, {http}/metrics");
        lines.push(Line::new("health", Tone::Plain, text));
        lines.extend(
            self.id
                .as_ref()
                .map(|id| Line::new("pool_id", Tone::Plain, format!("Pool ID: {id}")).with("id", id.as_str())),
        );
        lines.push(self.state());
        lines.extend(self.terms.lines());
        if self.unused_funds {
            let text = "The ledger holds balances or due payouts, but clients of this pool do not pay";
            let hint = "To continue with them, restart the pool with --payment and --price as before";
            lines.push(Line::new("unused_funds", Tone::Warning, text).hint(hint));
        }
        if self.is_open {
            let hint = "To close it, pass --members FILE or --join-secret-file FILE";
            lines.push(Line::new("open", Tone::Warning, "Anyone may join this pool").hint(hint));
        }
        lines.extend(self.unnamed(scheme));
        lines
    }

    /// The commands on this machine, complete and quoted for a shell.
    fn manage(&self, url: &str) -> String {
        let parsed: Option<RpcUrl> = url.parse().ok();
        let path = |path: &Path| quoted(&path.display().to_string()).into_owned();
        let flags = match self.ca() {
            _ if parsed.as_ref().is_some_and(|url| !url.is_tls() && !url.is_local()) => " --insecure".to_owned(),
            Some(ca) if parsed.as_ref().is_some_and(RpcUrl::is_tls) => format!(" --tls-ca {}", path(ca)),
            _ => String::new(),
        };
        let is_default = |dir: &PathBuf| default_data_dir().is_ok_and(|default| default == *dir);
        let datadir = self.datadir.as_ref().filter(|dir| !is_default(dir));
        let datadir = datadir.map(|dir| format!(" --datadir {}", path(dir))).unwrap_or_default();
        format!(
            "On this machine, run `vipnode status --pool {}{flags}` for its status, and `vipnode pool admin COMMAND{datadir}` to manage it",
            quoted(url)
        )
    }

    fn state(&self) -> Line {
        let Some(datadir) = &self.datadir else {
            let text = "This pool keeps its state in memory: leases and bans are lost when it stops";
            return Line::new("data", Tone::Warning, text).hint("To keep them, remove --store memory");
        };
        let datadir = datadir.display().to_string();
        Line::new("data", Tone::Plain, format!("Data directory: {datadir}")).with("datadir", datadir)
    }

    /// The file that agents pass to --tls-ca. The file of another's CA is not known.
    fn ca(&self) -> Option<&Path> {
        let certificate = self.certificate.as_ref()?;
        let other = || certificate.needs_ca.then(|| Path::new(OTHER_CA));
        certificate.ca_file.as_deref().or_else(other)
    }

    /// A pool at all addresses of its machine knows neither its names nor the addresses outside a container, unless its
    /// certificate, from elsewhere, names it.
    fn unnamed(&self, scheme: &str) -> Option<Line> {
        let has_name = |url: &String| url.parse::<RpcUrl>().is_ok_and(|url| url.host().parse::<IpAddr>().is_err());
        let from_other_authority = self.certificate.as_ref().is_some_and(|certificate| certificate.ca_file.is_none());
        if !self.at_any_address || from_other_authority && self.urls.iter().any(has_name) {
            return None;
        }
        let text = "Agents that reach this pool by a name, through a proxy, or at a published port will be rejected, because they \
                    sign a URL that this pool does not know";
        let hint = format!("Pass the URL that agents use to reach this pool: --public-url {scheme}://HOST:PORT");
        Some(Line::new("no_public_url", Tone::Warning, text).hint(&hint))
    }
}

/// The commands that join this pool, complete and quoted for a shell. On other machines, the pool's files do not exist: they are
/// copied there, and the commands name the copies in the current directory.
fn next(url: &str, ca: Option<&Path>, needs: &JoinNeeds) -> String {
    let parsed: Option<RpcUrl> = url.parse().ok();
    let local = parsed.as_ref().is_some_and(RpcUrl::is_local);
    let mut copied = Vec::new();
    let mut file = |path: &Path| {
        let own = path.display().to_string();
        let name = path.file_name().filter(|_| !local).map(|name| name.to_string_lossy().into_owned());
        if name.is_some() && path != Path::new(OTHER_CA) {
            copied.push(own.clone());
        }
        quoted(&name.unwrap_or(own)).into_owned()
    };
    let flags = match ca {
        // A proxy in front of the pool may speak without TLS.
        _ if parsed.is_some_and(|url| !url.is_tls()) => if local { "" } else { " --insecure" }.to_owned(),
        Some(ca) => format!(" --tls-ca {}", file(ca)),
        None => String::new(),
    };
    let placeholder = format!(". {OTHER_CA} stands for the certificate of your CA");
    let note = if flags.ends_with(OTHER_CA) { placeholder } else { String::new() };
    let secret = match &needs.secret_file {
        _ if !needs.secret => String::new(),
        Some(secret) => format!(" --join-secret-file {}", file(secret)),
        None => " --join-secret-file FILE".to_owned(),
    };
    let (url, flags) = (quoted(url), format!("{flags}{secret}"));
    let payout = if needs.payout { " --payout ADDRESS" } else { "" };
    let (copy, there) = match &*copied {
        [] => (String::new(), ""),
        files => (format!("copy {} to the agents' machines, and ", files.join(" and ")), " there"),
    };
    format!(
        "Next: {copy}run{there} `vipnode host {url}{flags}{payout}` with a full node, and `vipnode client {url}{flags}` with another \
         node{note}"
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use vipnode_pool::CertificateFacts;
    use vipnode_pool_core::Limits;
    use vipnode_types::{Ms, PaymentMode, Price, wire::NextPrice};

    use super::*;

    fn start() -> PoolStart {
        PoolStart {
            address: "127.0.0.1:8080".parse().unwrap(),
            urls: vec!["ws://127.0.0.1:8080".to_owned()],
            certificate: None,
            needs: JoinNeeds::default(),
            id: None,
            datadir: None,
            terms: PoolTerms::of(&Limits::default(), None),
            unused_funds: false,
            is_open: true,
            at_any_address: false,
        }
    }

    fn certificate(names: &[&str]) -> CertificateAtStart {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let facts = CertificateFacts { names: names.clone(), begins_s: 1_800_000_000, expires_s: 1_831_536_000 };
        CertificateAtStart { names, facts: Some(facts), ca_file: None, needs_ca: false }
    }

    #[test]
    fn snapshot_of_the_start() {
        let internal = CertificateAtStart {
            ca_file: Some("/var/lib/vipnode/tls/ca.pem".into()),
            needs_ca: true,
            ..certificate(&["10.0.0.1", "pool", "localhost", "127.0.0.1", "::1"])
        };
        let ordered = CertificateAtStart { facts: None, ..certificate(&["pool.example.org"]) };
        let own_ca = CertificateAtStart { needs_ca: true, ..certificate(&["pool.lan"]) };
        let urls = |urls: &[&str]| urls.iter().map(|url| (*url).to_owned()).collect();
        let gwei = |gwei: u64| Price::per_minute(gwei * 1_000_000_000);
        let priced = PoolTerms {
            price: gwei(100),
            payment: PaymentMode::Credit,
            fee_bps: 250,
            trial_ms: 1_800_000,
            next: Some(NextPrice { price: gwei(120), fee_bps: 300, from_ms: Ms::new(1_800_086_400_000) }),
            by_settings: true,
            channel: None,
            epoch: None,
        };
        let starts = [
            start(),
            PoolStart {
                address: "0.0.0.0:8080".parse().unwrap(),
                urls: urls(&["ws://10.0.0.1:8080", "ws://[2001:db8::1]:8080", "ws://127.0.0.1:8080"]),
                at_any_address: true,
                ..start()
            },
            PoolStart {
                address: "10.0.0.1:8443".parse().unwrap(),
                urls: urls(&["wss://10.0.0.1:8443"]),
                certificate: Some(internal),
                id: Some(vipnode_types::PoolKey::from_random([1; 32]).unwrap().id().to_string()),
                datadir: Some("/var/lib/vipnode/pool".into()),
                terms: priced,
                needs: JoinNeeds { secret: true, secret_file: Some("/etc/vipnode/join.secret".into()), payout: true },
                is_open: false,
                ..start()
            },
            PoolStart {
                address: "0.0.0.0:8443".parse().unwrap(),
                urls: urls(&["wss://pool.example.org"]),
                certificate: Some(ordered),
                at_any_address: true,
                ..start()
            },
            PoolStart {
                address: "10.0.0.1:443".parse().unwrap(),
                urls: urls(&["wss://pool.lan", "wss://10.0.0.1"]),
                certificate: Some(own_ca),
                unused_funds: true,
                is_open: false,
                ..start()
            },
        ];
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let pages = starts.iter().map(|start| crate::tests::text_of(&start.lines(now)));
        let pages = pages.collect::<Vec<_>>().join("\n\n");
        insta::assert_snapshot!("pool_start", crate::tests::at_each_width(&pages));
    }

    #[test]
    fn the_next_commands_are_complete() {
        let next = |url, ca: Option<&str>| super::next(url, ca.map(Path::new), &JoinNeeds::default());
        assert!(next("ws://127.0.0.1:8080", None).contains("`vipnode host ws://127.0.0.1:8080`"));
        assert!(next("wss://pool.example", None).contains("`vipnode client wss://pool.example`"));
        assert!(next("ws://10.0.0.1:8080", None).contains("`vipnode host ws://10.0.0.1:8080 --insecure`"));
        assert!(next("wss://127.0.0.1:8443", Some("/x/ca.pem")).contains("wss://127.0.0.1:8443 --tls-ca /x/ca.pem`"));
        assert!(next("wss://localhost:8443", Some("/my dir/ca.pem")).contains("--tls-ca '/my dir/ca.pem'`"));
        let other = next("wss://10.0.0.1:8443", Some("/my dir/the ca.pem"));
        assert!(other.starts_with("Next: copy /my dir/the ca.pem to the agents' machines, and run there `"), "{other}");
        assert!(
            other.contains("wss://10.0.0.1:8443 --tls-ca 'the ca.pem'`") && !other.contains("--tls-ca '/"),
            "{other}"
        );
        let placeholder = next("wss://pool.lan", Some(OTHER_CA));
        assert!(
            placeholder.ends_with("--tls-ca CA.pem` with another node. CA.pem stands for the certificate of your CA")
        );
        assert!(!next("wss://127.0.0.1", Some("/x/ca.pem")).contains("stands for"));
        assert!(next("wss://pool.lan/$(id)", None).contains("`vipnode host 'wss://pool.lan/$(id)'`"));
        assert!(next("http://pool.lan", Some("/x/ca.pem")).contains("`vipnode host http://pool.lan --insecure`"));
    }

    #[test]
    fn the_next_commands_of_a_closed_pool_name_the_file_of_the_secret() {
        let next = |file: Option<&str>| {
            super::next(
                "wss://p.example",
                None,
                &JoinNeeds { secret: true, secret_file: file.map(PathBuf::from), payout: false },
            )
        };
        let copied = next(Some("/my dir/a secret"));
        assert!(
            copied.contains("copy /my dir/a secret to") && copied.contains("--join-secret-file 'a secret'`"),
            "{copied}"
        );
        assert!(next(None).contains("`vipnode client wss://p.example --join-secret-file FILE`"));
    }
}
