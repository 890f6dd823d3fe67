use std::{io, net::IpAddr, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{client_async_with_config, tungstenite::Error};
use tokio_util::either::Either;
use vipnode_types::{
    RpcUrl,
    wire::{CHALLENGE_HEADER, POOL_CHANGES_HEADER, POOL_ID_HEADER, POOL_PROOF_HEADER},
};

use super::{
    address,
    http_refusal::HttpRefusal,
    ws_frames::{WsFrames, config},
};
use crate::{CertificateProblem, Keepalive, OpenError, OpenSession, PoolHeaders, RpcLimits, Trust, drive};

/// TCP, or TLS on it.
type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Opens a WebSocket: to a pool, or to the WebSocket of an execution client.
///
/// # Errors
/// See [`OpenError`].
pub async fn open_ws(url: &str, limits: &RpcLimits) -> Result<OpenSession, OpenError> {
    let checked = address::checked(url, true, limits.trust.plain())?;
    let opening = async {
        let (stream, remote) = connect(url, &checked, &limits.trust).await?;
        let opened = client_async_with_config(checked.url().as_str(), stream, Some(config(limits.frame_bytes))).await;
        let (socket, response) = opened.map_err(|error| refused(url, &checked, error))?;
        Ok((socket, response, remote))
    };
    let (socket, response, remote) = match timeout(limits.open, opening).await {
        Ok(opened) => opened?,
        Err(_elapsed) => return Err(too_slow(url, limits.open)),
    };
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let challenge = header(CHALLENGE_HEADER);
    let pool_headers = PoolHeaders {
        id: header(POOL_ID_HEADER),
        proof: header(POOL_PROOF_HEADER),
        changes: header(POOL_CHANGES_HEADER),
    };
    let socket = WsFrames::new(socket, limits.frame_bytes);
    let opened = drive(socket, limits, Keepalive::Ping);
    Ok(OpenSession { challenge, pool_headers, remote, ..opened })
}

/// TCP, and TLS on it for `wss://`; with the address that it is connected to.
async fn connect(url: &str, checked: &RpcUrl, trust: &Trust) -> Result<(Stream, Option<IpAddr>), OpenError> {
    let address = |why: &str| OpenError::Address { url: url.to_owned(), why: why.to_owned() };
    let unreachable = |error: io::Error| OpenError::unreachable(url, &error);
    let host = checked.host();
    let stream = TcpStream::connect((host, checked.port())).await.map_err(unreachable)?;
    let remote = stream.peer_addr().ok().map(|remote| remote.ip());
    // A late packet costs more than a small one.
    let _best_effort = stream.set_nodelay(true);
    if !checked.is_tls() {
        return Ok((Either::Left(stream), remote));
    }
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| address("no certificate can be for this host name"))?;
    match TlsConnector::from(trust.config()).connect(name, stream).await {
        Ok(stream) => Ok((Either::Right(Box::new(stream)), remote)),
        Err(error) => Err(match CertificateProblem::within(&error, trust) {
            Some(fault) => OpenError::of_tls(url.to_owned(), fault),
            None => unreachable(error),
        }),
    }
}

fn refused(url: &str, checked: &RpcUrl, error: Error) -> OpenError {
    match error {
        Error::Http(response) => {
            let mut refusal = HttpRefusal::new(checked.url(), response.status(), response.headers());
            refusal.read_body(&response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default());
            refusal.into_error(url)
        }
        // Servers of HTTP/1.0, and servers that do not know WebSocket.
        Error::Protocol(error) => {
            let why = format!("the server there does not open a WebSocket ({error})");
            OpenError::Unreachable { address: url.to_owned(), kind: io::ErrorKind::Other, why }
        }
        Error::Url(error) => OpenError::Address { url: url.to_owned(), why: error.to_string() },
        Error::Io(error) => OpenError::unreachable(url, &error),
        other => OpenError::Unreachable { address: url.to_owned(), kind: io::ErrorKind::Other, why: other.to_string() },
    }
}

pub(crate) fn too_slow(address: &str, waited: Duration) -> OpenError {
    OpenError::Timeout { address: address.to_owned(), ms: waited.as_millis() }
}
