//! What a pool writes while it runs.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines},
    process::Command,
    time::timeout,
};

use crate::support::{SOON, Sim};

/// The next line that has one of these texts; each line before it begins with the time.
async fn line_with(lines: &mut Lines<impl AsyncBufRead + Unpin>, text: &str) -> String {
    loop {
        let line = timeout(SOON, lines.next_line()).await.expect(text).expect(text).expect(text);
        let line = anstream::adapter::strip_str(&line).to_string();
        assert!(line.starts_with("20") && line.as_bytes()[10] == b'T', "without a time: {line}");
        if line.contains(text) {
            return line;
        }
    }
}

/// The program in which the lines of a pool are read is a pipe, as under a service manager.
#[tokio::test]
async fn a_pool_in_a_pipe_writes_figures_and_at_v_what_nodes_do() {
    let mut pool = Command::new(env!("CARGO_BIN_EXE_vipnode"))
        .args(["pool", "--bind", "127.0.0.1:0", "--figures", "1s", "-v"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(pool.stdout.take().unwrap()).lines();
    let mut log = BufReader::new(pool.stderr.take().unwrap()).lines();
    let listening = line_with(&mut said, "Listening on ").await;
    let url = listening.split_once("Listening on ").unwrap().1.to_owned();
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &url]);
    agent.event("joined").await;
    let joined = line_with(&mut log, "joined").await;
    assert!(joined.contains("node=") && joined.contains("address=127.0.0.1"), "{joined}");
    line_with(&mut said, "0 hosts, 1 client").await;
    assert!(agent.interrupt().await.success());
    let left = line_with(&mut log, " left").await;
    assert!(left.contains("node=") && left.contains("address=127.0.0.1"), "{left}");
}
