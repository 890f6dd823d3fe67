//! `wss://` and `https://` over real sockets: which servers a client trusts, and its errors for those it does not.

use std::{sync::Arc, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use vipnode_rpc::{CallError, CertificateProblem, OpenError, RpcLimits, Trust, http, open_ws};
use vipnode_types::TypedError;

const LONG: Duration = Duration::from_secs(20);

/// An authority, its certificate in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, dir }
    }

    fn limits(&self) -> RpcLimits {
        let trust = Trust::default().with_ca(&self.dir.path().join("ca.pem")).unwrap();
        RpcLimits { trust, ..RpcLimits::default() }
    }

    /// A certificate for a name and years.
    fn issue(&self, name: &str, from: i32, to: i32) -> (CertificateDer<'static>, KeyPair) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().der().clone(), key)
    }
}

/// A server that answers each request with the same JSON-RPC answer, over HTTP; its port.
async fn serve((certificate, key): (CertificateDer<'static>, KeyPair)) -> u16 {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4_096];
            let _some = stream.read(&mut request).await;
            let body = r#"{"jsonrpc":"2.0","id":1,"result":"pong"}"#;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _gone = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

/// What is said over HTTPS and over WSS, which is the same.
async fn fault(place: &str, limits: &RpcLimits) -> CertificateProblem {
    let call = http(&format!("https://{place}"), limits).unwrap();
    let Err(CallError::Open(OpenError::Tls { fault, .. })) =
        call.call_raw("ping", serde_json::value::to_raw_value(&[(); 0]).unwrap(), LONG).await
    else {
        panic!("it was believed")
    };
    let Err(OpenError::Tls { fault: same, .. }) = open_ws(&format!("wss://{place}"), limits).await else {
        panic!("it was believed over wss")
    };
    let parts =
        |fault: &CertificateProblem| (fault.hint(), fault.to_string().split("clock: ").next().map(str::to_owned));
    assert_eq!(parts(&fault), parts(&same));
    fault
}

fn shows(fault: &CertificateProblem, why: &[&str], hint: &str) {
    assert!(why.iter().all(|word| fault.to_string().contains(word)), "{fault}");
    assert!(fault.hint().unwrap().contains(hint), "{fault:?}");
}

#[tokio::test]
async fn a_private_authority_is_believed_once_it_is_named() {
    let ours = Authority::new();
    let port = serve(ours.issue("localhost", 2020, 2120)).await;
    let place = format!("localhost:{port}");
    let call = http(&format!("https://{place}"), &ours.limits()).unwrap();
    assert_eq!(
        call.call_raw("ping", serde_json::value::to_raw_value(&[(); 0]).unwrap(), LONG).await.unwrap().get(),
        "\"pong\""
    );
    let Err(OpenError::Refused { status: 200, .. }) = open_ws(&format!("wss://{place}"), &ours.limits()).await else {
        panic!("the handshake of TLS holds and that of the WebSocket does not")
    };
    let unknown = fault(&place, &RpcLimits::default()).await;
    shows(&unknown, &["authority that this machine does not trust"], "--tls-ca FILE");
    let other = fault(&place, &Authority::new().limits()).await;
    shows(&other, &["neither", "ca.pem"], "--tls-ca");
}

/// A pool ends the handshake of a banned address, and of one beyond its limits. Its certificate is not the reason.
#[tokio::test]
async fn an_alert_is_not_a_fault_of_the_certificate() {
    for (description, alert, hint) in
        [(49, "AccessDenied", "banned"), (80, "InternalError", "later"), (40, "HandshakeFailure", "log")]
    {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("localhost:{}", listener.local_addr().unwrap().port());
        let server = tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                // The beginning of the client's first message.
                let mut hello = [0; 5];
                socket.read_exact(&mut hello).await.unwrap();
                socket.write_all(&[21, 3, 3, 0, 2, 2, description]).await.unwrap();
            }
        });
        let call = http(&format!("https://{place}"), &RpcLimits::default()).unwrap();
        let asked = call.call_raw("ping", serde_json::value::to_raw_value(&[(); 0]).unwrap(), LONG).await;
        let Err(CallError::Open(of_http)) = asked else { panic!("{asked:?}") };
        let Err(of_ws) = open_ws(&format!("wss://{place}"), &RpcLimits::default()).await else { panic!() };
        for error in [of_http, of_ws] {
            assert!(matches!(&error, OpenError::Alert { alert: shown, .. } if shown == alert), "{error:?}");
            assert!(error.hint().unwrap().contains(hint) && !error.to_string().contains("trusted"), "{error}");
        }
        server.abort();
    }
}

/// Connections that are opened later believe what was read again, also those of a client that was made before.
#[tokio::test]
async fn a_file_of_authorities_can_be_read_again() {
    let (ours, other) = (Authority::new(), Authority::new());
    let port = serve(ours.issue("localhost", 2020, 2120)).await;
    let place = format!("localhost:{port}");
    let limits = other.limits();
    let call = http(&format!("https://{place}"), &limits).unwrap();
    let answers = async || {
        let answer = call.call_raw("ping", serde_json::value::to_raw_value(&[(); 0]).unwrap(), LONG).await;
        let opened = open_ws(&format!("wss://{place}"), &limits).await;
        (answer.is_ok(), matches!(opened, Err(OpenError::Refused { status: 200, .. })))
    };
    assert_eq!(answers().await, (false, false));
    let file = other.dir.path().join("ca.pem");
    std::fs::write(&file, ours.issuer.pem()).unwrap();
    assert_eq!(answers().await, (false, false), "it is read only when that is asked for");
    assert!(limits.trust.reload().unwrap());
    assert_eq!(answers().await, (true, true));
    assert!(!limits.trust.clone().reload().unwrap(), "nothing changed");
    std::fs::write(&file, "no certificate").unwrap();
    assert!(limits.trust.reload().is_err());
    assert_eq!(answers().await, (true, true), "what was read before stays");
}

#[tokio::test]
async fn a_wrong_name_is_reported_with_the_right_ones() {
    let ours = Authority::new();
    let port = serve(ours.issue("pool.example", 2020, 2120)).await;
    let fault = fault(&format!("127.0.0.1:{port}"), &ours.limits()).await;
    shows(&fault, &["for pool.example, not for 127.0.0.1"], "Connect to a name in the certificate");
}

#[tokio::test]
async fn a_wrong_time_is_reported_with_both_clocks() {
    let ours = Authority::new();
    let port = serve(ours.issue("localhost", 2020, 2021)).await;
    let over = fault(&format!("localhost:{port}"), &ours.limits()).await;
    shows(&over, &["expired at 2021-01-01T00:00:00Z", "this machine's clock: 20"], "renew");
    let port = serve(ours.issue("localhost", 2119, 2120)).await;
    let early = fault(&format!("localhost:{port}"), &ours.limits()).await;
    shows(&early, &["not valid before 2119-01-01T00:00:00Z", "this machine's clock: 20"], "timedatectl");
}

#[tokio::test]
async fn the_certificate_of_an_authority_is_none_of_a_server() {
    let ours = Authority::new();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &ours.issuer).unwrap().der().clone();
    let port = serve((certificate, key)).await;
    shows(&fault(&format!("localhost:{port}"), &ours.limits()).await, &["a CA certificate instead of"], "CA:TRUE");
}

#[tokio::test]
async fn a_server_without_tls_is_recognized() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
            let _read = stream.read(&mut [0; 4_096]).await;
        }
    });
    shows(&fault(&place, &RpcLimits::default()).await, &["does not use TLS"], "Check the port");
}

#[test]
fn a_file_without_certificates_is_no_authority() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    let missing = Trust::default().with_ca(&file).unwrap_err().to_string();
    assert!(missing.contains("ca.pem cannot be read"), "{missing}");
    for text in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&file, text).unwrap();
        let error = Trust::default().with_ca(&file).unwrap_err();
        assert!(error.to_string().contains("ca.pem: ") && error.hint().unwrap().contains("PEM"), "{error}");
    }
}
