//! A server that closes a connection while the next request is on its way, as those do that end idle connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::value::RawValue;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use vipnode_node::{Endpoint, NodeAccess, TransportError};

const LONG: Duration = Duration::from_secs(20);

/// Answers the first request of each connection, reads the second one, and closes without an answer. Returns its address
/// and the number of requests that it has read.
async fn impatient_server() -> (Endpoint, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            if stream.read(&mut request).await.unwrap_or(0) == 0 {
                continue;
            }
            counter.fetch_add(1, Ordering::SeqCst);
            let body = r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            if stream.read(&mut request).await.unwrap_or(0) > 0 {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (endpoint, requests)
}

#[tokio::test]
async fn a_read_that_meets_the_end_of_a_connection_is_made_once_more_and_a_change_is_not() {
    let none = || RawValue::from_string("[]".to_owned()).unwrap();
    for (method, repeated) in [("eth_chainId", true), ("admin_peers", true), ("admin_addPeer", false)] {
        let (endpoint, requests) = impatient_server().await;
        let transport = endpoint.transport(&NodeAccess::default()).unwrap();
        assert_eq!(transport.call(method, none(), LONG).await.unwrap().get(), "\"0x1\"", "{method}");
        let second = transport.call(method, none(), LONG).await;
        match repeated {
            true => assert_eq!(second.unwrap().get(), "\"0x1\"", "{method}"),
            false => assert!(matches!(second, Err(TransportError::Lost { .. })), "{method}: {second:?}"),
        }
        assert_eq!(requests.load(Ordering::SeqCst), if repeated { 3 } else { 2 }, "{method}");
    }
}
