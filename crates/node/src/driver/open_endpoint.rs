use std::sync::Arc;

use super::{answers, capabilities::empty, drive};
use crate::{Endpoint, Node, NodeAccess, NodeError};

impl Endpoint {
    /// Probes what answers here and returns the driver that fits. The node may go offline and come back later; the
    /// driver connects again by itself.
    ///
    /// # Errors
    /// If nothing answers, or no driver fits what answers.
    pub async fn open(&self, access: &NodeAccess) -> Result<Arc<dyn Node>, NodeError> {
        drive(self.transport(access)?).await
    }

    /// Returns the version of the client that answers here, whether or not a driver fits.
    pub async fn client_version(&self, access: &NodeAccess) -> Option<String> {
        let rpc = self.transport(access).ok()?;
        let json = rpc.call("web3_clientVersion", empty(), access.limits.node_call).await.ok()?;
        Some(answers::text(Some(&json))).filter(|name| !name.is_empty())
    }
}
