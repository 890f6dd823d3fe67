//! `vipnode pool --tls-cert --tls-key`, as a process.

use std::path::Path;

use crate::support::{Sim, Vipnode};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use vipnode_node::Trust;
use vipnode_rpc::{OpenError, RpcLimits, open_ws};

/// A certificate for this machine that is its own authority, under the names of the flags.
fn issue(dir: &Path) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), signing_key.serialize_pem()).unwrap();
}

async fn opens(url: &str, trust: &Trust) -> Result<(), OpenError> {
    let limits = RpcLimits { trust: trust.clone(), ..RpcLimits::default() };
    open_ws(url, &limits).await.map(drop)
}

#[tokio::test]
async fn sighup_reads_the_certificate_again_and_keeps_the_old_before_a_bad_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let trust = || Trust::default().with_ca(&dir.path().join("cert.pem")).unwrap();
    issue(dir.path());
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let (mut pool, url) = Vipnode::pool(&["--tls-cert", &cert, "--tls-key", &key]).await;
    let url = url.replace("127.0.0.1", "localhost");
    assert!(url.starts_with("wss://"), "{url}");
    let said = pool.event("certificate").await;
    assert!(said["names"][0] == "localhost" && said["expires"].as_str().unwrap().ends_with('Z'), "{said}");
    let old = trust();
    opens(&url, &old).await.unwrap();

    issue(dir.path());
    let new = trust();
    pool.signal("-HUP").await;
    pool.event("certificate_reloaded").await;
    opens(&url, &new).await.unwrap();
    assert!(matches!(opens(&url, &old).await, Err(OpenError::Tls { .. })));

    std::fs::write(&cert, "nothing").unwrap();
    pool.signal("-HUP").await;
    let said = pool.event("certificate_kept").await;
    assert!(said["reason"].as_str().unwrap().contains("cert.pem cannot be used"), "{said}");
    opens(&url, &new).await.unwrap();
    assert!(pool.interrupt().await.success());
}

#[tokio::test]
async fn agents_trust_a_private_authority_by_a_flag() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    issue(dir.path());
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let (pool, url) = Vipnode::pool(&["--tls-cert", &cert, "--tls-key", &key]).await;
    let url = url.replace("127.0.0.1", "localhost");
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &url]);
    let said = agent.event("pool_away").await;
    assert!(said["hint"].as_str().unwrap().contains("--tls-ca"), "{said}");
    agent.kill().await;
    let mut agent = sim.agent(&["client", &url, "--tls-ca", &cert]);
    agent.event("joined").await;
    for url in [url.clone(), url.replacen("wss", "https", 1)] {
        assert!(Vipnode::start(&["status", "--pool", &url, "--tls-ca", &cert]).ended().await.success(), "{url}");
        assert_eq!(Vipnode::start(&["status", "--pool", &url]).ended().await.code(), Some(2), "{url}");
    }
    assert!(agent.interrupt().await.success() && pool.interrupt().await.success());
}
