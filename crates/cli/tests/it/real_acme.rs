//! `vipnode pool --tls-host` with a real ACME server: Pebble, which asks at the pool's own port.

use std::{net::Ipv4Addr, os::unix::fs::PermissionsExt, path::Path, process::Stdio};

use crate::support::{SOON, Vipnode};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use vipnode_node::{Trust, testing::free_port};

const NAME: &str = "pool.example.test";

/// A running Pebble, its own certificate in `pebble.pem`.
struct Pebble {
    child: Child,
    port: u16,
    management: u16,
    dir: TempDir,
}

impl Pebble {
    /// One that looks for the pool's answer at `pool`.
    async fn start(pool: u16) -> Self {
        let program = std::env::var("VIPNODE_TEST_PEBBLE").expect("VIPNODE_TEST_PEBBLE, which ./test sets");
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(file("pebble.pem"), cert.pem()).unwrap();
        std::fs::write(file("pebble.key"), signing_key.serialize_pem()).unwrap();
        let (port, management) = (free_port(), free_port());
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": file("pebble.pem"),
            "privateKey": file("pebble.key"),
            "httpPort": 5002,
            "tlsPort": pool,
            "profiles": {"default": {"description": "as usual", "validityPeriod": 7_776_000}},
        }});
        std::fs::write(file("config.json"), config.to_string()).unwrap();
        let child = Command::new(program)
            .args(["-config", file("config.json").to_str().unwrap(), "-dnsserver", &dns().await])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let pebble = Self { child, port, management, dir };
        for port in [port, management] {
            // It does not report that it listens.
            let listens = async { while TcpStream::connect(("127.0.0.1", port)).await.is_err() {} };
            timeout(SOON, listens).await.expect("Pebble listens");
        }
        pebble
    }

    fn own_certificate(&self) -> String {
        self.dir.path().join("pebble.pem").to_str().unwrap().to_owned()
    }

    /// The authority of what it issues, which is new with each start.
    async fn authority(&self) -> Trust {
        let trust = Trust::default().with_ca(Path::new(&self.own_certificate())).unwrap();
        let answer = get(&trust, "localhost", self.management, "/roots/0").await;
        let (_head, pem) = answer.split_once("\r\n\r\n").unwrap();
        let file = self.dir.path().join("root.pem");
        std::fs::write(&file, pem).unwrap();
        Trust::default().with_ca(&file).unwrap()
    }
}

/// A name server over TCP, as Pebble asks, for which each name is this machine; its address.
async fn dns() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut query = vec![0; usize::from(length)];
                    stream.read_exact(&mut query).await.unwrap();
                    let answer = dns_answer(&query);
                    stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    address
}

fn dns_answer(query: &[u8]) -> Vec<u8> {
    let question_end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let wants_v4 = query[question_end - 4..question_end - 2] == [0, 1];
    let mut answer = query[..question_end].to_vec();
    // An answer, recursion available, no error; one question, and one record if it is for IPv4.
    answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(wants_v4), 0, 0, 0, 0]);
    if wants_v4 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    answer
}

/// One HTTPS request to `name`, which is on this machine.
async fn get(trust: &Trust, name: &str, port: u16, path: &str) -> String {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let server = name.to_owned().try_into().unwrap();
    let mut stream = TlsConnector::from(trust.config()).connect(server, stream).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _without_close_notify = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn pool(port: u16, pebble: &Pebble, cache: &Path, args: &[&str]) -> Vipnode {
    let (bind, directory) = (format!("127.0.0.1:{port}"), format!("https://localhost:{}/dir", pebble.port));
    let cache = cache.to_str().unwrap();
    let own = ["pool", "--bind", &bind, "--tlshost", NAME, "--tls-acme-directory", &directory, "--tls-cache", cache];
    Vipnode::start(&[&own, args].concat())
}

#[tokio::test]
async fn a_certificate_is_had_kept_and_used_again_without_the_server() {
    let (port, cache) = (free_port(), tempfile::tempdir().unwrap());
    let mut pebble = Pebble::start(port).await;

    let mut stranger = pool(port, &pebble, cache.path(), &[]);
    let failed = stranger.event("certificate_failed").await;
    assert!(failed["reason"].as_str().unwrap().contains("authority that this machine does not trust"), "{failed}");
    assert!(stranger.interrupt().await.success());

    let mail = ["--tls-acme-ca", &pebble.own_certificate(), "--tls-contact", "cleo@example.org"];
    let mut first = pool(port, &pebble, cache.path(), &mail);
    assert_eq!(first.event("listening").await["url"], format!("wss://{NAME}"));
    let ordered = first.event("certificate_ordered").await;
    assert!(ordered["text"].as_str().unwrap().contains("port 443"), "{ordered}");
    assert_eq!(first.event("certificate_obtained").await["names"], json!([NAME]));
    let authority = pebble.authority().await;
    let health = get(&authority, NAME, port, "/health").await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(first.interrupt().await.success());

    let files: Vec<_> = std::fs::read_dir(&cache).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 3, "account, certificate and key: {files:?}");
    assert!(files.iter().all(|file| file.metadata().unwrap().permissions().mode() & 0o777 == 0o600));
    pebble.child.kill().await.unwrap();
    let mut second = pool(port, &pebble, cache.path(), &mail);
    assert_eq!(second.event("certificate").await["names"], json!([NAME]));
    let health = get(&authority, NAME, port, "/health").await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(second.interrupt().await.success());
}
