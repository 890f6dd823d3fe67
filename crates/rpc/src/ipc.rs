use std::path::Path;

use futures_util::{SinkExt, StreamExt};
use interprocess::local_socket::{
    GenericFilePath, ToFsName as _,
    tokio::{Stream, prelude::*},
};
use tokio::time::timeout;
use tokio_util::codec::Framed;

use crate::{Frame, JsonSplitter, Keepalive, OpenError, Opened, RpcLimits, SplitError, drive, ws::too_slow};

/// Opens the local socket (or the named pipe) of an execution client.
///
/// # Errors
/// [`OpenError::Unreachable`], [`OpenError::Timeout`].
pub async fn open_ipc(path: &Path, limits: &RpcLimits) -> Result<Opened, OpenError> {
    let place = path.display().to_string();
    let unreachable = |error: std::io::Error| OpenError::Unreachable { place: place.clone(), why: error.to_string() };
    let name = path.to_fs_name::<GenericFilePath>().map_err(unreachable)?;
    let stream = match timeout(limits.open, Stream::connect(name)).await {
        Ok(connected) => connected.map_err(unreachable)?,
        Err(_elapsed) => return Err(too_slow(&place, limits.open)),
    };
    let socket = Framed::new(stream, JsonSplitter::new(limits.frame_bytes)).map(|text| text.map(Frame::Text));
    // There are no pings and no close frames on a local socket.
    let socket = socket.with_flat_map(|frame: Frame| {
        let text = match frame {
            Frame::Text(text) => Some(Ok::<_, SplitError>(text)),
            Frame::Ping(_) | Frame::Pong(_) | Frame::Close(_) => None,
        };
        futures_util::stream::iter(text)
    });
    Ok(drive(socket, limits, Keepalive::None))
}
