//! Output that cannot be written is an error; a closed pipe is not.

use std::{
    fs::OpenOptions,
    process::{Command, Stdio},
};

use crate::support::{Sim, Vipnode, scrape::shown_at};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ACCOUNT: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

fn command(args: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_vipnode")]).args(args).stderr(Stdio::piped());
    command
}

/// The commands that print something and end, on a machine with a pool and an agent.
fn printing(sim: &Sim, pool: &str, datadir: &str) -> Vec<Vec<String>> {
    let [rpc, key, state] = sim.args();
    let mut lines: Vec<String> = vec![
        "--help".into(),
        "--version".into(),
        "version".into(),
        "pool --print-limits".into(),
        "agent --print-limits".into(),
        format!("pool --check-config --asset USDC:6 --datadir {datadir}"),
        "man".into(),
        "man --markdown".into(),
        "man --openrpc".into(),
        "man --methods".into(),
        "man --metrics".into(),
        format!("host --dry-run {rpc} {key}"),
        format!("doctor {pool} {rpc} {key} {state}"),
        format!("link {rpc} {key} --state-dir={datadir}"),
        format!("link --request {rpc} --state-dir={datadir}/request"),
        format!("release {rpc} --state-dir={datadir}/release"),
        format!("status {state}"),
        format!("status --json {state}"),
        format!("status --why {state}"),
        format!("ping {state}"),
        format!("status --pool {pool}"),
        format!("pool admin top --datadir {datadir}"),
        format!("pool admin nodes --datadir {datadir}"),
        format!("pool admin bans --datadir {datadir}"),
        format!("pool admin ban 203.0.113.7 --datadir {datadir}"),
        // `unban` is left out: each run needs a ban before it.
        format!("pool admin drain --stop --datadir {datadir}"),
        format!("pool admin leases --datadir {datadir}"),
        format!("pool admin audit --datadir {datadir}"),
        format!("pool admin credit {ACCOUNT} 1~USDC --reason x --datadir {datadir}"),
        format!("pool admin debit {ACCOUNT} 0.1~USDC --reason x --datadir {datadir}"),
        format!("pool admin correct {ACCOUNT} 0.1~USDC --reason x --datadir {datadir}"),
        format!("pool admin limit {ACCOUNT} 2~USDC --datadir {datadir}"),
        format!("pool admin account {ACCOUNT} --datadir {datadir}"),
        format!("pool admin accounts --datadir {datadir}"),
        format!("pool admin statement {ACCOUNT} --datadir {datadir}"),
        format!("pool admin statement {ACCOUNT} --csv --datadir {datadir}"),
        format!("pool admin payouts --datadir {datadir}"),
        format!("pool verify --datadir {datadir}"),
        format!("pool prune --to {datadir}/pruned.jsonl --datadir {datadir}"),
        // Left out: `pool admin close-period`, which needs the payouts before it to be marked, and `pool backup` and `pool
        // restore`, which need another file for each run.
        format!("account show {state}"),
        format!("account show {pool} --account {ACCOUNT}"),
        format!("account daily-statements {state}"),
        format!("wallet address --private-key {}", "11".repeat(32)),
    ];
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        lines.push(format!("completions {shell}"));
    }
    for role in ["pool", "host", "client", "agent", "doctor", "link", "status", "ping", "release", "demo"] {
        lines.push(format!("{role} --help"));
        lines.push(format!("{role} --print-config"));
    }
    lines.iter().map(|line| line.split(' ').map(|word| word.replace('~', " ")).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_prints_fails_on_a_full_disk_and_not_on_a_closed_pipe() {
    let sim = Sim::start().await;
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().to_str().unwrap();
    let priced = ["--datadir", datadir, "--payment", "credit", "--asset", "USDC:6", "--price", "1 USDC/day"];
    let (_pool, url) = Vipnode::pool(&priced).await;
    let mut agent = sim.agent(&["host", &url]);
    agent.event("joined").await;
    for line in printing(&sim, &url, datadir) {
        let args: Vec<&str> = line.iter().map(String::as_str).collect();
        let well = command(&args).stdout(Stdio::null()).output().unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command(&args).stdout(full).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?} > /dev/full: {error}");
        assert!(error.contains("cannot write to standard output"), "{args:?} > /dev/full: {error}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&args).stdout(writer).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), well.status.code(), "{args:?} in a closed pipe: {error}");
        assert!(!error.contains("standard output") && !error.contains("roken pipe"), "{args:?}: {error}");
    }
}

/// A role goes on while its output cannot be written, because its peers do not depend on it, and reports that when it ends.
#[tokio::test]
async fn a_role_that_cannot_print_reports_that_when_it_ends() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut running = tokio::process::Command::new(env!("CARGO_BIN_EXE_vipnode"));
    let running =
        running.args(["pool", "--store", "memory", "--bind", &free.to_string()]).stdout(full).stderr(Stdio::piped());
    let running = running.kill_on_drop(true).spawn().unwrap();
    while TcpStream::connect(free).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let pid = running.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = running.wait_with_output().await.unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert!(log.contains("cannot write to standard output"), "{log}");
}

/// Status and headers of an answer, and how much comes behind them.
async fn asked(address: &str, method: &str, path: &str) -> (Vec<String>, usize) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let varies =
        |line: &&str| !line.to_lowercase().starts_with("date:") && !line.to_lowercase().starts_with("content-length:");
    (head.lines().filter(varies).map(|line| line.to_lowercase()).collect(), body.len())
}

#[tokio::test]
async fn head_works_wherever_get_does() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut agent = sim.agent(&["client", &url, "--metrics-bind", "0"]);
    let agent_at = shown_at(&mut agent).await;
    let pool_at = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    for address in [pool_at, agent_at] {
        for path in ["/", "/health", "/health?full", "/metrics", "/nothing"] {
            let (get, _) = asked(&address, "GET", path).await;
            let (head, body) = asked(&address, "HEAD", path).await;
            assert_eq!(head, get, "{address}{path}");
            assert_eq!(body, 0, "{address}{path}");
        }
    }
}
