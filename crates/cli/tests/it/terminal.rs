//! The output on a terminal, and what is left out in a pipe.

use std::process::Stdio;

use crate::support::{SOON, Sim, Vipnode, terminal::Terminal, text};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

fn line(sim: &Sim, args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).chain(sim.args()).collect()
}

fn start(line: &[String], env: &[(&str, &str)]) -> Terminal {
    Terminal::start(&line.iter().map(String::as_str).collect::<Vec<_>>(), env)
}

fn last(lines: &[String]) -> &str {
    lines.last().map_or("", String::as_str)
}

#[tokio::test]
async fn an_agent_has_one_line_below_its_notices_and_its_log() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut host = start(&line(&sim, &["host", &url, "--max-head-age=off", "-vv"]), &[]);
    let whole = "host · pool joined · 0 of 10 slots sold · 0 own peers · simulated 0.1.0 block ";
    host.until("it is joined", |lines| last(lines).starts_with(whole)).await;
    // A client comes: notices and log lines appear above the line, each of them whole.
    let mut client = sim.other_agent(&["client", &url, "--min-peers=1"]);
    client.event("host_connected").await;
    let is_connected = |line: &String| line.starts_with("✓ Client ") && line.ends_with(" connected");
    let sold = |lines: &[String]| lines.iter().any(is_connected) && last(lines).contains("1 of 10 slots sold");
    let lines = host.until("a slot is sold, and a notice reports it", sold).await;
    assert_eq!(lines.iter().filter(|line| line.contains(" · pool ")).count(), 1, "{}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.contains("DEBUG")), "the log is there: {}", lines.join("\n"));
    let (status, lines, _) = host.interrupt().await;
    assert!(status.success());
    // Connections that close behind it write to the log.
    let notice = lines.iter().rfind(|line| !line.contains(" DEBUG ")).unwrap();
    assert!(notice.starts_with("✓ Stopped") && !lines.iter().any(|line| line.contains(" · pool ")), "{lines:?}");
}

#[tokio::test]
async fn a_pool_has_one_too() {
    let mut pool = Terminal::start(&["pool", "--bind", "127.0.0.1:0"], &[]);
    let whole = "pool · 0 hosts, 0 clients · 0 leases, 0 running · 0 slots free · 0 requests/s";
    pool.until("the line", |lines| last(lines) == whole).await;
    let (status, lines, _) = pool.interrupt().await;
    assert!(status.success() && last(&lines) == "✓ Stopped", "{lines:?}");
}

#[tokio::test]
async fn without_color_the_line_is_there_and_on_a_dumb_terminal_or_for_programs_it_is_not() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let agent = line(&sim, &["host", &url, "--max-head-age=off"]);
    let mut plain = start(&agent, &[("NO_COLOR", "1")]);
    plain.until("the line", |lines| last(lines).contains(" · pool joined · ")).await;
    let (_, _, raw) = plain.interrupt().await;
    assert!(!raw.contains("\u{1b}[2m") && !raw.contains("\u{1b}[32m"), "colors: {raw:?}");
    let json = [agent.clone(), vec!["--json".to_owned()]].concat();
    for (line, env) in [(&agent, [("TERM", "dumb")]), (&json, [("TERM", "xterm")])] {
        let mut agent = start(line, &env);
        agent.until("it joins", |lines| lines.iter().any(|line| line.contains("Joined the pool"))).await;
        let (status, _, raw) = agent.interrupt().await;
        assert!(status.success() && !raw.contains('\u{1b}') && !raw.contains(" · pool "), "{env:?}: {raw:?}");
    }
}

#[tokio::test]
async fn a_pipe_gets_plain_lines_only() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut host = Command::new(env!("CARGO_BIN_EXE_vipnode"))
        .args(line(&sim, &["host", &url, "--max-head-age=off", "-vv"]))
        .env("TERM", "xterm")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while !said.contains("Offering 10 slots") {
        said += &timeout(SOON, lines.next_line()).await.unwrap().unwrap().expect("more output");
    }
    let pid = host.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    while let Some(line) = timeout(SOON, lines.next_line()).await.unwrap().unwrap() {
        said += &line;
    }
    said += &text(&timeout(SOON, host.wait_with_output()).await.unwrap().unwrap().stderr);
    assert!(said.contains("Stopped") && said.contains("DEBUG"), "{said}");
    assert!(!said.contains(['\u{1b}', '\r']) && !said.contains(" · pool "), "{said:?}");
}

#[tokio::test]
async fn watching_repaints_in_place() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut host = sim.agent(&["host", &url, "--max-head-age=off"]);
    host.event("offering").await;
    let state = sim.dir.path().to_str().unwrap();
    let mut status = Terminal::start(&["status", "--state-dir", state, "--watch=500ms"], &[]);
    let has = |words: &'static str| move |lines: &[String]| lines.iter().any(|line| line.contains(words));
    status.until("nothing is sold", has("10 slots: 0 sold")).await;
    let mut client = sim.other_agent(&["client", &url, "--min-peers=1"]);
    client.event("host_connected").await;
    // What was read may be a part of a page, so it is waited until the whole of it is there and nothing else.
    let both = has("2 agents, 2 joined; 1 of 10 slots sold, 1 of 1 host ");
    let page = |lines: &[String]| both(lines) && !has("10 slots: 0 sold")(lines);
    status.until("both are there, and the page before is not", page).await;
    assert!(host.interrupt().await.success());
    let page = |lines: &[String]| has("client with")(lines) && !has("2 agents")(lines);
    status.until("one is left, and the page before is not", page).await;
    let (ended, _, _) = status.interrupt().await;
    assert!(ended.success());
}

#[tokio::test]
async fn without_color_the_table_of_the_demo_moves_all_the_same() {
    let mut demo = Terminal::start_at(80, &["demo"], &[("NO_COLOR", "1")]);
    let is_table = |line: &&String| line.starts_with(" lease ") && line.ends_with(" state");
    let ended = |lines: &[String]| lines.iter().any(|line| line.starts_with("The table shows what the demo observed"));
    let lines = demo.until("the demo ends", ended).await;
    assert_eq!(lines.iter().filter(is_table).count(), 3, "as many as stay, in a pipe too: {lines:#?}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "the terminal broke a line: {lines:#?}");
}

#[tokio::test]
async fn the_live_line_survives_a_resize() {
    let mut pool = Terminal::start(&["pool", "--bind", "127.0.0.1:0"], &[]);
    let whole = "pool · 0 hosts, 0 clients · 0 leases, 0 running · 0 slots free · 0 requests/s";
    pool.until("the line", |lines| last(lines) == whole).await;
    let once = |lines: &[String]| lines.iter().filter(|line| line.starts_with("pool · ")).count() == 1;
    for columns in [40, 160, 23, 80] {
        pool.resize(columns);
        let fits = |line: &str| match usize::from(columns) {
            wide if wide >= whole.chars().count() => line == whole,
            narrow => line.chars().count() <= narrow && line.starts_with("pool · 0 hosts") && line.ends_with('…'),
        };
        pool.until("the line at another width", |lines| fits(last(lines)) && once(lines)).await;
    }
    let (status, lines, _) = pool.interrupt().await;
    assert!(status.success() && !lines.iter().any(|line| line.starts_with("pool · ")), "{lines:?}");
}

#[tokio::test]
async fn a_watched_page_survives_a_resize() {
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut status = Terminal::start_at(100, &["status", "--pool", &url, "--watch=1s"], &[]);
    // Whatever a width does to its lines, the page is there once, and nothing of an earlier one.
    let whole = |lines: &[String]| {
        let once = |name: &str| lines.iter().filter(|line| line.trim_start().starts_with(name)).count() == 1;
        once("hosts ") && once("slots ")
    };
    for columns in [100, 50, 140, 80] {
        status.resize(columns);
        status.until("the page at this width", whole).await;
    }
    let (ended, ..) = status.interrupt().await;
    assert!(ended.success());
}

/// SIGHUP asks to read files again, or reports a closed terminal.
#[tokio::test]
async fn an_agent_or_a_pool_whose_terminal_is_closed_stops_and_undoes_its_leases() {
    let sim = Sim::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut host = sim.agent(&["host", &url, "--max-head-age=off"]);
    host.event("offering").await;
    let client = ["client", &url, "--min-peers=1"].map(str::to_owned).to_vec();
    let mut client = start(&[client, sim.other_args().to_vec()].concat(), &[]);
    let has = |words: &'static str| move |lines: &[String]| lines.iter().any(|line| line.contains(words));
    client.until("it is connected", has(" connected after ")).await;
    client.hang_up().await;
    client.until("it reads its settings again", has("Reloaded the settings")).await;
    assert!(client.close().await.success(), "nobody can read the output any more");
    let left = host.event("client_evicted").await;
    assert!(left["text"].as_str().unwrap().ends_with("it left"), "{left}");
    let mut pool = Terminal::start(&["pool", "--bind", "127.0.0.1:0"], &[]);
    pool.until("the line", |lines| last(lines).starts_with("pool · ")).await;
    assert!(pool.close().await.success());
}
