use std::{
    fs::File,
    io::Read,
    num::NonZero,
    process::{ExitStatus, Stdio},
    thread::JoinHandle,
};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::mpsc,
    time::{Instant, timeout},
};

use super::SOON;

/// High, so that nothing scrolls away before it is looked at.
const ROWS: u16 = 200;
const COLUMNS: u16 = 160;

/// A running `vipnode` on a terminal, and what a person sees there. Killed when dropped.
pub struct Terminal {
    child: Child,
    written: mpsc::Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Our end, for its size.
    size: File,
    /// Reads our end, and ends with `written`.
    reader: JoinHandle<()>,
    /// All that was written.
    pub raw: Vec<u8>,
    /// Where it keeps its data by default.
    _data: TempDir,
}

impl Terminal {
    pub fn start(args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_at(COLUMNS, args, env)
    }

    /// The same on a terminal of this width.
    pub fn start_at(columns: u16, args: &[&str], env: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        // Otherwise the process itself would keep the terminal open.
        fcntl_setfd(&ours, FdFlags::CLOEXEC).unwrap();
        let size = Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).unwrap();
        let theirs = ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
        for name in ["VIPNODE_POOL", "VIPNODE_STATE_DIR", "NO_COLOR", "CI", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        let child = command
            .args(args)
            .env("TERM", "xterm-256color")
            .env("XDG_DATA_HOME", data.path())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        // Their end is closed here, so that ours ends with the process.
        drop(command);
        let (write, written) = mpsc::channel(1_024);
        let mut ours = File::from(ours);
        let size = ours.try_clone().unwrap();
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(count @ 1..) = ours.read(&mut bytes) {
                if write.blocking_send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let [rows, columns] = [ROWS, columns].map(|size| NonZero::new(size).unwrap());
        Self {
            child,
            written,
            screen: vt100::Parser::new(rows, columns, 1_000),
            size,
            reader,
            raw: Vec::new(),
            _data: data,
        }
    }

    /// Resizes it. Like most terminals, it then breaks its lines again.
    pub fn resize(&mut self, columns: u16) {
        let size = Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.size, size).unwrap();
        let [rows, columns] = [ROWS, columns].map(|size| NonZero::new(size).unwrap());
        let shown = self.screen.screen().contents().replace('\n', "\r\n");
        self.screen = vt100::Parser::new(rows, columns, 1_000);
        self.screen.process(format!("{}\r\n", shown.trim_end()).as_bytes());
    }

    /// The lines that are seen, without empty ones.
    pub fn lines(&self) -> Vec<String> {
        let contents = self.screen.screen().contents();
        contents.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    /// Waits until what is seen is as wanted.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&[String]) -> bool) -> Vec<String> {
        let deadline = Instant::now() + SOON;
        while !holds(&self.lines()) {
            assert!(Instant::now() < deadline, "{what}: it did not come to that:\n{}", self.lines().join("\n"));
            assert!(self.more().await, "it ended before {what}:\n{}", self.lines().join("\n"));
        }
        self.lines()
    }

    /// Whether there was more.
    async fn more(&mut self) -> bool {
        let Ok(bytes) = timeout(SOON, self.written.recv()).await else {
            panic!("nothing more is written:\n{}", self.lines().join("\n"));
        };
        let Some(bytes) = bytes else { return false };
        self.screen.process(&bytes);
        self.raw.extend(bytes);
        true
    }

    /// Ctrl-C; what is seen at the end.
    pub async fn interrupt(mut self) -> (ExitStatus, Vec<String>, String) {
        let pid = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
        while self.more().await {}
        let status = timeout(SOON, self.child.wait()).await.expect("it ends").unwrap();
        (status, self.lines(), String::from_utf8_lossy(&self.raw).into_owned())
    }

    /// SIGHUP while the terminal is there.
    pub async fn hang_up(&self) {
        let pid = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().await.unwrap().success());
    }

    /// Closes the terminal, as its user closes the window, and sends SIGHUP, as the system does to the processes on it. The
    /// process has to write to it now and then.
    pub async fn close(self) -> ExitStatus {
        let Self { mut child, written, size, reader, .. } = self;
        drop((written, size));
        tokio::task::spawn_blocking(|| reader.join()).await.unwrap().unwrap();
        let pid = child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().await.unwrap().success());
        timeout(SOON, child.wait()).await.expect("it ends").unwrap()
    }
}
