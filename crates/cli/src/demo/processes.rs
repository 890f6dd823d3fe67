use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

use super::roles::DemoRole;
use crate::error::{CliError, CommandError};

/// An event that a process reported, as one JSON object; `{"event":"ended"}` when the process has ended.
pub(super) type ProcessEvent = (DemoRole, Value);

/// A role in a process of its own: this very binary. Killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

/// From SIGTERM to the end; an agent needs less than 8 s whatever happens.
const STOP: Duration = Duration::from_secs(10);
impl Process {
    /// Starts a role; its events arrive in `said`.
    pub(super) fn start(who: DemoRole, args: &[String], said: &mpsc::Sender<ProcessEvent>) -> Result<Self, CliError> {
        let failed = |error| CommandError::DemoProcess { role: who.to_string(), error };
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(args).arg("--json").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The user's own settings must not reach these.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"VIPNODE_")) {
            command.env_remove(name);
        }
        // Ctrl-C on the terminal is for the demo, which then stops everyone in order.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let said = said.clone();
        tokio::spawn(async move {
            tokio::join!(hear(who, out, &said), hear(who, err, &said));
            let _nobody_hears = said.send((who, json!({"event": "ended"}))).await;
        });
        Ok(Self { child })
    }

    /// Asks it to stop, as a user or a service manager does.
    pub(super) fn ask_to_stop(&self) {
        #[cfg(unix)]
        if let Some(pid) =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }

    /// Waits for its end after [`Process::ask_to_stop`]; past the time for it, kills it. Returns whether it
    /// ended by itself and well.
    pub(super) async fn ended(mut self) -> bool {
        match timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) => status.success(),
            _ => {
                self.kill().await;
                false
            }
        }
    }

    /// Sends SIGKILL, so that nothing is undone.
    pub(super) async fn kill(mut self) {
        let _gone_already = self.child.kill().await;
    }
}

/// Hands on each line, as the JSON it is, or as a line of the log.
async fn hear(who: DemoRole, stream: Option<impl AsyncRead + Unpin>, said: &mpsc::Sender<ProcessEvent>) {
    let Some(stream) = stream else { return };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let event = serde_json::from_str::<Value>(&line).ok().filter(Value::is_object);
        let event = event.unwrap_or_else(|| json!({"event": "log", "text": line}));
        if said.send((who, event)).await.is_err() {
            return;
        }
    }
}
