//! The HTTP status of an answer decides, whatever its body is.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use vipnode_node::{Endpoint, NodeAccess, NodeError};

/// Answers each request with this status, and with a result of JSON-RPC as the body.
async fn server(status: &'static str) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            if stream.read(&mut request).await.unwrap_or(0) > 0 {
                let body = r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#;
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                let _gone = stream.write_all((head + body).as_bytes()).await;
            }
        }
    });
    endpoint
}

#[tokio::test]
async fn a_result_with_another_status_than_success_is_no_answer() {
    let open = async |status| server(status).await.open(&NodeAccess::default()).await.err().unwrap();
    let redirected = open("302 Found\r\nlocation: http://169.254.169.254/latest").await;
    assert!(matches!(&redirected, NodeError::Redirected { status: 302, .. }), "{redirected}");
    assert!(redirected.to_string().contains("169.254.169.254"), "{redirected}");
    let engine = open("401 Unauthorized").await;
    assert!(matches!(&engine, NodeError::EnginePort { .. }), "{engine}");
    for (line, code) in [
        ("404 Not Found", 404),
        ("405 Method Not Allowed", 405),
        ("429 Too Many Requests", 429),
        ("500 Internal Server Error", 500),
        ("502 Bad Gateway", 502),
    ] {
        let error = open(line).await;
        assert!(matches!(&error, NodeError::HttpStatus { status, .. } if *status == code), "{error}");
    }
    // With success, the same body is an answer.
    server("200 OK").await.open(&NodeAccess::default()).await.unwrap();
}
