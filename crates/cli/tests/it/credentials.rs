//! User names and passwords in URLs are refused by name, and never appear: in output, errors, logs, JSON, or settings.

use std::{collections::BTreeSet, process::Command};

/// Where a URL can be given: the command, and the flag or the place of an argument.
const TAKERS: &[&[&str]] = &[
    &["URL"],
    &["host", "URL"],
    &["client", "URL"],
    &["agent", "URL"],
    &["doctor", "URL"],
    &["client", "--pool", "URL"],
    &["host", "--pool", "URL"],
    &["host", "wss://127.0.0.1:1", "--rpc", "URL"],
    &["client", "wss://127.0.0.1:1", "--rpc", "URL"],
    &["agent", "wss://127.0.0.1:1", "--rpc", "URL"],
    &["doctor", "wss://127.0.0.1:1", "--rpc", "URL"],
    &["host", "--dry-run", "--rpc", "URL"],
    &["link", "--rpc", "URL"],
    &["release", "--rpc", "URL"],
    &["status", "--pool", "URL"],
    &["pool", "--check-config", "--public-url", "URL"],
    &["pool", "--check-config", "--allow-origin", "URL"],
    &["pool", "--check-config", "--tls-host", "pool.example.org", "--tls-acme-directory", "URL"],
    &["pool", "--check-config", "--chain.rpc", "URL"],
    &["pool", "admin", "claim", "--keystore", "/nonexistent", "--chain.rpc", "URL"],
    &["account", "show", "--account", ACCOUNT, "URL"],
    &["account", "show", "--account", ACCOUNT, "--pool", "URL"],
    &["account", "statement", "--account", ACCOUNT, "URL"],
    &["account", "link", "--account", ACCOUNT, "URL"],
    &["account", "unlink", "--account", ACCOUNT, "URL"],
    &["account", "payout", ACCOUNT, "URL"],
    &["wallet", "balance", "--channel", "/nonexistent", "--chain.rpc", "URL"],
    &["wallet", "deposit", "1 USDC", "--channel", "/nonexistent", "--unsigned", "--chain.rpc", "URL"],
    &["wallet", "withdraw", "--channel", "/nonexistent", "--unsigned", "--chain.rpc", "URL"],
];

const ACCOUNT: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// With a name and a password, with a name or a password that has signs of a URL, without a scheme, and in upper case.
const URLS: &[&str] = &[
    "wss://someuser:s3cret@127.0.0.1:1",
    "https://someuser:s3cret@127.0.0.1:1/path",
    "http://someuser@127.0.0.1:1",
    "ws://:s3cret@127.0.0.1:1",
    "HTTP://someuser:s3cret@127.0.0.1:1",
    "https://someuser:s3/s3cret@127.0.0.1:1",
    "https://someuser:s3?s3cret@127.0.0.1:1",
    "https://someuser:s3@s3cret@127.0.0.1:1",
    "someuser:s3cret@127.0.0.1:1",
    "wss://someuser:s3cret@",
    "wss://someuser:s3cret@127.0.0.1:port",
];

/// What it prints within 2 s: an agent waits for a node at a path, which a URL without a scheme is.
fn printed(args: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("timeout");
    command.args(["-s", "INT", "2", env!("CARGO_BIN_EXE_vipnode")]).args(args);
    let output = command.env("HOME", "/nonexistent").envs(variables.iter().copied()).output().unwrap();
    assert_ne!(output.status.code(), Some(101), "{args:?} panics");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn assert_hidden(args: &[&str], variables: &[(&str, &str)]) {
    let printed = printed(args, variables);
    for secret in ["s3", "someuser"] {
        assert!(!printed.contains(secret), "{args:?} {variables:?} shows {secret}:\n{printed}");
    }
    assert!(!printed.is_empty(), "{args:?} prints nothing");
}

#[test]
fn no_command_shows_a_name_or_a_password() {
    for taker in TAKERS {
        for url in URLS {
            let args: Vec<&str> = taker.iter().map(|word| if *word == "URL" { *url } else { *word }).collect();
            assert_hidden(&args, &[]);
        }
        let url = URLS[0];
        let args: Vec<&str> = taker.iter().map(|word| if *word == "URL" { url } else { *word }).collect();
        for more in [&["--json"][..], &["-vv", "--log-format", "json"], &["--print-config"]] {
            assert_hidden(&[&args[..], more].concat(), &[]);
        }
    }
}

#[test]
fn no_variable_or_settings_file_shows_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    for (command, key) in [
        ("host", "pool"),
        ("host", "rpc"),
        ("pool", "public-url"),
        ("pool", "allow-origin"),
        ("pool", "tls-acme-directory"),
    ] {
        for url in URLS {
            let variable = format!("VIPNODE_{}", key.to_uppercase().replace('-', "_"));
            std::fs::write(&file, format!("[{command}]\n{key} = '{url}'\n")).unwrap();
            let file = file.to_str().unwrap();
            for more in [&["--print-config"][..], &["--json"]] {
                // A pool with such a setting does not start.
                let more = if command == "pool" { &[more, &["--check-config"]].concat() } else { more };
                assert_hidden(&[&[command], more].concat(), &[(&variable, url)]);
                assert_hidden(&[&[command, "--config", file], more].concat(), &[]);
            }
        }
    }
}

/// By the reference of the command line, which is made from the flags.
#[test]
fn each_flag_that_takes_a_url_is_tried() {
    let output = Command::new(env!("CARGO_BIN_EXE_vipnode")).args(["man", "--markdown"]).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let flag = regex_lite::Regex::new("`(--[a-z.-]+) <[^>]*(?:URL|POOL|ORIGIN)[^>]*>`").unwrap();
    let flags: BTreeSet<&str> = flag.captures_iter(&page).map(|found| found.get(1).unwrap().as_str()).collect();
    let tried: BTreeSet<&str> = TAKERS.iter().flat_map(|taker| taker.iter().copied()).collect();
    assert!(
        flags.len() > 5 && flags.contains("--chain.rpc") && flags.is_subset(&tried),
        "{:?}",
        flags.difference(&tried)
    );
}

#[test]
fn they_are_refused_by_name() {
    // Doctor finds no node here before it comes to the pool, and an ACME server may ask for a password.
    let others = ["doctor", "--allow-origin", "--tls-acme-directory"];
    for taker in TAKERS.iter().filter(|taker| !taker.iter().any(|word| others.contains(word))) {
        let args: Vec<&str> = taker.iter().map(|word| if *word == "URL" { URLS[0] } else { *word }).collect();
        let printed = printed(&args, &[]);
        assert!(printed.contains("password"), "{args:?}:\n{printed}");
    }
}
