use std::net::IpAddr;

use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{timeout, timeout_at},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{PoolTls, pool_tls::ACME_ALPN};
use crate::net::port::Port;

/// The most bytes that wait to be encrypted.
const BUFFER_BYTES: usize = 16 << 10;
/// The first byte of each TLS connection: a handshake record.
const HANDSHAKE_RECORD: u8 = 22;

/// Does the TLS handshake of one connection, within its limits. Returns `None` if there is nothing to serve. Neither the
/// handshake nor the rest of the pool waits for the other.
pub(crate) async fn accept(
    stream: TcpStream,
    address: IpAddr,
    port: &Port,
    tls: &PoolTls,
) -> Option<TlsStream<TcpStream>> {
    let end = tokio::time::Instant::now().checked_add(port.service.limits.tls_handshake)?;
    let handshake = port.handshakes.begin(address);
    let shaking = async {
        let mut first = [0];
        stream.peek(&mut first).await.ok()?;
        if first != [HANDSHAKE_RECORD] {
            return Some(Err(stream));
        }
        let accepting = TlsAcceptor::from(tls.server())
            .accept_with(stream, |connection| connection.set_buffer_limit(Some(BUFFER_BYTES)));
        match accepting.await {
            Ok(stream) => Some(Ok(stream)),
            Err(error) => {
                tracing::debug!(%address, %error, "TLS handshake failed");
                None
            }
        }
    };
    let shaken = tokio::select! {
        shaken = timeout_at(end, shaking) => shaken.ok().flatten(),
        () = handshake.given_up() => None,
    };
    drop(handshake);
    match shaken {
        Some(Ok(mut stream)) if stream.get_ref().1.alpn_protocol() == Some(ACME_ALPN) => {
            // The handshake was the answer to the ACME server.
            let _gone = timeout(port.service.limits.refusal, stream.shutdown()).await;
            None
        }
        Some(Ok(stream)) => Some(stream),
        Some(Err(plain)) => {
            port.service.metrics.tls_failed.inc();
            let _too_slow = timeout(port.service.limits.refusal, say_tls(plain)).await;
            None
        }
        None => {
            port.service.metrics.tls_failed.inc();
            None
        }
    }
}

/// Answers plain HTTP on a TLS port with a hint to use TLS.
async fn say_tls(mut stream: TcpStream) {
    let why = "this port speaks TLS: use wss:// (an agent) or https:// instead of ws:// or http://\n";
    let text = format!(
        "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{why}",
        why.len()
    );
    let _gone = stream.write_all(text.as_bytes()).await;
    // Closing with unread bytes would discard the answer on its way.
    let _gone = stream.shutdown().await;
    let _read = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}
