use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        handshake::server::{Callback, ErrorResponse, Request, Response},
        http::StatusCode,
    },
};

use super::ws_frames::{WsError, WsFrames, config};
use crate::RpcLimits;

/// Why a server refuses a request for a WebSocket, in one line. It is answered with status 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WsRefusal(pub &'static str);

/// Accepts a WebSocket on a new stream. `check` decides by the path of the request.
///
/// # Errors
/// The request is refused, is not one for a WebSocket, or does not arrive within [`RpcLimits::open`].
pub async fn accept_ws<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    limits: &RpcLimits,
    check: impl FnOnce(String) -> Result<(), WsRefusal> + Unpin,
) -> Result<WsFrames<S>, WsError> {
    let accepting = accept_hdr_async_with_config(stream, PathCheck(check), Some(config(limits.frame_bytes)));
    let socket = timeout(limits.open, accepting).await.map_err(|_elapsed| WsError::Late)??;
    Ok(WsFrames::new(socket, limits.frame_bytes))
}

struct PathCheck<F>(F);

impl<F: FnOnce(String) -> Result<(), WsRefusal>> Callback for PathCheck<F> {
    #[allow(clippy::result_large_err, reason = "the trait names these types")]
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        let Self(check) = self;
        check(request.uri().path().to_owned()).map(|()| response).map_err(|WsRefusal(why)| {
            let mut refused = ErrorResponse::new(Some(format!("{why}\n")));
            *refused.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            refused
        })
    }
}
