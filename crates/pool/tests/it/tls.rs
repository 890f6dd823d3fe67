//! The pool's port with TLS, over real sockets.

use std::{path::PathBuf, time::Duration};

use crate::common::{Agent, Keys, config, exchange, post, wall};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use vipnode_pool::{
    DataDir, PoolConfig, PoolLimits, PoolServer, PoolTls, TlsError,
    admin::{AdminClient, BanRequest, admin_socket},
};
use vipnode_rpc::{RpcLimits, Trust, http, open_ws};
use vipnode_types::{
    TypedError as _,
    wire::{ConnectReply, method},
};

/// An authority and the certificate of a pool on this machine, in files.
struct Papers {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

impl Papers {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let papers = Self { issuer, dir: tempfile::tempdir().unwrap() };
        std::fs::write(papers.file("ca.pem"), papers.issuer.pem()).unwrap();
        papers.issue("localhost", 2100);
        papers
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn issue(&self, name: &str, to: i32) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(to, 1, 1));
        let key = KeyPair::generate().unwrap();
        std::fs::write(self.file("cert.pem"), params.signed_by(&key, &self.issuer).unwrap().pem()).unwrap();
        std::fs::write(self.file("key.pem"), key.serialize_pem()).unwrap();
    }

    fn tls(&self) -> Result<PoolTls, TlsError> {
        PoolTls::from_files(self.file("cert.pem"), self.file("key.pem"))
    }

    async fn pool(&self, limits: PoolLimits) -> PoolServer {
        let tls = Some(self.tls().unwrap());
        PoolServer::spawn(PoolConfig { tls, limits, ..config() }).await.unwrap()
    }

    fn limits(&self) -> RpcLimits {
        RpcLimits { trust: Trust::default().with_ca(&self.file("ca.pem")).unwrap(), ..RpcLimits::default() }
    }
}

#[tokio::test]
async fn agents_speak_over_wss_and_https() {
    let papers = Papers::new();
    let pool = papers.pool(PoolLimits::default()).await;
    let port = pool.local_addr().port();
    let (host, client) = (Keys::new(1), Keys::new(2));
    let url = format!("wss://localhost:{port}");
    let opened = open_ws(&url, &papers.limits()).await.unwrap();
    let agent = Agent { opened, url: url.clone() };
    agent.connect(&host, &host.host(3)).await.unwrap();

    let https = format!("https://localhost:{port}");
    let rpc = http(&https, &papers.limits()).unwrap();
    post::<ConnectReply>(&rpc, &client, &https, method::CONNECT, wall().get(), &client.client()).await.unwrap();
    // A signature for the same pool without TLS is not one for this pool.
    let plain = format!("http://localhost:{port}");
    let refused =
        post::<ConnectReply>(&rpc, &client, &plain, method::CONNECT, wall().get() + 1, &client.client()).await;
    assert!(refused.unwrap_err().message.contains(&format!("wss://127.0.0.1:{port}")));
}

#[tokio::test]
async fn a_plain_request_is_asked_to_use_tls() {
    let papers = Papers::new();
    let pool = papers.pool(PoolLimits::default()).await;
    let answer = exchange(pool.local_addr(), b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("wss://"), "{answer}");
    let error = open_ws(&format!("ws://{}", pool.local_addr()), &RpcLimits::default()).await.unwrap_err().to_string();
    assert!(error.contains("400") && error.contains("wss://"), "{error}");
}

/// Neither in plain text, which no TLS client could read, nor after a handshake, which is what a flood costs.
#[tokio::test]
async fn a_banned_address_is_refused_by_a_tls_alert() {
    let (papers, dir) = (Papers::new(), tempfile::tempdir().unwrap());
    let limits = PoolLimits { probes: 0, ..PoolLimits::default() };
    let config = PoolConfig { tls: Some(papers.tls().unwrap()), limits, ..config() };
    let pool = PoolServer::spawn_in(config, DataDir::open(dir.path()).unwrap()).await.unwrap();
    let ban = BanRequest { target: "127.0.0.0/8".parse().unwrap(), reason: None, for_ms: None };
    AdminClient::new(admin_socket(dir.path())).ban(&ban).await.unwrap();
    let mut stream = TcpStream::connect(pool.local_addr()).await.unwrap();
    let mut refusal = Vec::new();
    timeout(crate::common::LONG, stream.read_to_end(&mut refusal)).await.expect("it is closed").unwrap();
    assert_eq!(refusal, [21, 3, 3, 0, 2, 2, 49], "the alert access_denied");
    let url = format!("wss://localhost:{}", pool.local_addr().port());
    let error = open_ws(&url, &papers.limits()).await.unwrap_err().to_string();
    assert!(error.to_lowercase().contains("accessdenied"), "{error}");
}

#[tokio::test]
async fn d4_tls_handshake() {
    let papers = Papers::new();
    let tls_handshake = Duration::from_millis(100);
    let pool = papers.pool(PoolLimits { tls_handshake, ..PoolLimits::default() }).await;
    // The first five bytes of a record, and no further.
    for begun in [&b""[..], &[22, 3, 1, 2, 0]] {
        let mut stream = TcpStream::connect(pool.local_addr()).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let read = timeout(crate::common::LONG, stream.read(&mut [0; 1])).await.expect("it is closed");
        assert!(!matches!(read, Ok(1..)), "{read:?}");
    }
    open_ws(&format!("wss://localhost:{}", pool.local_addr().port()), &papers.limits()).await.unwrap();
}

#[tokio::test]
async fn d4_tls_handshakes() {
    let papers = Papers::new();
    let pool = papers.pool(PoolLimits { tls_handshakes: 2, ..PoolLimits::default() }).await;
    let mut storm = Vec::new();
    for _ in 0..20 {
        storm.push(TcpStream::connect(pool.local_addr()).await.unwrap());
    }
    // All of them stay open, and an honest agent gets through.
    open_ws(&format!("wss://localhost:{}", pool.local_addr().port()), &papers.limits()).await.unwrap();
    let read = timeout(crate::common::LONG, storm[0].read(&mut [0; 1])).await.expect("the oldest is closed");
    assert!(!matches!(read, Ok(1..)), "{read:?}");
}

#[tokio::test]
async fn a_reload_takes_good_files_and_keeps_the_old_before_bad_ones() {
    let papers = Papers::new();
    let tls = papers.tls().unwrap();
    let pool = PoolServer::spawn(PoolConfig { tls: Some(tls.clone()), ..config() }).await.unwrap();
    let port = pool.local_addr().port();
    let expires = async || {
        let rpc = open_ws(&format!("wss://localhost:{port}"), &papers.limits()).await.map(drop);
        let page = metrics(port, &papers).await;
        let line = page
            .lines()
            .find(|line| line.starts_with("vipnode_pool_tls_certificate_expiry_timestamp_seconds "))
            .unwrap();
        (rpc, line.split_once(' ').unwrap().1.parse::<u64>().unwrap())
    };
    assert_eq!(expires().await, (Ok(()), 4_102_444_800));
    papers.issue("localhost", 2101);
    assert_eq!(tls.reload().unwrap().expires(), "2101-01-01T00:00:00Z");
    // The metrics are made once per second.
    while expires().await != (Ok(()), 4_133_980_800) {}

    let kept = tls.facts().unwrap();
    papers.issue("localhost", 2021);
    assert!(matches!(tls.reload().unwrap_err(), TlsError::Expired { at, .. } if at == "2021-01-01T00:00:00Z"));
    std::fs::write(papers.file("key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(tls.reload().unwrap_err(), TlsError::Mismatch { .. }));
    std::fs::write(papers.file("key.pem"), "nothing").unwrap();
    let error = tls.reload().unwrap_err();
    assert!(
        error.to_string().contains("key.pem") && error.hint().is_some_and(|hint| hint.contains("--tls-key")),
        "{error}"
    );
    std::fs::write(papers.file("cert.pem"), "nothing").unwrap();
    assert!(tls.reload().unwrap_err().to_string().contains("cert.pem cannot be used: it holds no certificate"));
    std::fs::remove_file(papers.file("cert.pem")).unwrap();
    assert!(matches!(tls.reload().unwrap_err(), TlsError::File { .. }));
    assert_eq!(tls.facts().unwrap(), kept);
    assert_eq!(expires().await, (Ok(()), 4_133_980_800));
}

/// `/metrics` over TLS.
async fn metrics(port: u16, papers: &Papers) -> String {
    let config = papers.limits().trust.config();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut page = Vec::new();
    let _without_close_notify = stream.read_to_end(&mut page).await;
    String::from_utf8(page).unwrap()
}
