//! The binary as users run it: help, exit codes, signals, pipes.

use std::process::{Command, Output};

use crate::support::{Sim, Vipnode, ran};

/// Runs to its end, with nothing in the environment that a user may have set and no home to search.
fn run(args: &[&str]) -> Output {
    run_as(Command::new(env!("CARGO_BIN_EXE_vipnode")), args)
}

/// The same, where it sees no process but itself: another node on this machine would be found.
fn run_alone(args: &[&str]) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--pid", "--fork", "--mount-proc", env!("CARGO_BIN_EXE_vipnode")]);
    run_as(command, args)
}

fn run_as(mut command: Command, args: &[&str]) -> Output {
    for name in ["VIPNODE_POOL", "VIPNODE_RPC", "VIPNODE_NODEKEY", "VIPNODE_STATE_DIR", "VIPNODE_JOIN_SECRET"] {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent").args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_command_helps_with_an_example() {
    let help = text(&run(&["--help"]).stdout);
    for command in ["pool", "host", "client", "agent", "link", "doctor", "status", "release", "demo"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing in:\n{help}");
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        let help = text(&output.stdout);
        assert!(help.contains("Example") && help.contains(&format!("vipnode {command}")), "{help}");
    }
}

#[test]
fn d42_bad_flags_exit_with_2_and_the_flags_in_hints_exist() {
    for bad in
        [&["--no-such-flag"][..], &["host", "--slots", "many"], &["pool", "--bind", "nowhere"], &["client", "a", "b"]]
    {
        let output = run(bad);
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
        let output = run(&[bad, &["--json"]].concat());
        let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert!(error["event"] == "error" && !error["hint"].as_str().unwrap().is_empty(), "{bad:?}: {error}");
    }
    let help = text(&run(&["host", "--help"]).stdout);
    for flag in [
        "--rpc",
        "--nodekey",
        "--slots",
        "--reserve",
        "--node-max-peers",
        "--max-head-age",
        "--state-dir",
        "--insecure",
    ] {
        assert!(help.contains(flag), "{flag} is named in errors and missing in:\n{help}");
    }
}

#[test]
fn a_failure_says_what_and_how_to_fix_it() {
    let output = run(&["release", "--rpc", "/nonexistent/geth.ipc"]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines[0].starts_with("error: ") && lines[0].contains("/nonexistent/geth.ipc"), "{error}");
    assert!(lines[1].starts_with(" -> ") && lines[1].contains("--rpc"), "{error}");
    assert!(!error.contains('\u{1b}'), "color in a pipe: {error:?}");
}

#[test]
fn too_many_slots_are_refused_with_the_reason_before_anything_is_requested() {
    let output = run(&["host", "ws://127.0.0.1:1", "--slots", "40", "--rpc", "/nonexistent/geth.ipc"]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    for word in ["--slots 40", "--node-max-peers 50", "--reserve 16", "34"] {
        assert!(error.contains(word), "{word}: {error}");
    }
}

/// It would never come to be allowed by waiting.
#[test]
fn a_pool_beyond_this_machine_without_tls_is_refused_at_once() {
    for pool in ["ws://10.0.0.1:8080", "http://10.0.0.1:8080"] {
        let output = run(&["client", pool, "--rpc", "/nonexistent/geth.ipc"]);
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(error.contains("without encryption") && error.contains("wss://"), "{error}");
    }
}

#[test]
fn metrics_beyond_this_machine_and_a_taken_port_are_refused_with_a_hint() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (address, hints) in
        [("0.0.0.0:9464", ["--metrics-open", "--metrics-bind 9464"]), (&port, ["--metrics-bind", &port])]
    {
        let output = run(&["client", "ws://127.0.0.1:1", "--rpc", "/nonexistent/geth.ipc", "--metrics-bind", address]);
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(hints.iter().all(|hint| error.contains(hint)), "{error}");
    }
    let output = run(&["client", "ws://127.0.0.1:1", "--metrics-open"]);
    assert!(text(&output.stderr).contains("--metrics-bind"), "it opens nothing without that");
}

#[test]
fn without_a_node_it_lists_what_was_tried() {
    let output = run_alone(&["client", "ws://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let error = text(&output.stderr);
    assert!(error.contains("/nonexistent/.ethereum/geth.ipc") && error.contains("http://127.0.0.1:8545"), "{error}");
    assert!(error.contains("--rpc"), "{error}");
}

#[tokio::test]
async fn without_a_pool_it_lists_the_ways_to_get_one() {
    if tokio::net::TcpStream::connect("127.0.0.1:8080").await.is_ok() {
        eprintln!("not run: another pool answers at 127.0.0.1:8080; ./test runs this in a network of its own");
        return;
    }
    let sim = Sim::start().await;
    let args = sim.args();
    let args: Vec<&str> = ["client"].into_iter().chain(args.iter().map(String::as_str)).collect();
    let args: Vec<String> = args.into_iter().map(ToOwned::to_owned).collect();
    let output = tokio::task::spawn_blocking(move || run(&args.iter().map(String::as_str).collect::<Vec<_>>()));
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    for way in ["VIPNODE_POOL", "vipnode pool", "vipnode demo"] {
        assert!(error.contains(way), "{way}: {error}");
    }
}

#[tokio::test]
async fn d43_a_pool_ends_well_on_both_signals() {
    for signal in ["-INT", "-TERM"] {
        let (mut pool, _) = Vipnode::pool(&[]).await;
        pool.event("open").await;
        pool.signal(signal).await;
        pool.event("stopped").await;
        assert_eq!(pool.ended().await.code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn d43_an_agent_ends_well_on_both_signals() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    for signal in ["-INT", "-TERM"] {
        let mut agent = sim.agent(&["host", &url]);
        agent.event("joined").await;
        agent.signal(signal).await;
        agent.event("stopped").await;
        assert_eq!(agent.ended().await.code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn d43_a_signal_that_comes_twice_at_once_is_one() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut agent = sim.agent(&["host", &url]);
    agent.event("joined").await;
    // As `timeout` does, which signals its child and then the group.
    agent.signals(&["-TERM", "-TERM", "-INT"]).await;
    agent.event("stopped").await;
    assert_eq!(agent.ended().await.code(), Some(0));
}

/// A command that is interrupted ends within this time.
const AT_ONCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Nothing has to be undone, so the command does not wait for what it was doing.
#[tokio::test]
async fn a_command_that_ends_by_itself_ends_at_the_first_signal() {
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    for command in [&["doctor"][..], &["release"], &["link", "--request"]] {
        // A node that accepts connections and never answers.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let rpc = format!("http://{}", silent.local_addr().unwrap());
        let mut running = Vipnode::start(&[command, &["--rpc", &rpc, "--state-dir", state]].concat());
        let (_asked, _) = silent.accept().await.unwrap();
        let signaled = std::time::Instant::now();
        running.signal("-INT").await;
        assert_eq!(running.ended().await.code(), Some(2), "{command:?}");
        assert!(signaled.elapsed() < AT_ONCE, "{command:?}: {:?}", signaled.elapsed());
    }
    // An agent that accepts connections and never answers.
    let agents = std::path::Path::new(state).join("agents");
    std::fs::create_dir_all(&agents).unwrap();
    for command in ["status", "ping"] {
        let socket = agents.join("070707070707.sock");
        let silent = tokio::net::UnixListener::bind(&socket).unwrap();
        let mut running = Vipnode::start(&[command, "--state-dir", state]);
        let (_asked, _) = silent.accept().await.unwrap();
        let signaled = std::time::Instant::now();
        running.signal("-INT").await;
        assert_eq!(running.ended().await.code(), Some(2), "{command}");
        assert!(signaled.elapsed() < AT_ONCE, "{command}: {:?}", signaled.elapsed());
        std::fs::remove_file(&socket).unwrap();
    }
}

#[tokio::test]
async fn an_agent_waits_for_a_node_that_comes_later_and_can_be_stopped_meanwhile() {
    let mut agent = Vipnode::start(&["host", "ws://127.0.0.1:1", "--rpc", "/nonexistent/geth.ipc"]);
    agent.event("waiting_for_node").await;
    agent.signal("-TERM").await;
    assert_eq!(agent.ended().await.code(), Some(0));
}

#[tokio::test]
async fn two_agents_on_one_node_do_not_collide() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut first = sim.agent(&["client", &url]);
    first.event("joined").await;
    let mut second = sim.agent(&["host", &url]);
    assert_eq!(second.ended().await.code(), Some(2));
    assert_eq!(first.interrupt().await.code(), Some(0));
}

#[tokio::test]
async fn an_agent_of_a_pool_without_a_name_finds_it_by_the_environment() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&["--welcome", "be kind"]).await;
    let [rpc, key, state] = sim.args();
    let mut agent = Vipnode::start_with(&["client", &rpc, &key, &state], &[("VIPNODE_POOL", &url)]);
    let joined = agent.event("joined").await;
    assert!(joined["text"].as_str().unwrap().contains("be kind"), "{joined}");
    assert_eq!(agent.interrupt().await.code(), Some(0));
}

#[tokio::test]
async fn over_http_a_client_is_served_and_a_host_is_refused() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let http = url.replacen("ws://", "http://", 1);
    let mut refused = sim.agent(&["host", &http]);
    assert_eq!(refused.ended().await.code(), Some(2));
    let mut host = sim.agent(&["host", &url]);
    host.event("joined").await;
    let dir = sim.dir.path().display();
    let (rpc, key, state) =
        (sim.server.endpoint("other").to_string(), format!("{dir}/other.key"), format!("{dir}/other"));
    let args = ["client", &http, "--min-peers", "1", "--rpc", &rpc, "--nodekey", &key, "--state-dir", &state];
    let mut client = Vipnode::start(&args);
    client.event("host_connected").await;
    host.event("client_connected").await;
    assert_eq!(client.interrupt().await.code(), Some(0));
    host.event("client_evicted").await;
    assert_eq!(host.interrupt().await.code(), Some(0));
}

#[tokio::test]
async fn a_pipe_gets_plain_lines() {
    let sim = Sim::start().await;
    let args = sim.args();
    let args: Vec<String> = ["host", "--dry-run"].map(ToOwned::to_owned).into_iter().chain(args).collect();
    let output = tokio::task::spawn_blocking(move || run(&args.iter().map(String::as_str).collect::<Vec<_>>()));
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    assert!(out.contains("admin_addTrustedPeer") && !out.contains('\u{1b}'), "{out:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_named_pipe_in_place_of_a_file_does_not_make_the_start_wait() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe").to_str().unwrap().to_owned();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for flags in [
        &["--config", &*pipe][..],
        &["--members", &pipe],
        &["--join-secret-file", &pipe],
        &["--tls-cert", &pipe, "--tls-key", &pipe],
    ] {
        let output = ran(&[&["pool", "--bind", "127.0.0.1:0"], flags].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        let error = text(&output.stderr);
        assert!(error.contains("not a regular file"), "{flags:?}: {error}");
    }
    let sim = Sim::start().await;
    let [rpc, key, state] = sim.args();
    let account = "0x52908400098527886E0F7030069857D2E4169EE7";
    let password = dir.path().join("password").to_str().unwrap().to_owned();
    std::fs::write(&password, "secret").unwrap();
    for line in [
        &["host", "wss://127.0.0.1:1", &rpc, &state, "--nodekey", &pipe][..],
        &["link", &rpc, &state, "--nodekey", &pipe],
        &["client", "wss://127.0.0.1:1", &rpc, &key, &state, "--tls-ca", &pipe],
        &["client", "wss://127.0.0.1:1", &rpc, &key, &state, "--join-secret-file", &pipe],
        &["client", "wss://127.0.0.1:1", &rpc, &key, &state, "--pay", &pipe, "--max-spend-per-day", "1 USDC"],
        &["account", "payout", account, "wss://127.0.0.1:1", &rpc, "--nodekey", &pipe],
        &["wallet", "address", "--keystore", &pipe, "--password-file", &password],
    ] {
        let output = ran(line).await;
        assert_eq!(output.status.code(), Some(2), "{line:?}: {}", text(&output.stderr));
        let error = text(&output.stderr);
        assert!(error.contains("not a regular file"), "{line:?}: {error}");
    }
}
