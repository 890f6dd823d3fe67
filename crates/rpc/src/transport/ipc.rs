use std::path::Path;

use futures_util::{SinkExt, StreamExt};
use interprocess::local_socket::tokio::{Stream, prelude::*};
use tokio::time::timeout;
use tokio_util::codec::Framed;

use super::{ipc_path::IpcPath, ws::too_slow};
use crate::{Frame, JsonSplitter, Keepalive, OpenError, OpenSession, RpcLimits, SessionEnd, SplitError, drive};

/// Opens the local socket (or the named pipe) of an execution client.
///
/// # Errors
/// [`OpenError::Unreachable`], [`OpenError::Timeout`].
pub async fn open_ipc(path: &Path, limits: &RpcLimits) -> Result<OpenSession, OpenError> {
    let address = path.display().to_string();
    let unreachable = |error: std::io::Error| OpenError::unreachable(&address, &error);
    let short = IpcPath::of(path).map_err(unreachable)?;
    let name = short.name().map_err(unreachable)?;
    let stream = match timeout(limits.open, Stream::connect(name)).await {
        Ok(connected) => connected.map_err(unreachable)?,
        Err(_elapsed) => return Err(too_slow(&address, limits.open)),
    };
    Ok(drive_ipc(stream, JsonSplitter::new(limits.frame_bytes), limits))
}

impl From<SplitError> for SessionEnd {
    fn from(error: SplitError) -> Self {
        match error {
            SplitError::TooLong(bytes) => Self::TooLong { bytes },
            error @ (SplitError::Stray(_) | SplitError::Utf8 | SplitError::Io(_)) => Self::broken(&error),
        }
    }
}

/// Speaks over a local socket, from either side.
pub(crate) fn drive_ipc(stream: Stream, splitter: JsonSplitter, limits: &RpcLimits) -> OpenSession {
    let socket = Framed::new(stream, splitter).map(|text| text.map(Frame::Text));
    // A local socket has neither pings nor close frames.
    let socket = socket.with_flat_map(|frame: Frame| {
        let text = match frame {
            Frame::Text(text) => Some(Ok::<_, SplitError>(text)),
            Frame::Ping(_) | Frame::Pong(_) | Frame::Close(_) => None,
        };
        futures_util::stream::iter(text)
    });
    drive(socket, limits, Keepalive::None)
}
