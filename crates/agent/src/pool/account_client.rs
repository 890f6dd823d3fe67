use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::to_raw_value;
use vipnode_rpc::RpcClient;
use vipnode_types::{PoolId, signed::Envelope};

use super::{known_pool::Presented, pool_status};
use crate::{AgentError, Connector, KnownPool, PoolConnection, clock, state::AgentIdentity};

/// A connection to a pool for calls about an account. No agent joins, so the agent of the same node can run meanwhile.
#[derive(Debug)]
pub struct AccountClient {
    client: RpcClient,
    /// The pool's URL, for which calls are signed.
    audience: String,
    pool_id: PoolId,
    /// The challenge of the socket; `None` over HTTP, where the nonce is the time.
    challenge: Option<String>,
}

/// Such a call takes this long at most.
const DEADLINE: Duration = Duration::from_secs(10);

impl AccountClient {
    /// Connects to a pool and learns its ID, which accounts sign for. Over HTTP, only TLS protects the ID.
    ///
    /// # Errors
    /// Where the pool cannot be reached, does not speak protocol 3, has no ID, or is not the one that the agent remembers.
    pub async fn open(connector: &dyn Connector, mut known: KnownPool) -> Result<Self, AgentError> {
        let opened = connector.open().await?;
        let (shown, challenge) = match &opened {
            PoolConnection::Socket(socket) => {
                let challenge = socket.challenge.clone().ok_or(AgentError::NoChallenge)?;
                (known.meet(&socket.pool_headers, Some(&challenge))?.0, Some(challenge))
            }
            PoolConnection::Http(_) => {
                let claimed = pool_status(connector).await?.pool_id;
                known.check_reply(Presented::Unproven, claimed)?;
                (claimed, None)
            }
        };
        let audience = known.url().to_owned();
        let pool_id = shown.ok_or_else(|| AgentError::NoPoolId { url: audience.clone() })?;
        Ok(Self { client: opened.client(), audience, pool_id, challenge })
    }

    /// Returns the pool's ID.
    #[must_use]
    pub const fn pool_id(&self) -> PoolId {
        self.pool_id
    }

    /// Makes one call, which `agent` signs if the method requires that.
    ///
    /// # Errors
    /// [`AgentError::Stopped`] if the pool refuses it, [`AgentError::Unanswered`] if it does not answer, [`AgentError::InvalidReply`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        request: &(impl Serialize + Sync),
        agent: Option<&AgentIdentity>,
    ) -> Result<T, AgentError> {
        let object = to_raw_value(request).map_err(AgentError::internal)?;
        let params = match agent {
            None => to_raw_value(&(object,)),
            Some(AgentIdentity { key, delegation }) => {
                let nonce = self.challenge.clone().unwrap_or_else(|| clock::wall().get().to_string());
                let envelope = Envelope::sign(key, delegation.clone(), method, &self.audience, &nonce, object.get());
                to_raw_value(&(object, envelope))
            }
        };
        let params = params.map_err(AgentError::internal)?;
        let json = self.client.call_raw(method, params, DEADLINE).await.map_err(AgentError::call)?;
        serde_json::from_str(json.get()).map_err(|error| AgentError::reply(&error))
    }
}

impl Drop for AccountClient {
    fn drop(&mut self) {
        if let RpcClient::Socket(peer) = &self.client {
            peer.close("asked, and done");
        }
    }
}
