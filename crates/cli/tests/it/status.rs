//! The status of agents and pools: `vipnode status`, run as a process.

use std::process::Stdio;

use crate::support::{SOON, Sim, Vipnode, ran, text};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    time::timeout,
};

/// A pool, a host and a client on one machine that know each other, with one state directory.
struct Market {
    sim: Sim,
    _pool: Vipnode,
    url: String,
    host: Vipnode,
    client: Vipnode,
}

impl Market {
    async fn open(pool: &[&str]) -> Self {
        let sim = Sim::start().await;
        let (_pool, url) = Vipnode::pool(&[&["--price=100 gwei"], pool].concat()).await;
        let mut host = sim.agent(&["host", &url, "--max-head-age=off"]);
        host.event("offering").await;
        let mut client = sim.other_agent(&["client", &url, "--min-peers=1"]);
        client.event("host_connected").await;
        host.event("client_connected").await;
        Self { sim, _pool, url, host, client }
    }

    fn state(&self) -> &str {
        self.sim.dir.path().to_str().unwrap()
    }

    async fn status(&self, args: &[&str]) -> std::process::Output {
        ran(&[&["status", "--state-dir", self.state()], args].concat()).await
    }
}

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

#[tokio::test]
async fn agents_of_one_machine_are_rows_and_one_is_a_page() {
    let market = Market::open(&[]).await;
    let output = market.status(&[]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = text(&output.stdout);
    assert!(!said.contains('\u{1b}'), "color in a pipe: {said:?}");
    assert!(said.contains("2 agents, 2 joined; 1 of 10 slots sold, 1 of 1 host connected"), "{said}");

    let output = json(&market.status(&["--json"]).await);
    let agents = output["agents"].as_array().unwrap();
    assert_eq!((agents.len(), output["unresponsive"].as_array().unwrap().len()), (2, 0), "{output}");
    let host = agents.iter().find(|agent| !agent["host"].is_null()).unwrap();
    let client = agents.iter().find(|agent| !agent["client"].is_null()).unwrap();
    assert!(std::path::Path::new(host["socket"].as_str().unwrap()).exists());
    assert_eq!((&host["host"]["leases"][0]["peer"], &host["host"]["sold"]), (&client["node"]["id"], &1.into()));
    assert!(client["client"]["metered"]["cost"].is_string(), "amounts are strings: {client}");

    let id = host["node"]["id"].as_str().unwrap();
    for node in [&id[..4], id] {
        let page = text(&market.status(&[node]).await.stdout);
        for word in [&format!("node {}", &id[..12]), &market.url, "10 slots: 1 sold", "metered, not collected"] {
            assert!(page.contains(word), "{word} is missing in:\n{page}");
        }
        assert!(page.contains(&client["node"]["id"].as_str().unwrap()[..12]), "who has the place: {page}");
        assert!(page.contains("127.0.0.1:30304") && page.contains("simulated 0.1.0"), "where and what: {page}");
        assert!(page.lines().any(|line| line.trim() == format!("ID      {id}")), "the ID for --allow: {page}");
    }
    let nobody = market.status(&["00000000"]).await;
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody.stdout).contains("whose ID begins with 00000000"), "{nobody:?}");
}

#[tokio::test]
async fn a_killed_agent_is_shown_as_gone_next_to_a_running_one() {
    let market = Market::open(&[]).await;
    let (state, sim) = (market.state().to_owned(), &market.sim);
    market.host.kill().await;
    let output = ran(&["status", "--state-dir", &state]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = text(&output.stdout);
    assert!(said.contains("client with") && said.contains("no agent responds at"), "{said}");
    assert!(said.contains("-> Start the agent again"), "{said}");
    let output = json(&ran(&["status", "--json", "--state-dir", &state]).await);
    assert_eq!(
        (output["agents"].as_array().unwrap().len(), output["unresponsive"].as_array().unwrap().len()),
        (1, 1),
        "{output}"
    );
    assert!(!output["unresponsive"][0]["hint"].as_str().unwrap().is_empty(), "{output}");
    drop((market.client, sim));
}

#[tokio::test]
async fn release_after_a_crash_names_the_other_nodes_and_removes_what_status_complains_of() {
    let market = Market::open(&[]).await;
    let (state, sim) = (market.state().to_owned(), market.sim);
    market.host.kill().await;
    market.client.kill().await;
    let both = json(&ran(&["status", "--json", "--state-dir", &state]).await);
    assert_eq!(both["unresponsive"].as_array().unwrap().len(), 2, "{both}");

    let mut release = sim.release("node");
    assert_eq!(release.event("released").await["leases"], 1);
    let left = release.event("unreleased").await;
    assert!(left["hint"].as_str().unwrap().contains("vipnode release") && left["leases"] == 1, "{left}");
    assert_eq!(release.ended().await.code(), Some(1));
    let other = left["node"].as_str().unwrap().to_owned();
    let one = json(&ran(&["status", "--json", "--state-dir", &state]).await);
    let unresponsive = one["unresponsive"].as_array().unwrap();
    assert!(unresponsive.len() == 1 && unresponsive[0]["at"].as_str().unwrap().contains(&other), "{one}");

    let mut release = sim.release("other");
    assert_eq!(release.event("released").await["leases"], 1);
    assert!(release.ended().await.success());
    let said = text(&ran(&["status", "--state-dir", &state]).await.stdout);
    assert!(said.starts_with("! No agent is running on this machine"), "{said}");
}

#[tokio::test]
async fn without_a_running_agent_there_is_a_message_and_an_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let output = ran(&["status", "--state-dir", state]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.starts_with("! No agent is running on this machine")
            && said.contains(state)
            && said.contains("--state-dir"),
        "{said}"
    );
    let output = json(&ran(&["status", "--json", "--state-dir", state]).await);
    assert_eq!(output["agents"], Value::Array(Vec::new()));
    for bad in [&["status", "geth"][..], &["status", "--watch=never"], &["status", "ab", "--pool", "ws://127.0.0.1:1"]]
    {
        assert_eq!(ran(bad).await.status.code(), Some(2), "{bad:?}");
    }
}

#[tokio::test]
async fn why_these_hosts_is_asked_of_the_pool_through_the_agent() {
    let market = Market::open(&[]).await;
    let output = market.status(&["--why"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = text(&output.stdout);
    assert!(
        said.contains("wants 1 host, none missing") && said.contains("was the only host that could be assigned"),
        "{said}"
    );
    assert!(said.contains("excluded: 1 already assigned to it"), "{said}");
    let output = json(&market.status(&["--why", "--json"]).await);
    let why = &output["agents"].as_array().unwrap()[0]["explanation"];
    assert_eq!((&why["want"], &why["hosts"][0]["selection"]["candidates"]), (&1.into(), &1.into()), "{output}");
    // A host was given to nobody.
    let output = json(&market.status(&["--json"]).await);
    let host = output["agents"].as_array().unwrap().iter().find(|agent| !agent["host"].is_null()).unwrap();
    let only = market.status(&["--why", host["node"]["id"].as_str().unwrap()]).await;
    assert_eq!(only.status.code(), Some(1));
    assert!(text(&only.stdout).contains("None of the local agents is a client"), "{only:?}");
}

#[tokio::test]
async fn over_protocol_2_there_is_no_reason_to_show() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut client = sim.agent(&["client", &url, "--protocol=2"]);
    client.event("joined").await;
    let output = ran(&["status", "--why", "--state-dir", sim.dir.path().to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("protocol 2 has no method that explains"), "{output:?}");
}

#[tokio::test]
async fn a_pool_shows_its_status_to_the_allowed_audience() {
    let market = Market::open(&[]).await;
    let http = market.url.replacen("ws", "http", 1);
    for url in [&market.url, &http] {
        let output = ran(&["status", "--pool", url]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = text(&output.stdout);
        assert!(said.contains("hosts    1 connected, 1 known") && said.contains("100 gwei/minute"), "{said}");
        let output = json(&ran(&["status", "--pool", url, "--json"]).await);
        assert_eq!(output["pool"]["stats"]["num_active_clients"], 1, "{output}");
        assert!(output["pool"]["stats"]["metered_cost"].is_string(), "{output}");
    }
    // Through an agent that is a member, where there is one.
    let closed = Market::open(&["--status", "members"]).await;
    let output = json(&closed.status(&["--pool", &closed.url, "--json"]).await);
    assert_eq!(output["pool"]["stats"]["num_active_clients"], 1, "{output}");
    assert!(closed.host.interrupt().await.success());
    for (audience, words) in [("members", "--status public"), ("off", "--status public or --status members")] {
        let (_pool, url) = Vipnode::pool(&["--status", audience]).await;
        let output = market.status(&["--pool", &url]).await;
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = text(&output.stderr);
        assert!(error.contains("its status") && error.contains(words), "{error}");
    }
    let gone = ran(&["status", "--pool", "ws://127.0.0.1:1"]).await;
    assert!(gone.status.code() == Some(2) && text(&gone.stderr).contains("\n -> Check the address"), "{gone:?}");
    let plain = ran(&["status", "--pool", "ws://192.0.2.1:8080"]).await;
    assert!(text(&plain.stderr).contains("--insecure"), "{plain:?}");
}

/// Who has said once where the pool of their agents is still asks about the agents.
#[tokio::test]
async fn the_pool_of_the_local_agents_is_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let mut asked = Vipnode::start_with(&["status", "--state-dir", state], &[("VIPNODE_POOL", "ws://127.0.0.1:1")]);
    assert_eq!(asked.event("status").await["agents"], Value::Array(Vec::new()));
    assert_eq!(asked.ended().await.code(), Some(1));
}

/// Answers each HTTP request on a port with this body.
async fn hostile(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _head = stream.read(&mut [0; 4_096]).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _gone = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn a_hostile_pool_paints_nothing() {
    let paint = r"\u001b[2J\u009b2J\r\u202e";
    let host = format!(
        r#"{{"short_id":"{paint}","last_seen":"{paint}","kind":"{paint}","node_version":"{paint}","vipnode_version":"{paint}"}}"#
    );
    let status = format!(
        r#"{{"time_updated":"{paint}","time_started":"{paint}","version":"{paint}","error":"{paint}","active_hosts":[{host}],"stats":{{}}}}"#
    );
    let refusal = format!(r#"{{"code":-32000,"message":"{paint}","data":{{"hint":"{paint}"}}}}"#);
    let answers = [
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{status}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1,"error":{refusal}}}"#),
        "x".repeat(2 << 20),
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":["{paint}"]}}"#),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let url = hostile(answer).await;
        for more in [&[][..], &["--json"]] {
            let output = ran(&[&["status", "--pool", &url], more].concat()).await;
            assert_eq!(output.status.success(), number == 0, "{number}: {output:?}");
            let said = text(&output.stdout) + &text(&output.stderr);
            let paints = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!said.is_empty() && !said.contains(paints) && !said.contains("\\u001b"), "{number}: {said:?}");
        }
    }
}

#[tokio::test]
async fn watching_is_line_after_line_in_a_pipe_and_ends_well() {
    let market = Market::open(&[]).await;
    let line = ["status", "--state-dir", market.state(), "--watch=500ms"];
    let mut watching = Vipnode::start(&line);
    for _ in 0..2 {
        assert_eq!(watching.event("status").await["agents"].as_array().unwrap().len(), 2);
    }
    assert_eq!(watching.interrupt().await.code(), Some(0));
    // The reader closes the pipe, as `head` does.
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_vipnode"))
        .args(line)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(!lines.next_line().await.unwrap().unwrap().contains('\u{1b}'));
    drop(lines);
    assert_eq!(timeout(SOON, child.wait()).await.unwrap().unwrap().code(), Some(0));
}

#[tokio::test]
async fn an_agent_that_does_not_answer_keeps_nobody_else_from_being_shown() {
    let mut market = Market::open(&[]).await;
    market.host.signal("-STOP").await;
    let output = market.status(&[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = text(&output.stdout);
    assert!(
        said.contains("client with") && said.contains("did not respond") && said.contains("-> Try again"),
        "{said}"
    );
    market.host.signal("-CONT").await;
    assert_eq!(market.status(&[]).await.status.code(), Some(0));
}

fn step<'a>(path: &'a Value, name: &str) -> &'a Value {
    let steps = path["steps"].as_array().unwrap();
    &steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("no {name} in {path}"))["verdict"]
}

#[tokio::test]
async fn ping_tests_the_path_and_says_where_it_breaks() {
    let listen = async |port: u16| TcpListener::bind(("127.0.0.1", port)).await;
    let (Ok(host_port), Ok(_client_port)) = (listen(30_303).await, listen(30_304).await) else {
        eprintln!("not run: another program listens at 30303 or 30304; ./test runs this in a network of its own");
        return;
    };
    let market = Market::open(&[]).await;
    let (state, sim) = (market.state().to_owned(), &market.sim);
    let ping = async |args: &[&str]| ran(&[&["ping", "--json", "--state-dir", &state], args].concat()).await;
    let output = ping(&[]).await;
    let all = json(&output);
    assert_eq!((output.status.code(), all["paths"].as_array().unwrap().len()), (Some(0), 2), "{all}");
    for (path, name) in all["paths"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|path| ["node", "pool", "joined", "p2p"].map(|name| (path, name)))
    {
        assert_eq!(step(path, name), "ok", "{name}: {all}");
    }
    // A node's own path, and its client's path to it.
    let host = vipnode_node::sim::SimSpec::new("node", 30_303).id.to_string();
    let path = |output: &Value, is_own: bool| {
        let paths = output["paths"].as_array().unwrap();
        paths.iter().find(|path| path["peer"].is_null() == is_own).unwrap_or_else(|| panic!("{output}")).clone()
    };
    let to_host = json(&ping(&[&host[..8]]).await);
    assert_eq!(step(&path(&to_host, false), "connected"), "ok", "{to_host}");
    let steps =
        |path: &Value| path["steps"].as_array().unwrap().iter().map(|step| step["step"].clone()).collect::<Vec<_>>();
    assert!(
        !steps(&path(&to_host, false)).contains(&"address".into()),
        "a connection of the test would harm it: {to_host}"
    );
    drop(host_port);
    let output = ping(&[&host[..8]]).await;
    let closed = json(&output);
    assert_eq!((output.status.code(), step(&path(&closed, true), "p2p")), (Some(1), &Value::from("error")), "{closed}");
    assert_eq!(step(&path(&closed, false), "connected"), "ok", "it is connected all the same: {closed}");
    market.host.kill().await;
    let output = ping(&[&host[..8]]).await;
    assert_eq!((output.status.code(), json(&output)["unresponsive"].as_array().unwrap().len()), (Some(1), 1));
    let said = text(&ran(&["ping", "00000000", "--state-dir", &state]).await.stdout);
    assert!(said.contains("begins with 00000000"), "{said}");
    drop((sim, market.client));
}
