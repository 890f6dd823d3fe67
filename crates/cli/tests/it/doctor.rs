//! `vipnode doctor` with a simulated node, and against pools of all kinds.

use crate::support::{Sim, Vipnode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};
use vipnode_node::sim::{SimHead, SimSpec};
use vipnode_types::ChainSpec;

/// Exit code and what each check came to.
async fn doctor(args: &[&str]) -> (Option<i32>, Vec<Value>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    let output = command.arg("doctor").args(args).arg("--json").output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), lines)
}

fn verdict<'a>(lines: &'a [Value], check: &str) -> &'a str {
    let line = lines.iter().find(|line| line["check"] == check);
    line.unwrap_or_else(|| panic!("no {check} in {lines:?}"))["verdict"].as_str().unwrap()
}

fn with<'a>(own: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    own.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

/// What prevents the role.
fn errors(lines: &[Value]) -> Vec<&str> {
    let errors = lines.iter().filter(|line| line["verdict"] == "error");
    errors.map(|line| line["check"].as_str().unwrap()).collect()
}

/// A host with a free slot.
async fn host(sim: &Sim, url: &str) -> Vipnode {
    let mut host = sim.other_agent(&["host", url]);
    host.event("offering").await;
    crate::support::stats_until(url, "a slot is free", |stats| stats.num_free_slots > 0).await;
    host
}

#[tokio::test]
async fn a_price_above_the_maximum_and_a_pool_without_hosts_are_no_pool_for_a_client() {
    let sim = Sim::start().await;
    let own = sim.args();
    let (_pool, url) = Vipnode::pool(&["--price", "100 gwei/minute"]).await;
    let client = [&*url, "--role", "client", "--max-price"];
    let (code, lines) = doctor(&with(&own, &[&client[..], &["100 gwei/min"]].concat())).await;
    assert_eq!((code, errors(&lines)), (Some(1), vec!["partners"]), "{lines:?}");
    let _host = host(&sim, &url).await;
    let (code, lines) = doctor(&with(&own, &[&client[..], &["99 gwei/min"]].concat())).await;
    assert_eq!((code, errors(&lines)), (Some(1), vec!["price"]), "{lines:?}");
    let (code, lines) = doctor(&with(&own, &[&client[..], &["100 gwei/min"]].concat())).await;
    assert_eq!((code, errors(&lines)), (Some(0), vec![]), "{lines:?}");
    let partners = lines.iter().find(|line| line["check"] == "partners").unwrap();
    assert!(partners["text"].as_str().unwrap().starts_with("1 of 1 host on "), "{partners}");
}

#[tokio::test]
async fn it_reports_what_is_wrong_and_changes_nothing() {
    let sim = Sim::start().await;
    let own = sim.args();
    let files = || std::fs::read_dir(sim.dir.path()).unwrap().count();
    let (pool, url) = Vipnode::pool(&[]).await;
    let _host = host(&sim, &url).await;
    let before = files();
    let (code, lines) = doctor(&with(&own, &[&url, "--max-head-age", "off", "--role", "client"])).await;
    assert_eq!(code, Some(0), "{lines:?}");
    for check in ["node", "admin", "key", "chain", "pool", "admission", "price", "partners", "clock"] {
        assert_eq!(verdict(&lines, check), "ok", "{check}");
    }
    // Nobody listens at the port of a simulated node.
    assert_eq!(verdict(&lines, "port"), "warning");
    let (code, lines) = doctor(&with(&own, &[&url, "--max-head-age", "off", "--role", "host"])).await;
    assert_eq!((code, verdict(&lines, "port")), (Some(1), "error"));
    crate::support::stats_until(&url, "nobody joined", |stats| stats.num_total_hosts + stats.num_total_clients == 1)
        .await;
    assert_eq!(files(), before, "the state directory is as it was");

    pool.kill().await;
    let (code, lines) = doctor(&with(&own, &[&url, "--role", "client"])).await;
    assert_eq!((code, verdict(&lines, "pool"), verdict(&lines, "node")), (Some(1), "error", "ok"));
}

#[tokio::test]
async fn a_closed_pool_wants_its_secret() {
    let sim = Sim::start().await;
    let own = sim.args();
    let (_pool, url) = Vipnode::pool(&["--join-secret", "sesame"]).await;
    for (secret, willing, wrong) in
        [(None, "error", "admission"), (Some("wrong"), "error", "admission"), (Some("sesame"), "ok", "partners")]
    {
        let mut args = with(&own, &[&url, "--role", "client"]);
        args.extend(secret.map(|secret| ["--join-secret", secret]).into_iter().flatten());
        let (_, lines) = doctor(&args).await;
        assert_eq!((verdict(&lines, "admission"), errors(&lines)), (willing, vec![wrong]), "{secret:?}");
    }
}

#[tokio::test]
async fn in_a_pipe_lines_are_plain() {
    let sim = Sim::start().await;
    let own = sim.args();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    let args = with(&own, &["ws://127.0.0.1:1", "--role", "client"]);
    let output = command.arg("doctor").args(args).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\n✗ ") && text.contains("\n  -> ") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

/// Writes a members file.
fn members(sim: &Sim, id: &str) -> String {
    let file = sim.dir.path().join("members.txt");
    std::fs::write(&file, id).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_closed_pool_judges_it_as_it_would_judge_the_agent() {
    let sim = Sim::start().await;
    let own = sim.args();
    let id = SimSpec::new("node", 1).id.to_string();
    for (member, admission, wrong) in [(id, "ok", "partners"), ("0b".repeat(64), "error", "admission")] {
        let (_pool, url) = Vipnode::pool(&["--members", &members(&sim, &member)]).await;
        let (_, lines) = doctor(&with(&own, &[&url, "--role", "client"])).await;
        assert_eq!((verdict(&lines, "admission"), errors(&lines)), (admission, vec![wrong]), "{lines:?}");
        let (_, lines) = doctor(&with(&own, &[&url, "--role", "client", "--protocol", "2"])).await;
        assert_eq!(verdict(&lines, "admission"), "skipped", "{lines:?}");
        // The same with the agent itself.
        let mut agent = sim.agent(&["client", &url]);
        match admission {
            "ok" => drop(agent.event("joined").await),
            _ => assert_eq!(agent.ended().await.code(), Some(2)),
        }
    }
}

/// The pool behind this forwarder does not know the port that the agent signs for.
#[tokio::test]
async fn a_url_that_is_not_the_pools_is_an_error() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forwarder = format!("ws://{}", listener.local_addr().unwrap());
    let pool = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    let own = format!("this pool's URLs are ws://{pool}");
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let mut to = TcpStream::connect(&pool).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
        }
    });
    let (exit, lines) = doctor(&with(&sim.args(), &[&forwarder, "--role", "client"])).await;
    let admission = lines.iter().find(|line| line["check"] == "admission").unwrap();
    assert_eq!((exit, &admission["verdict"]), (Some(1), &"error".into()), "{lines:?}");
    assert!(admission["text"].as_str().unwrap().contains(&own), "{admission}");
    assert_eq!(sim.agent(&["client", &forwarder]).ended().await.code(), Some(2), "as it was judged");
}

#[tokio::test]
async fn a_chain_without_hosts_and_a_node_that_syncs_are_found() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let _host = host(&sim, &url).await;
    let (exit, lines) = doctor(&with(&sim.args(), &[&url, "--role", "client"])).await;
    assert_eq!((exit, verdict(&lines, "partners")), (Some(0), "ok"), "{lines:?}");

    let spec = SimSpec::new("far", 30_305);
    let chain = ChainSpec { chain_id: 5, ..spec.chain };
    let far = sim.add("far", SimSpec { chain, ..spec });
    let (exit, lines) = doctor(&with(&far, &[&url, "--role", "client"])).await;
    assert_eq!((exit, verdict(&lines, "partners")), (Some(1), "error"), "{lines:?}");

    let head = SimHead::At { number: 9, timestamp_s: u64::MAX >> 20, syncing: true };
    let behind = sim.add("behind", SimSpec { head, ..SimSpec::new("behind", 30_306) });
    let (exit, lines) = doctor(&with(&behind, &[&url, "--role", "host"])).await;
    assert_eq!((exit, verdict(&lines, "head")), (Some(1), "error"), "{lines:?}");
    let mut agent = Vipnode::start(&[&["host", &url], &with(&behind, &[])[..]].concat());
    assert_eq!(agent.event("offering").await["slots"], 0, "as it was judged");
}

/// An original pool sends no challenge, and does not know the call that the other checks need.
#[tokio::test]
async fn a_pool_that_speaks_only_protocol_2_is_judged_by_protocol_2() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let pool = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let original = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let mut to = TcpStream::connect(&pool).await.unwrap();
            tokio::spawn(async move {
                let mut bytes = [0; 4_096];
                let count = from.read(&mut bytes).await.unwrap();
                to.write_all(&bytes[..count]).await.unwrap();
                // The first frames may follow the head in the same read.
                let mut answer = Vec::new();
                while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
                    let count = to.read(&mut bytes).await.unwrap();
                    assert!(count > 0, "the pool answers");
                    answer.extend_from_slice(&bytes[..count]);
                }
                let (name, other) = (b"vipnode-challenge", b"x-other-challenge");
                if let Some(at) = answer.windows(name.len()).position(|part| part == name) {
                    answer[at..at + name.len()].copy_from_slice(other);
                }
                from.write_all(&answer).await.unwrap();
                tokio::io::copy_bidirectional(&mut from, &mut to).await
            });
        }
    });
    let line = [&original, "--role", "client", "--max-head-age", "off"];
    let (exit, lines) = doctor(&with(&sim.args(), &line)).await;
    assert_eq!((exit, verdict(&lines, "pool")), (Some(1), "error"), "the agent would be refused: {lines:?}");
    let (exit, lines) = doctor(&with(&sim.args(), &[&line[..], &["--protocol", "2"]].concat())).await;
    let verdicts = ["pool", "admission", "port"].map(|check| verdict(&lines, check));
    assert_eq!((exit, verdicts), (Some(0), ["ok", "skipped", "skipped"]), "{lines:?}");
    let mut agent = sim.agent(&["client", &original, "--protocol", "2"]);
    agent.event("joined").await;
}

/// A CA, an old head, and a role that only the running agent's command line names are not asked for again.
#[tokio::test]
async fn without_a_pool_it_checks_the_running_agent_with_its_settings() {
    let sim = Sim::start().await;
    let head = SimHead::At { number: 0, timestamp_s: 0, syncing: false };
    let own = sim.add("old", SimSpec { head, ..SimSpec::new("old", 30_305) });
    let datadir = sim.dir.path().join("pool").to_str().unwrap().to_owned();
    let (_pool, url) = Vipnode::pool(&["--tls", "internal", "--datadir", &datadir]).await;
    let ca = format!("{datadir}/tls/ca.pem");
    let host = ["host", &*url, "--tls-ca", &*ca, "--max-head-age", "off"];
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let mut agent = Vipnode::start(&[&host[..], &own].concat());
    agent.event("joined").await;
    let (code, lines) = doctor(&["--state-dir", sim.dir.path().to_str().unwrap()]).await;
    let running = lines.iter().find(|line| line["event"] == "running_agent").unwrap();
    assert_eq!(running["role"], "host", "{running}");
    assert_eq!((verdict(&lines, "pool"), verdict(&lines, "head")), ("ok", "ok"), "{lines:?}");
    // Nobody listens at the port of a simulated node.
    assert_eq!((code, errors(&lines)), (Some(1), vec!["port"]), "{lines:?}");

    let keystore = sim.dir.path().join("keystore");
    std::fs::write(&keystore, crate::real_payment::KEYSTORE).unwrap();
    let password = sim.dir.path().join("password");
    std::fs::write(&password, "testpassword").unwrap();
    let signer = ["--keystore", keystore.to_str().unwrap(), "--password-file", password.to_str().unwrap()];
    let state = sim.dir.path().to_str().unwrap();
    // With the agent's pool and CA; this pool has no ledger.
    let error =
        crate::support::error_of(&[&["account", "link", "--state-dir", state][..], &signer, &own[..1]].concat()).await;
    assert!(error["text"].as_str().unwrap().contains("has no ledger"), "{error}");
}
