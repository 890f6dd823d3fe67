use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    fairness::{Block, Caller, ConnectionGuard},
    net::{probes::Probe, refused_connection::RefusedConnection},
};

/// Who opened a TCP connection. It counts the connection until it is dropped.
#[derive(Debug)]
pub(crate) enum Opener {
    /// A caller that is connected without a proxy.
    Caller { _guard: ConnectionGuard, caller: Arc<Caller> },
    /// A proxy that `--proxy` names: each request names its caller.
    Proxy { _guard: ConnectionGuard },
    /// A probe on this machine, beyond the limit that refuses every other connection.
    Probe { probe: Probe, rejection: RefusedConnection },
}

impl Opener {
    /// Returns the caller, unless requests name it.
    pub(crate) const fn caller(&self) -> Option<&Arc<Caller>> {
        match self {
            Self::Caller { caller, .. } => Some(caller),
            Self::Proxy { .. } | Self::Probe { .. } => None,
        }
    }

    /// Returns a token that is cancelled when the connection has to be closed for another one.
    pub(crate) fn closed(&self) -> CancellationToken {
        match self {
            Self::Probe { probe, .. } => probe.closed().clone(),
            Self::Caller { .. } | Self::Proxy { .. } => CancellationToken::new(),
        }
    }

    /// Returns the address block that the bytes of the connection are counted for.
    pub(crate) fn block(&self) -> Option<Arc<Block>> {
        self.caller().map(|caller| Arc::clone(caller.block()))
    }
}
