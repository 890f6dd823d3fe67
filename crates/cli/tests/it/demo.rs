//! `vipnode demo` on simulated nodes; on real ones: `real_demo.rs`.

use std::{path::Path, time::Instant};

use crate::support::{Vipnode, demo_printed, gone, processes_of};

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

fn start(dir: &Path, args: &[&str]) -> Vipnode {
    Vipnode::start_with(&[&["demo"], args].concat(), &[("TMPDIR", dir.to_str().unwrap())])
}

async fn nothing_is_left(dir: &Path) {
    gone(dir).await;
    let left: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}
