use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use vipnode_chain::development::DevelopmentChain;

use crate::error::CommandError;

/// An anvil with an empty chain, on loopback only. Killed when dropped.
#[derive(Debug)]
pub(super) struct DemoAnvil {
    child: Child,
    url: String,
}

/// From the start until it listens, on a busy machine.
const START: Duration = Duration::from_secs(30);
/// Where npm installs it in vipnode's repository, which is the working directory.
const NPM: &str = "contracts/node_modules/@foundry-rs";
/// Entries of that directory that are looked at.
const NPM_ENTRIES: usize = 100;
/// What it prints once its socket is open, before the address.
const LISTENING: &str = "Listening on ";

impl DemoAnvil {
    /// Returns `given`, or else `anvil` on the PATH, or else the one that npm installed for the contracts.
    ///
    /// # Errors
    /// [`CommandError::DemoNoAnvil`].
    pub(super) fn find(given: Option<&Path>) -> Result<PathBuf, CommandError> {
        let on_path = || {
            let paths = std::env::var_os("PATH")?;
            std::env::split_paths(&paths).map(|dir| dir.join("anvil")).find(|path| path.is_file())
        };
        // The program itself: npm's script would leave it running when it is killed.
        let of_npm = || {
            let entries = std::fs::read_dir(NPM).ok()?.take(NPM_ENTRIES);
            let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path().join("bin").join("anvil")));
            paths.find(|path| path.is_file())
        };
        let found = given.map(Path::to_owned).or_else(on_path).or_else(of_npm);
        found.ok_or(CommandError::DemoNoAnvil)
    }

    /// Starts it and waits until it listens. It mines a block for each transaction and one each second, and a block is
    /// final once it has two more on top of it.
    ///
    /// # Errors
    /// [`CommandError::DemoAnvil`].
    pub(super) async fn start(program: &Path, dir: &Path) -> Result<Self, CommandError> {
        let cannot_run = |why: String| CommandError::DemoAnvil { program: program.to_owned(), why };
        let mut command = Command::new(program);
        command.args(["--host", "127.0.0.1", "--port", "0", "--chain-id", &DevelopmentChain::CHAIN_ID.to_string()]);
        command.args(["--block-time", "1", "--mixed-mining", "--slots-in-an-epoch", "1"]);
        command.arg("--cache-path").arg(dir.join("anvil"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| cannot_run(error.to_string()))?;
        let lines = child.stdout.take().map(|out| BufReader::new(out).lines());
        // From here on, it is killed when this is dropped.
        let mut anvil = Self { child, url: String::new() };
        let address = match lines {
            Some(lines) => timeout(START, listening(lines)).await,
            None => Ok(None),
        };
        let too_slow = |_| cannot_run(format!("it was not listening after {} s", START.as_secs()));
        let address = address.map_err(too_slow)?.ok_or_else(|| cannot_run("it exited at startup".to_owned()))?;
        anvil.url = format!("http://{address}");
        Ok(anvil)
    }

    /// Where it answers.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Kills its process group: the program may be a script that started it.
    fn kill_group(&self) {
        #[cfg(unix)]
        if let Some(pid) =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            let _gone_already = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for DemoAnvil {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// Waits until anvil listens, and reads on afterwards, so that it never waits for a reader. Returns the address, or `None`
/// if it ended.
async fn listening(mut lines: Lines<BufReader<ChildStdout>>) -> Option<String> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = line.strip_prefix(LISTENING) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(address.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_exits_at_startup_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let error = DemoAnvil::start(Path::new("true"), dir.path()).await.unwrap_err();
        assert!(error.to_string().contains("true: it exited at startup"), "{error}");
        let error = DemoAnvil::start(&dir.path().join("none"), dir.path()).await.unwrap_err();
        assert!(matches!(error, CommandError::DemoAnvil { .. }), "{error}");
    }
}
