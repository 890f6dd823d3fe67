//! Checks the packaged Prometheus files, and scraped metrics, with Prometheus's own tools.
//! `VIPNODE_TEST_PROMTOOL` is the path of promtool; prometheus has to be next to it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use crate::support::{
    SOON, Vipnode,
    packaged::{alerts, dashboard_expressions, metrics_of, path, text},
    scrape::{get, numbers_until, shown_at},
};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};
use vipnode_node::{
    sim::{SimNet, SimServer, SimSpec, sim_key},
    testing::assert_isolated,
};

fn promtool() -> PathBuf {
    std::env::var_os("VIPNODE_TEST_PROMTOOL").map_or_else(|| "promtool".into(), PathBuf::from)
}

/// promtool's output when it finds no error.
async fn content(args: &[&str], stdin: &str) -> String {
    let command =
        Command::new(promtool()).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = command.expect("VIPNODE_TEST_PROMTOOL with the path of Prometheus' promtool");
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).await.unwrap();
    // The rules' tests take 20 s of a core, which others want too.
    let output = timeout(SOON * 3, child.wait_with_output()).await.unwrap().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "promtool {args:?}: {out}{err}");
    out.into_owned()
}

#[tokio::test]
async fn the_rules_are_valid_and_each_fires_when_it_should() {
    for args in [
        ["check", "rules", path("prometheus/alerts.yml").to_str().unwrap()],
        ["check", "config", path("prometheus/prometheus.yml").to_str().unwrap()],
        ["test", "rules", path("prometheus/alerts_test.yml").to_str().unwrap()],
    ] {
        assert!(content(&args, "").await.contains("SUCCESS"), "{args:?}");
    }
}

/// A pool, and a host and a client on simulated nodes, with a lease between them.
struct Fleet {
    pool: Vipnode,
    pool_at: String,
    agents: Vec<Vipnode>,
    agents_at: Vec<String>,
    _server: SimServer,
    _dir: tempfile::TempDir,
}

impl Fleet {
    async fn start() -> Self {
        let (net, dir) = (SimNet::new(), tempfile::tempdir().unwrap());
        let (pool, url) = Vipnode::pool(&["--report-interval", "1s"]).await;
        for (role, port) in [("host", 30_303), ("client", 30_304)] {
            net.add(SimSpec::new(role, port));
            std::fs::write(dir.path().join(role), sim_key(role).as_slice()).unwrap();
        }
        let server = SimServer::start(net).await.unwrap();
        let (mut agents, mut agents_at) = (Vec::new(), Vec::new());
        for (role, until) in [("host", "offering"), ("client", "host_connected")] {
            let (rpc, key) = (server.endpoint(role).to_string(), format!("{}/{role}", dir.path().display()));
            let state = dir.path().to_str().unwrap();
            let common = ["--rpc", &rpc, "--nodekey", &key, "--state-dir", state, "--metrics-bind", "0"];
            let mut agent = Vipnode::start(&[&[role, url.as_str()][..], &common].concat());
            agents_at.push(shown_at(&mut agent).await);
            agent.event(until).await;
            agents.push(agent);
        }
        agents[0].event("client_connected").await;
        let pool_at = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
        Self { pool, pool_at, agents, agents_at, _server: server, _dir: dir }
    }

    fn addresses(&self) -> impl Iterator<Item = &String> {
        self.agents_at.iter().chain([&self.pool_at])
    }
}

#[tokio::test]
async fn what_is_scraped_is_well_formed_and_all_that_is_asked_for() {
    assert_isolated();
    let fleet = Fleet::start().await;
    let mut scraped = String::new();
    for address in fleet.addresses() {
        let text = get(address, "/metrics").await;
        assert_eq!(content(&["check", "metrics"], &text).await, "", "{text}");
        scraped += &text;
    }
    let expressions = dashboard_expressions().into_iter().chain(alerts().into_iter().map(|(_, expr)| expr));
    for metric in
        expressions.flat_map(|expr| metrics_of(&expr)).filter(|metric| !["up", "ALERTS"].contains(&metric.as_str()))
    {
        let sample = |line: &str| line.strip_prefix(&metric).is_some_and(|rest| rest.starts_with([' ', '{']));
        assert!(scraped.lines().any(sample), "{metric} is not in:\n{scraped}");
    }
    for line in ["vipnode_agent_connected_clients 1", "vipnode_agent_connected_hosts 1"] {
        assert!(scraped.lines().any(|there| there == line), "{line} is not in:\n{scraped}");
    }
    numbers_until(&fleet.pool_at, &[("vipnode_pool_connected_agents", 2)]).await;
}

/// A Prometheus that scrapes a fleet as in the packed file, but each second.
struct Prometheus {
    _child: Child,
    at: String,
    _dir: tempfile::TempDir,
}

impl Prometheus {
    fn start(fleet: &Fleet) -> Self {
        let quoted: Vec<String> = fleet.agents_at.iter().map(|address| format!("{address:?}")).collect();
        let config = text("prometheus/prometheus.yml")
            .replace("\"127.0.0.1:9464\"", &quoted.join(", "))
            .replace("127.0.0.1:8080", &fleet.pool_at);
        Self::with(tempfile::tempdir().unwrap(), &config)
    }

    /// Scrapes by this configuration each second.
    fn with(dir: tempfile::TempDir, config: &str) -> Self {
        let config = config.replace("15s", "1s");
        std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
        std::fs::copy(path("prometheus/alerts.yml"), dir.path().join("alerts.yml")).unwrap();
        // It does not report which port it took, so it gets one that is free.
        let at = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let flag = |name: &str, file: &Path| format!("--{name}={}", file.display());
        let child = Command::new(promtool().with_file_name("prometheus"))
            .arg(flag("config.file", &dir.path().join("prometheus.yml")))
            .arg(flag("storage.tsdb.path", &dir.path().join("data")))
            .arg(format!("--web.listen-address={at}"))
            .stderr(std::fs::File::create(dir.path().join("log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus next to promtool");
        Self { _child: child, at, _dir: dir }
    }

    /// The lines that an expression gives; empty too while Prometheus is not up.
    async fn query(&self, expr: &str) -> String {
        let server = format!("http://{}", self.at);
        let output = Command::new(promtool()).args(["query", "instant", &server, expr]).output().await.unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || error.contains("connect") || error.contains("503"), "{expr}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks again and again until there is an answer; it scrapes and works out its rules once a second.
    async fn until(&self, expr: &str) -> String {
        let asking = async {
            loop {
                let answer = self.query(expr).await;
                if !answer.trim().is_empty() {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        timeout(SOON, asking).await.unwrap_or_else(|_| panic!("{expr} never gave anything"))
    }
}

#[tokio::test]
async fn prometheus_reads_a_running_pool_and_its_agents_and_sees_the_pool_go() {
    assert_isolated();
    let fleet = Fleet::start().await;
    let prometheus = Prometheus::start(&fleet);
    prometheus.until("count(up == 1) == 3").await;
    // A pool without TLS has no certificate.
    for expr in dashboard_expressions().iter().filter(|expr| !expr.contains("tls_certificate_expiry")) {
        prometheus.until(expr).await;
    }
    let rules: Value = serde_json::from_str(&get(&prometheus.at, "/api/v1/rules").await).unwrap();
    let groups = rules["data"]["groups"].as_array().unwrap().iter();
    let rules: Vec<&Value> = groups.flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert_eq!(rules.len(), alerts().len());
    for rule in rules {
        assert_eq!((&rule["health"], rule["lastError"].as_str()), (&"ok".into(), None), "{rule}");
        // The client wants three hosts and there is one; simulated nodes make no blocks.
        let so_here = ["VipnodeHostsMissing", "VipnodeHeadLags"].contains(&rule["name"].as_str().unwrap());
        assert!(so_here || rule["state"] == "inactive", "all is well, and yet: {rule}");
    }
    let Fleet { pool, agents, .. } = fleet;
    pool.kill().await;
    prometheus.until("count(vipnode_agent_pool_connected == 0) == 2").await;
    for (alert, count) in [("VipnodePoolDown", 1), ("VipnodePoolUnreachable", 2)] {
        prometheus.until(&format!("count(ALERTS{{alertname={alert:?},alertstate=\"pending\"}}) == {count}")).await;
    }
    drop(agents);
}

/// The lines about TLS in the packed file, without their comment signs, for a pool that makes its own certificates.
#[tokio::test]
async fn prometheus_reads_a_pool_with_tls_by_the_lines_of_the_packed_file() {
    assert_isolated();
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool");
    let args = ["pool", "--bind", "127.0.0.1:0", "--tls", "internal", "--datadir", datadir.to_str().unwrap()];
    let mut pool = Vipnode::start(&args);
    let url = pool.event("listening").await["url"].as_str().unwrap().to_owned();
    std::fs::copy(datadir.join("tls/ca.pem"), dir.path().join("ca.pem")).unwrap();
    let packed = text("prometheus/prometheus.yml");
    let lines = packed.lines().filter(|line| !line.contains("If the pool uses TLS"));
    let lines: Vec<String> = lines.map(|line| line.replacen("    #", "    ", 1)).collect();
    let config = lines
        .join("\n")
        .replace("pool.example.org", "localhost")
        .replace("127.0.0.1:8080", url.trim_start_matches("wss://").trim_end_matches('/'));
    assert!(config.contains("\n    tls_config:\n"), "{config}");
    let prometheus = Prometheus::with(dir, &config);
    prometheus.until("up{job=\"vipnode-pool\"} == 1").await;
    let expiry = dashboard_expressions().into_iter().find(|expr| expr.contains("tls_certificate_expiry"));
    prometheus.until(&expiry.unwrap()).await;
}
