use std::{
    fmt,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::error::CommandError;

/// A geth on a private chain of the demo, on loopback only. Killed when dropped.
#[derive(Debug)]
pub(super) struct DemoGeth {
    child: Child,
    dir: PathBuf,
}

/// From the start until it listens, on a busy machine.
const START: Duration = Duration::from_secs(30);
/// How often a geth is started, each time with other ports.
const ATTEMPTS: u32 = 3;
/// From SIGINT to the end.
const STOP: Duration = Duration::from_secs(5);
/// What geth logs once its sockets are open, in any order.
const OPEN: [&str; 2] = ["auth=true", "Started P2P networking"];
/// Lines of its log that are kept for an error.
const KEPT_LINES: usize = 200;
/// ... and of these, the last ones that are shown.
const LAST_LINES: usize = 3;

impl DemoGeth {
    /// `given`, else `geth` on the PATH.
    pub(super) fn find(given: Option<&Path>) -> Option<PathBuf> {
        if let Some(given) = given {
            return Some(given.to_owned());
        }
        let paths = std::env::var_os("PATH")?;
        std::env::split_paths(&paths).map(|dir| dir.join("geth")).find(|path| path.is_file())
    }

    /// Starts one in a directory of its own and waits until it listens. Another program, such as a geth of the user, may take
    /// a port that was free a moment ago, so it is tried again with others.
    pub(super) async fn start(program: &Path, dir: &Path) -> Result<Self, CommandError> {
        for _ in 1..ATTEMPTS {
            match Self::start_once(program, dir).await {
                Err(CommandError::DemoPort { .. }) => {}
                started => return started,
            }
        }
        Self::start_once(program, dir).await
    }

    async fn start_once(program: &Path, dir: &Path) -> Result<Self, CommandError> {
        let cannot_run = |why: String| CommandError::DemoGeth { program: program.to_owned(), why };
        let failed = |error: std::io::Error| cannot_run(error.to_string());
        std::fs::create_dir_all(dir).map_err(failed)?;
        std::fs::write(dir.join("genesis.json"), genesis()).map_err(failed)?;
        let mut command = Command::new(program);
        command.arg("--datadir").arg(dir).arg("--override.genesis").arg(dir.join("genesis.json"));
        command.arg("--ipcpath").arg(ipc(dir));
        let [port, engine_port] = free_ports().map_err(failed)?;
        command.args(["--port", &port, "--authrpc.port", &engine_port]);
        command.args(["--nodiscover", "--nat", "none", "--netrestrict", "127.0.0.0/8"]);
        command.args(["--cache", "16", "--syncmode", "full"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let opened = match child.stderr.take() {
            Some(log) => timeout(START, opened(log)).await.unwrap_or(Err(NotOpened::TooSlow)),
            None => Err(NotOpened::NoLog),
        };
        match opened {
            Ok(()) => Ok(Self { child, dir: dir.to_owned() }),
            Err(why) if why.is_taken_port() => {
                Err(CommandError::DemoPort { program: program.to_owned(), why: why.to_string() })
            }
            Err(why) => Err(cannot_run(why.to_string())),
        }
    }

    pub(super) fn ipc(&self) -> PathBuf {
        ipc(&self.dir)
    }

    pub(super) fn key_file(&self) -> PathBuf {
        self.dir.join("geth").join("nodekey")
    }

    /// Sends SIGKILL, so that nothing is undone.
    pub(super) async fn kill(mut self) {
        let _gone_already = self.child.kill().await;
    }

    /// Stops it as a user does.
    pub(super) async fn stop(mut self) {
        #[cfg(unix)]
        if let Some(pid) =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::INT);
            let _too_slow = timeout(STOP, self.child.wait()).await;
        }
        self.kill().await;
    }
}

fn ipc(dir: &Path) -> PathBuf {
    dir.join("geth.ipc")
}

fn genesis() -> String {
    let forks = [
        "homesteadBlock",
        "eip150Block",
        "eip155Block",
        "eip158Block",
        "byzantiumBlock",
        "constantinopleBlock",
        "petersburgBlock",
        "istanbulBlock",
        "berlinBlock",
        "londonBlock",
        // Without it geth 1.17 refuses to start.
        "terminalTotalDifficulty",
        "shanghaiTime",
    ];
    let mut config: serde_json::Map<_, _> = forks.into_iter().map(|fork| (fork.to_owned(), json!(0))).collect();
    config.insert("chainId".to_owned(), json!(1337));
    json!({ "config": config, "difficulty": "0x0", "gasLimit": "0x1c9c380", "alloc": {} }).to_string()
}

/// Two different free ports. If another process takes one before geth does, geth reports it.
fn free_ports() -> std::io::Result<[String; 2]> {
    let listen = || TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0));
    // Both are held at the same time, so that they differ.
    let (one, other) = (listen()?, listen()?);
    Ok([one.local_addr()?.port().to_string(), other.local_addr()?.port().to_string()])
}

/// Why geth does not listen.
#[derive(Debug, PartialEq, Eq)]
enum NotOpened {
    TooSlow,
    NoLog,
    /// It ended; the last lines of its log.
    Ended(Vec<String>),
}

impl NotOpened {
    /// Whether another program listens on a port that geth was to use. Geth reports that only in the text of its log.
    fn is_taken_port(&self) -> bool {
        matches!(self, Self::Ended(last) if last.iter().any(|line| line.contains("address already in use")))
    }
}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow => write!(f, "it was not listening after {} s", START.as_secs()),
            Self::NoLog => f.write_str("its log cannot be read"),
            Self::Ended(last) => write!(f, "it exited after logging: {}", last.join(" | ")),
        }
    }
}

/// Waits until geth listens, and reads on afterwards, so that geth never waits for a reader.
async fn opened(log: ChildStderr) -> Result<(), NotOpened> {
    let mut lines = BufReader::new(log).lines();
    let mut logged: Vec<String> = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if logged.len() < KEPT_LINES {
            logged.push(line);
        }
        if OPEN.iter().all(|word| logged.iter().any(|line| line.contains(word))) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(());
        }
    }
    let last = logged.len().saturating_sub(LAST_LINES);
    Err(NotOpened::Ended(logged.split_off(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Next to a geth of the user, whose sockets come and go.
    #[test]
    fn a_port_that_another_program_took_is_recognized() {
        let line = "Fatal: Error starting protocol stack: listen tcp :40201: bind: address already in use";
        assert!(NotOpened::Ended(vec!["INFO Starting".to_owned(), line.to_owned()]).is_taken_port());
        assert!(!NotOpened::Ended(vec!["Fatal: unknown flag".to_owned()]).is_taken_port());
        assert!(!NotOpened::TooSlow.is_taken_port());
        let [one, other] = free_ports().unwrap();
        assert_ne!(one, other);
    }
}
