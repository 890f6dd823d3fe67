//! A user name and a password in a URL appear nowhere, however the URL is written.

use std::process::Command;

/// Each contains parts of the user name and the password "zoe:qqq…zzz".
const URLS: [&str; 10] = [
    "http://zoe:qqqzzz@127.0.0.1:1",
    "ws://zoe:qqqzzz@127.0.0.1:1/x",
    "zoe:qqqzzz@127.0.0.1:8545",
    "http://zoe:qqq/zzz@h",
    "http://zoe:qqq#zzz@h",
    "http://zoe:qqq zzz@h",
    "http://zoe:12/zzz@h",
    "http:/zoe:qqqzzz@h",
    "http//zoe:qqqzzz@h",
    "wss://http//zoe:qqqzzz@h",
];

fn shows_nothing(args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    for name in ["VIPNODE_POOL", "VIPNODE_RPC", "VIPNODE_NODEKEY", "VIPNODE_STATE_DIR", "VIPNODE_JOIN_SECRET"] {
        command.env_remove(name);
    }
    let output = command.env("HOME", "/nonexistent").args(args).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!said.is_empty(), "{args:?}");
    for part in ["zoe", "qqq", "zzz"] {
        assert!(!said.contains(part), "{args:?}:\n{said}");
    }
}

#[test]
fn no_command_shows_the_password_of_a_url() {
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    for url in URLS {
        for output in ["--quiet", "--json", "-v"] {
            shows_nothing(&["host", "wss://pool.example", "--rpc", url, "--state-dir", state, "--dry-run", output]);
            shows_nothing(&["pool", "--public-url", url, "--check-config", output]);
        }
        shows_nothing(&["client", url, "--rpc", "http://127.0.0.1:1", "--state-dir", state, "--dry-run"]);
        shows_nothing(&["client", url, "wss://pool.example"]);
        shows_nothing(&["client", url, "--rpc", url, "--print-config"]);
        shows_nothing(&["pool", "--public-url", url, "--print-config"]);
        shows_nothing(&["doctor", "client", url, "--rpc", url, "--state-dir", state]);
        shows_nothing(&["release", "--rpc", url, "--state-dir", state]);
    }
}
