/// The id of a connection. A late message from an old socket is never attributed to a newer one (fault D32,
/// docs/faults.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    /// The number of the gateway that holds the socket.
    pub gateway: u16,
    /// The gateway's number for the socket.
    pub connection: u32,
    /// How often the gateway used that number before.
    pub generation: u32,
}

/// The gateway's number for a request that it has yet to answer.
pub type RequestId = u64;

/// The core's number for a call that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);
