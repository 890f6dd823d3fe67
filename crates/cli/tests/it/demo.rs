//! `vipnode demo` on simulated nodes; on real ones: `real_demo.rs`. With payments: `real_demo_pay.rs`.

use std::{path::Path, time::Instant};

use crate::support::{Vipnode, demo_printed, gone, processes_of, text};

#[tokio::test]
async fn it_shows_everything_ends_by_itself_and_cleans_up() {
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut demo = start(dir.path(), &["--simulated"]);
    demo_printed(&mut demo).await;
    assert_eq!(demo.ended().await.code(), Some(0));
    assert!(began.elapsed().as_secs() < 40, "{:?}", began.elapsed());
    nothing_is_left(dir.path()).await;
}

#[tokio::test]
async fn ctrl_c_ends_it_in_order_and_cleans_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = start(dir.path(), &["--simulated"]);
    demo.event("meters").await;
    assert!(!processes_of(dir.path()).is_empty());
    demo.signal("-INT").await;
    let summary = demo.event("summary").await;
    // Five where the signal came after the kill.
    assert!((3..=5).contains(&summary["rows"].as_array().unwrap().len()), "{summary}");
    assert_eq!(demo.ended().await.code(), Some(0));
    nothing_is_left(dir.path()).await;
}

#[tokio::test]
async fn a_second_ctrl_c_ends_it_at_once_and_no_process_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = start(dir.path(), &["--simulated"]);
    demo.event("meters").await;
    demo.signal("-INT").await;
    demo.signal("-INT").await;
    let code = demo.ended().await.code();
    assert!(matches!(code, Some(0 | 2)), "{code:?}");
    gone(dir.path()).await;
}

#[tokio::test]
async fn kept_up_it_can_be_joined() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = start(dir.path(), &["--simulated", "--keep-running"]);
    loop {
        let said = demo.event("demo").await;
        if said["text"].as_str().unwrap().contains("vipnode client ws://127.0.0.1:") {
            break;
        }
    }
    demo.signal("-TERM").await;
    assert_eq!(demo.ended().await.code(), Some(0));
    nothing_is_left(dir.path()).await;
}

/// Without anvil on the PATH, the demo with payments uses the one that npm installed in the working directory, if any.
#[cfg(unix)]
#[tokio::test]
async fn anvil_is_searched_for_and_its_absence_is_explained() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let refused = async || {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_vipnode"));
        command.args(["demo", "--pay", "--json"]).env("PATH", "").env("TMPDIR", dir.path()).current_dir(dir.path());
        let output = command.output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        serde_json::from_str::<serde_json::Value>(text(&output.stderr).lines().last().unwrap()).unwrap()
    };
    let none = refused().await;
    assert!(none["text"].as_str().unwrap().contains("needs anvil"), "{none}");
    assert!(none["hint"].as_str().unwrap().contains("npm ci --prefix contracts"), "{none}");
    let bin = dir.path().join("contracts/node_modules/@foundry-rs/anvil-of-some-machine/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("anvil"), "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(bin.join("anvil"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let broken = refused().await;
    let what = broken["text"].as_str().unwrap();
    assert!(what.contains("anvil-of-some-machine/bin/anvil: it exited at startup"), "{broken}");
    assert!(broken["hint"].as_str().unwrap().contains("--anvil PATH"), "{broken}");
}

fn start(dir: &Path, args: &[&str]) -> Vipnode {
    Vipnode::start_with(&[&["demo"], args].concat(), &[("TMPDIR", dir.to_str().unwrap())])
}

async fn nothing_is_left(dir: &Path) {
    gone(dir).await;
    let left: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}
