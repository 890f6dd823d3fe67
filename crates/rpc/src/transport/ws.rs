use std::{io, time::Duration};

use futures_util::{SinkExt, StreamExt, future::ready};
use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::either::Either;
use vipnode_types::{RpcUrl, wire::CHALLENGE_HEADER};

use super::address;
use crate::{Frame, Keepalive, OpenError, Opened, RpcLimits, TlsFault, Trust, drive};

/// Opens a WebSocket: to a pool, or to the WebSocket of an execution client.
///
/// # Errors
/// See [`OpenError`].
pub async fn open_ws(url: &str, limits: &RpcLimits) -> Result<Opened, OpenError> {
    let checked = address::checked(url, true, limits.trust.plain())?;
    // Without these two a socket costs 128 KiB for as long as it lives.
    let config = WebSocketConfig::default()
        .read_buffer_size(4_096)
        .write_buffer_size(0)
        .max_message_size(Some(limits.frame_bytes))
        .max_frame_size(Some(limits.frame_bytes));
    let opening = async {
        let stream = connect(url, &checked, &limits.trust).await?;
        client_async_with_config(checked.url().as_str(), stream, Some(config))
            .await
            .map_err(|error| refused(url, error))
    };
    let (socket, response) = match timeout(limits.open, opening).await {
        Ok(opened) => opened?,
        Err(_elapsed) => return Err(too_slow(url, limits.open)),
    };
    let header = response.headers().get(CHALLENGE_HEADER);
    let challenge = header.and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let limit = limits.frame_bytes;
    let socket = socket
        .filter_map(move |message| ready(read(message).transpose()))
        .map(move |frame| frame.map_err(|error| explain(&error, limit)))
        .with(|frame| ready(Ok::<_, Error>(write(frame))));
    let opened = drive(socket, limits, Keepalive::Ping);
    Ok(Opened { challenge, ..opened })
}

/// TCP, and TLS on it for `wss://`.
async fn connect(
    url: &str,
    checked: &RpcUrl,
    trust: &Trust,
) -> Result<Either<TcpStream, Box<TlsStream<TcpStream>>>, OpenError> {
    let address = |why: &str| OpenError::Address { url: url.to_owned(), why: why.to_owned() };
    let unreachable = |error: io::Error| OpenError::unreachable(url, &error);
    let host = checked.host();
    let stream = TcpStream::connect((host, checked.port())).await.map_err(unreachable)?;
    // A late packet costs more than a small one.
    let _best_effort = stream.set_nodelay(true);
    if !checked.is_tls() {
        return Ok(Either::Left(stream));
    }
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| address("no certificate can be for this host name"))?;
    match TlsConnector::from(trust.config()).connect(name, stream).await {
        Ok(stream) => Ok(Either::Right(Box::new(stream))),
        Err(error) => Err(match TlsFault::within(&error, trust) {
            Some(fault) => OpenError::Tls { url: url.to_owned(), fault },
            None => unreachable(error),
        }),
    }
}

fn read(message: Result<Message, Error>) -> Result<Option<Frame>, Error> {
    Ok(match message? {
        Message::Text(text) => Some(Frame::Text(text.as_str().to_owned())),
        // Some speakers of JSON-RPC send binary frames; what is no UTF-8 is no JSON either.
        Message::Binary(bytes) => Some(Frame::Text(String::from_utf8_lossy(&bytes).into_owned())),
        Message::Ping(_) => Some(Frame::Ping(0)),
        Message::Pong(payload) => Some(Frame::pong(&payload)),
        Message::Close(close) => Some(Frame::Close(close.map_or_else(String::new, |close| close.reason.to_string()))),
        Message::Frame(_) => None,
    })
}

fn write(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::text(text),
        Frame::Ping(number) => Message::Ping(number.to_be_bytes().to_vec().into()),
        Frame::Pong(number) => Message::Pong(number.unwrap_or_default().to_be_bytes().to_vec().into()),
        Frame::Close(reason) => Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: reason.into() })),
    }
}

fn explain(error: &Error, limit: usize) -> String {
    match error {
        Error::Capacity(_) => format!("the other side sent a frame of more than {limit} bytes"),
        other => other.to_string(),
    }
}

fn refused(url: &str, error: Error) -> OpenError {
    match error {
        Error::Http(response) => {
            let body = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let body = body.lines().next().unwrap_or_default().chars().take(300).collect();
            OpenError::Refused { url: url.to_owned(), status: response.status().as_u16(), body }
        }
        Error::Url(error) => OpenError::Address { url: url.to_owned(), why: error.to_string() },
        Error::Io(error) => OpenError::unreachable(url, &error),
        other => OpenError::Unreachable { address: url.to_owned(), kind: io::ErrorKind::Other, why: other.to_string() },
    }
}

pub(crate) fn too_slow(address: &str, waited: Duration) -> OpenError {
    OpenError::Timeout { address: address.to_owned(), ms: waited.as_millis() }
}
