//! `vipnode demo` on real geths.

use std::time::Instant;

use crate::support::{Vipnode, demo_printed, gone};
use vipnode_node::testing::assert_isolated;

#[tokio::test]
async fn it_runs_on_real_nodes_and_cleans_up() {
    assert_isolated();
    let geth = std::env::var("VIPNODE_TEST_GETH").unwrap_or_else(|_| "geth".to_owned());
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut demo = Vipnode::start_with(&["demo", "--geth", &geth], &[("TMPDIR", dir.path().to_str().unwrap())]);
    demo_printed(&mut demo).await;
    assert_eq!(demo.ended().await.code(), Some(0));
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    gone(dir.path()).await;
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
