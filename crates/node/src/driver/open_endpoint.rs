use std::sync::Arc;

use vipnode_rpc::Trust;

use super::{answers, capabilities::empty, drive};
use crate::{Endpoint, Node, NodeError, limits::CALL_DEADLINE};

impl Endpoint {
    /// Probes what answers here and returns the driver that fits. The node may go offline and come back later; the
    /// driver connects again by itself.
    ///
    /// `trust` decides which certificates are valid for `https://` and `wss://`, and whether `http://` and `ws://` may
    /// go beyond loopback.
    ///
    /// # Errors
    /// If nothing answers, or no driver fits what answers.
    pub async fn open(&self, trust: &Trust) -> Result<Arc<dyn Node>, NodeError> {
        drive(self.transport(trust)?).await
    }

    /// Returns the version of the client that answers here, whether or not a driver fits.
    pub async fn client_version(&self, trust: &Trust) -> Option<String> {
        let rpc = self.transport(trust).ok()?;
        let json = rpc.call("web3_clientVersion", empty(), CALL_DEADLINE).await.ok()?;
        Some(answers::text(Some(&json))).filter(|name| !name.is_empty())
    }
}
