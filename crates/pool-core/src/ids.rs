/// The name of a connection. A late message of an old socket is never taken for one of the new socket (D32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    /// Number of the instance that holds the socket.
    pub gateway: u16,
    /// The instance's number of the socket.
    pub connection: u32,
    /// How often that number was used before.
    pub generation: u32,
}

/// The gateway's number of a request that it waits to answer.
pub type RequestId = u64;

/// The core's number of a call whose end it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);
