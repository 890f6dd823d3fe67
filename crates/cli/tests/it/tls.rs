//! `vipnode pool --tls-cert --tls-key`, as a process.

use std::{path::Path, process::Command};

use crate::support::{Sim, Vipnode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, IsCa, KeyPair, generate_simple_self_signed};
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
    let said = agent.event("pool_unreachable").await;
    assert!(said["hint"].as_str().unwrap().contains("--tls-ca"), "{said}");
    agent.kill().await;
    let mut agent = sim.agent(&["client", &url, "--tls-ca", &cert]);
    agent.event("joined").await;
    for url in [url.clone(), url.replacen("wss", "https", 1)] {
        assert!(Vipnode::start(&["status", "--pool", &url, "--tls-ca", &cert]).ended().await.success(), "{url}");
        assert_eq!(Vipnode::start(&["status", "--pool", &url]).ended().await.code(), Some(2), "{url}");
    }
    // Next to an agent that was started with it, the flag need not be repeated.
    let state = sim.dir.path().to_str().unwrap();
    assert!(Vipnode::start(&["status", "--pool", &url, "--state-dir", state]).ended().await.success());
    let mut ping = Vipnode::start(&["ping", "--state-dir", state]);
    let said = ping.event("ping").await;
    let steps = said["paths"][0]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["step"] == "joined" && step["verdict"] == "ok"), "{said}");
    // A CA that the user names takes the place of the agent's.
    let other = tempfile::tempdir().unwrap();
    issue(other.path());
    let other = other.path().join("cert.pem").to_str().unwrap().to_owned();
    for line in [&["ping"][..], &["status", "--pool", &url]] {
        let line = [line, &["--state-dir", state, "--tls-ca", &other]].concat();
        assert!(!Vipnode::start(&line).ended().await.success(), "{line:?}");
    }
    std::fs::remove_file(&cert).unwrap();
    let said = Vipnode::start(&["ping", "--state-dir", state]).event("ping").await;
    assert!(said["paths"][0]["steps"][0]["text"].as_str().unwrap().contains("cert.pem cannot be read"), "{said}");
    assert!(agent.interrupt().await.success() && pool.interrupt().await.success());
}

#[tokio::test]
async fn an_agent_reads_its_authorities_again_on_sighup() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    issue(dir.path());
    issue(other.path());
    let (cert, key, ca) = (file("cert.pem"), file("key.pem"), file("ca.pem"));
    std::fs::copy(other.path().join("cert.pem"), &ca).unwrap();
    let (pool, url) = Vipnode::pool(&["--tls-cert", &cert, "--tls-key", &key]).await;
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &url.replace("127.0.0.1", "localhost"), "--tls-ca", &ca]);
    agent.event("pool_unreachable").await;
    std::fs::copy(&cert, &ca).unwrap();
    agent.signal("-HUP").await;
    let said = agent.event("reloaded").await;
    assert_eq!(said["text"], "Reloaded the settings and the files that they name");
    agent.event("joined").await;
    std::fs::write(&ca, "no certificate").unwrap();
    agent.signal("-HUP").await;
    let kept = agent.event("tls_ca_kept").await;
    assert!(kept["text"].as_str().unwrap().contains("ca.pem"), "{kept}");
    agent.event("reloaded").await;
    assert!(agent.interrupt().await.success() && pool.interrupt().await.success());
}

#[tokio::test]
async fn a_pool_makes_its_own_authority_and_says_how_agents_trust_it() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let args = ["--tls", "internal", "--datadir", &datadir];
    let (mut pool, url) = Vipnode::pool(&args).await;
    assert!(url.starts_with("wss://127.0.0.1:"), "{url}");
    let ca = pool.event("ca").await["file"].as_str().unwrap().to_owned();
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &url, "--tls-ca", &ca]);
    agent.event("joined").await;
    assert!(agent.interrupt().await.success());
    let kept = std::fs::read(&ca).unwrap();
    pool.signal("-HUP").await;
    pool.event("certificate_reloaded").await;
    assert!(pool.interrupt().await.success());
    // The next start has another certificate from the same authority.
    let (pool, url) = Vipnode::pool(&args).await;
    assert_eq!(std::fs::read(&ca).unwrap(), kept);
    opens(&url, &Trust::default().with_ca(ca.as_ref()).unwrap()).await.unwrap();
    assert!(pool.interrupt().await.success());
}

#[tokio::test]
async fn the_next_commands_name_a_ca_that_the_system_does_not_know() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = |name: &str| own.path().join(name).to_str().unwrap().to_owned();
    issue(own.path());
    issue(other.path());
    let tls = ["--tls-cert", &file("cert.pem"), "--tls-key", &file("key.pem")];
    let args = [&["pool", "--bind", "127.0.0.1:0"], &tls[..]].concat();
    for (system, named) in [(&own, false), (&other, true)] {
        let system = system.path().join("cert.pem");
        let mut pool = Vipnode::start_with(&args, &[("SSL_CERT_FILE", system.to_str().unwrap())]);
        let next = pool.event("next").await["text"].as_str().unwrap().to_owned();
        assert_eq!(next.contains(" --tls-ca CA.pem`"), named, "{next}");
        assert!(pool.interrupt().await.success());
    }
}

#[tokio::test]
async fn the_certificate_of_an_authority_is_refused_with_the_commands_that_fix_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let mut params = CertificateParams::new(["pool.lan".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    std::fs::write(file("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(file("ca.key"), key.serialize_pem()).unwrap();
    let args = ["pool", "--bind", "127.0.0.1:0", "--tls-cert", &file("ca.pem"), "--tls-key", &file("ca.key")];
    let output = Command::new(env!("CARGO_BIN_EXE_vipnode")).args(args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is a CA certificate") && said.contains("openssl x509 -req"), "{said}");
    // The commands run as printed, and an agent joins at the pool's address.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let commands = said.split('`').find(|part| part.starts_with("openssl req")).unwrap();
    let run = Command::new("sh").current_dir(dir.path()).args(["-ec", commands]).output().unwrap();
    assert!(run.status.success(), "{commands}: {}", String::from_utf8_lossy(&run.stderr));
    let (pool, url) = Vipnode::pool(&["--tls-cert", &file("server.pem"), "--tls-key", &file("server.key")]).await;
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &format!("wss://127.0.0.1:{port}"), "--tls-ca", &file("ca.pem")]);
    agent.event("joined").await;
    assert!(agent.interrupt().await.success() && pool.interrupt().await.success());
}

#[tokio::test]
async fn a_pool_at_all_addresses_names_those_that_agents_can_use() {
    let mut pool = Vipnode::start(&["pool", "--bind", "0.0.0.0:0"]);
    let url = pool.event("listening").await["url"].as_str().unwrap().to_owned();
    assert!(!url.contains("0.0.0.0"), "{url}");
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &url, "--insecure"]);
    agent.event("joined").await;
    assert!(agent.interrupt().await.success() && pool.interrupt().await.success());
}

/// The names of a certificate are URLs at which agents reach the pool.
#[tokio::test]
async fn a_pool_whose_certificate_names_it_does_not_warn_that_it_has_no_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for (name, warned) in [("pool.lan", false), ("localhost", true)] {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
        std::fs::write(file("cert.pem"), cert.pem()).unwrap();
        std::fs::write(file("key.pem"), signing_key.serialize_pem()).unwrap();
        let tls = ["--tls-cert", &file("cert.pem"), "--tls-key", &file("key.pem")];
        let mut pool = Vipnode::start(&[&["pool", "--bind", "0.0.0.0:0"], &tls[..]].concat());
        pool.event("open").await;
        let said = tokio::time::timeout(std::time::Duration::from_secs(1), pool.event("no_public_url")).await;
        assert_eq!(said.is_ok(), warned, "{name}");
        assert!(pool.interrupt().await.success());
    }
}
