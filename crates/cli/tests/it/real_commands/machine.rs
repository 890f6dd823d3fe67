use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::watch,
    time::timeout,
};

/// A command of a page ends, or is ready, within this time, on a busy machine too.
const SOON: Duration = Duration::from_secs(60);

/// Prints the process group, so that signals reach what the line started, and keeps the directory for the next line.
const SHELL: &str = r#"exec 2>&1; echo $$; cd "$1" || exit 125; eval "$2"; code=$?; pwd > "$3"; exit $code"#;

/// A machine of a reader: a home directory, and processes that those of other machines do not see. All machines share
/// the network of the test.
pub struct Machine {
    pub home: PathBuf,
    environment: Vec<(String, String)>,
    init: Child,
    _until_dropped: ChildStdin,
    /// What runs on, by role.
    running: BTreeMap<String, Running>,
    last: String,
}

impl Machine {
    pub async fn new(home: &Path, environment: &[(String, String)]) -> Self {
        std::fs::create_dir_all(home).unwrap();
        let mut init = Command::new("unshare")
            .args(["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", "echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(init.stdout.take().unwrap()).read_line(&mut first).await.unwrap();
        let mut environment = environment.to_vec();
        environment.push(("HOME".to_owned(), home.display().to_string()));
        std::fs::write(home.join(".cwd"), home.as_os_str().as_encoded_bytes()).unwrap();
        let until_dropped = init.stdin.take().unwrap();
        Self {
            home: home.to_owned(),
            environment,
            init,
            _until_dropped: until_dropped,
            running: BTreeMap::new(),
            last: String::new(),
        }
    }

    /// The directory that the reader is in.
    pub fn directory(&self) -> PathBuf {
        std::fs::read_to_string(self.home.join(".cwd")).unwrap().trim_end().into()
    }

    /// Types a command and waits for its end: its exit code and its output.
    pub async fn run(&self, line: &str) -> (i32, String) {
        let mut running = self.start(line, &self.home.join(".cwd")).await;
        let code = running.ended(line).await;
        (code, running.output())
    }

    /// Types a command that runs on, and waits until its output is as wanted. It takes the place of what ran as one of
    /// these roles.
    pub async fn run_on(&mut self, role: &str, replaced: &[&str], line: &str, ready: impl Fn(&str) -> bool) -> String {
        for role in replaced {
            self.stop(role).await;
        }
        let mut running = self.start(line, Path::new("/dev/null")).await;
        running.until(line, ready).await;
        let output = running.output();
        self.running.insert(role.to_owned(), running);
        role.clone_into(&mut self.last);
        output
    }

    /// Presses Ctrl-C in the terminal of what was started last; its output from there on.
    pub async fn interrupt(&mut self) -> String {
        let last = self.last.clone();
        self.stop(&last).await
    }

    /// Presses Ctrl-C in the terminal of this role, if it runs.
    pub async fn stop(&mut self, role: &str) -> String {
        let Some(mut running) = self.running.remove(role) else { return String::new() };
        let before = running.output().len();
        let group = format!("-{}", running.group);
        let killed = self.enter().args(["kill", "-INT", "--", &group]).status().await.unwrap();
        assert!(killed.success(), "{role} had ended:\n{}", running.output());
        let code = running.ended(role).await;
        assert_eq!(code, 0, "{role}:\n{}", running.output());
        running.output().split_off(before)
    }

    /// What a running role printed so far, by role.
    pub fn printed(&self) -> impl Iterator<Item = String> {
        self.running.values().map(Running::output)
    }

    fn enter(&self) -> Command {
        let unshare = self.init.id().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).unwrap();
        let mut command = Command::new("nsenter");
        command.args(["--target", children.trim(), "--pid", "--mount", "--"]);
        command
    }

    /// Types a command. The directory in which it ends is written to this file.
    async fn start(&self, line: &str, ends_in: &Path) -> Running {
        let mut command = self.enter();
        command.args(["setsid", "bash", "-c", SHELL, "bash"]).arg(self.directory()).arg(line);
        command.arg(ends_in).env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let group = lines.next_line().await.unwrap().expect("the shell prints its process");
        let (write, printed) = watch::channel(String::new());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                write.send_modify(|printed| printed.extend([line.as_str(), "\n"]));
            }
        });
        Running { child, group, printed }
    }
}

struct Running {
    child: Child,
    group: String,
    printed: watch::Receiver<String>,
}

impl Running {
    fn output(&self) -> String {
        self.printed.borrow().clone()
    }

    async fn until(&mut self, line: &str, ready: impl Fn(&str) -> bool) {
        let waited = timeout(SOON, self.printed.wait_for(|printed| ready(printed))).await;
        let why = match waited.map(|seen| seen.is_ok()) {
            Ok(true) => return,
            Ok(false) => "it ended",
            Err(_) => "it did not come to what the page shows",
        };
        panic!("{line}\n{why}:\n{}", self.output());
    }

    /// Its exit code, once all of its output is read.
    async fn ended(&mut self, line: &str) -> i32 {
        let ended = async {
            while self.printed.changed().await.is_ok() {}
            self.child.wait().await.unwrap().code().unwrap_or(-1)
        };
        let ended = timeout(SOON, ended).await;
        ended.unwrap_or_else(|_| panic!("{line}\ndid not end:\n{}", self.printed.borrow().as_str()))
    }
}
