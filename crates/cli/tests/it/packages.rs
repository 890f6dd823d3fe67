//! The files that are packaged with the binary match it: reference, manual pages, completions, units, containers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const VIPNODE: &str = env!("CARGO_BIN_EXE_vipnode");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run(args: &[&str]) -> Output {
    Command::new(VIPNODE).args(args).env("HOME", "/nonexistent").output().unwrap()
}

fn stdout(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn commands() -> Vec<String> {
    let help = stdout(&["--help"]);
    let list = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<String> = names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    assert!(names.len() > 6 && names.contains(&"pool".to_owned()), "{names:?}");
    names
}

fn units() -> Vec<(String, String)> {
    let dir = repository().join("packaging/systemd");
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let units =
        files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
    units.collect()
}

#[test]
fn the_book_documents_the_command_line() {
    let written = stdout(&["man", "--markdown"]);
    let book = fs::read_to_string(repository().join("docs/book/src/cli.md")).unwrap_or_default();
    assert!(book == written, "write it again: cargo run -p vipnode -- man --markdown > docs/book/src/cli.md");
}

#[test]
fn the_book_documents_the_metrics() {
    let written = stdout(&["man", "--metrics"]);
    let book = fs::read_to_string(repository().join("docs/book/src/metrics.md")).unwrap_or_default();
    assert!(book == written, "write it again: cargo run -p vipnode -- man --metrics > docs/book/src/metrics.md");
}

#[test]
fn every_command_has_a_manual_page_with_variables() {
    let dir = tempfile::tempdir().unwrap();
    stdout(&["man", "--dir", dir.path().to_str().unwrap()]);
    for command in commands().iter().filter(|command| *command != "help") {
        let page = fs::read_to_string(dir.path().join(format!("vipnode-{command}.1"))).unwrap();
        assert!(page.contains(".TH vipnode-"), "{command}: {page}");
    }
    let host = fs::read_to_string(dir.path().join("vipnode-host.1")).unwrap();
    assert!(host.contains("VIPNODE_NODE_MAX_PEERS"), "{host}");
    assert!(stdout(&["man"]).contains(".TH vipnode 1"));
}

#[test]
fn every_shell_completes() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&["completions", shell]);
        assert!(script.contains("node-max-peers") && script.contains("release"), "{shell}: {script}");
    }
    assert_eq!(run(&["completions", "cmd"]).status.code(), Some(2));
}

#[test]
fn the_units_start_what_there_is() {
    let mut roles = Vec::new();
    for (name, unit) in units() {
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/vipnode ")).unwrap();
        let words: Vec<&str> = start.split_whitespace().filter(|word| !word.starts_with("/etc/")).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| *word != "--config").collect();
        let variables = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
        let settings = Command::new(VIPNODE)
            .args(&words)
            .arg("--print-config")
            .envs(variables.map(|pair| pair.split_once('=').unwrap()))
            .output()
            .unwrap();
        let toml = String::from_utf8(settings.stdout).unwrap();
        assert!(settings.status.success(), "{name}: {}", String::from_utf8_lossy(&settings.stderr));
        if unit.contains("VIPNODE_STATE_DIR") {
            assert!(toml.contains("# VIPNODE_STATE_DIR"), "{name}: {toml}");
        }
        roles.push(words[0].to_owned());
    }
    roles.sort();
    assert_eq!(roles, ["agent", "agent", "client", "host", "pool"]);
}

#[test]
fn systemd_takes_the_units_and_finds_them_hardened() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("not run: systemd-analyze is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, unit) in units() {
        // A template is verified as one of its instances.
        let name = name.replace('@', "@geth");
        let path = dir.path().join(&name);
        // The lines about credentials are examples, and have to be valid too.
        let examples = ["LoadCredential", "Environment"].map(|key| (format!("# {key}="), format!("{key}=")));
        let unit = examples.iter().fold(unit, |unit, (comment, line)| unit.replace(comment, line));
        assert!(unit.contains("\nLoadCredential="), "{name}");
        fs::write(&path, unit.replace("/usr/local/bin/vipnode", VIPNODE)).unwrap();
        let path = path.to_str().unwrap();
        let verified = Command::new("systemd-analyze").args(["verify", "--man=no", path]).output().unwrap();
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        let ours: Vec<&str> = said.lines().filter(|line| line.contains(&name)).collect();
        assert!(ours.is_empty(), "{name}: {said}");
        // 0 is best, 10 a service without a word about it; the number is times ten here.
        let security = Command::new("systemd-analyze")
            .args(["security", "--offline=yes", "--threshold=25", path])
            .output()
            .unwrap();
        assert!(security.status.success(), "{name}: {}", String::from_utf8_lossy(&security.stdout));
    }
}

#[test]
fn the_containers_use_flags_and_variables_that_are_there() {
    let compose = fs::read_to_string(repository().join("packaging/compose.yaml")).unwrap();
    let command = compose.lines().find(|line| line.contains("[\"host\"")).unwrap();
    let words: Vec<&str> = command.split('"').skip(1).step_by(2).collect();
    let toml = stdout(&[&words[..], &["--print-config"]].concat());
    assert!(toml.contains("rpc = \"/ipc/geth.ipc\" # the command line"), "{toml}");
    let containerfile = fs::read_to_string(repository().join("packaging/Containerfile")).unwrap();
    for text in [compose, containerfile] {
        let names =
            text.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(|word| word.starts_with("VIPNODE_"));
        for name in names.filter(|name| *name != "VIPNODE_") {
            // A bare word is refused.
            let value = if name == "VIPNODE_POOL" { "wss://x" } else { "x" };
            let output = Command::new(VIPNODE).args(["host", "--print-config"]).env(name, value).output().unwrap();
            let toml = String::from_utf8(output.stdout).unwrap();
            assert!(toml.contains(&format!("# {name}")), "{name}: {toml}");
        }
    }
}
