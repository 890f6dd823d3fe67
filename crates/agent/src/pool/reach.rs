use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use vipnode_rpc::{CallError, RpcClient};
use vipnode_types::{
    JoinSecret, Ms, PoolId, sanitize,
    signed::Envelope,
    wire::{Admission, ConnectRequest, HostSupply, ReachReply, ReachRequest, WireError, method},
};

use crate::{AgentError, Connector, KnownPool, PoolConnection, clock, state::AgentIdentity};

/// The answer of a pool to an agent that has not joined.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Its answer; the error of a pool that is older than the call.
    pub reply: Result<ReachReply, WireError>,
    /// The ID that the pool proved; `None` for a pool without one, and over HTTP.
    pub pool_id: Option<PoolId>,
    /// When it arrived, by this machine's clock.
    pub heard: Ms,
}

/// A call to a pool that tries a port takes this long at most.
const DEADLINE: Duration = Duration::from_secs(8);
/// Characters of a text from a pool that are shown.
const TEXT_CHARS: usize = 1_024;

/// A connect that a pool is asked to check, and the identity that signs it.
#[derive(Debug)]
pub struct ConnectCheck {
    /// What the agent would send. The proof of the join secret is added.
    pub hello: Box<ConnectRequest>,
    /// Who signs it.
    pub identity: AgentIdentity,
    /// The pool's URL, for which it is signed.
    pub audience: String,
}

/// Asks a pool how it sees this agent, without joining it: no slot is taken, and nothing is signed but a `check` of a connect.
///
/// # Errors
/// Where the pool cannot be reached, does not speak protocol 3, or is not the one that the agent remembers. Such a pool gets no
/// proof of the join secret.
pub async fn reach(
    connector: &dyn Connector,
    mut request: ReachRequest,
    join: Option<&JoinSecret>,
    check: Option<ConnectCheck>,
    mut known: KnownPool,
) -> Result<Reached, AgentError> {
    let opened = connector.open().await?;
    let client = opened.client();
    let (nonce, pool_id) = match &opened {
        // Only what is signed has a nonce there.
        PoolConnection::Http(_) if check.is_none() => (String::new(), None),
        PoolConnection::Http(_) => (clock::wall().get().to_string(), None),
        PoolConnection::Socket(socket) => {
            let challenge = socket.challenge.clone().ok_or(AgentError::NoChallenge)?;
            let (pool_id, _not_pinned_here) = known.meet(&socket.pool_headers, Some(&challenge))?;
            (challenge, pool_id)
        }
    };
    request.join = join.map(|secret| secret.prove(&request.node, &nonce));
    let params = params(request, &nonce, check).map_err(AgentError::internal)?;
    let answer = client.call_raw(method::REACH, params, DEADLINE).await;
    let heard = clock::wall();
    let reply = match answer {
        Ok(json) => sanitized(serde_json::from_str(json.get()).map_err(|error| AgentError::reply(&error))?),
        Err(CallError::Remote(error)) => return Ok(Reached { reply: Err(error), pool_id, heard }),
        Err(error) => return Err(AgentError::call(error)),
    };
    if let RpcClient::Socket(peer) = &client {
        peer.close("asked, and done");
    }
    Ok(Reached { reply: Ok(reply), pool_id, heard })
}

/// `[object]`, or `[object, envelope]` with a check.
fn params(
    mut request: ReachRequest,
    nonce: &str,
    check: Option<ConnectCheck>,
) -> Result<Box<RawValue>, serde_json::Error> {
    let Some(ConnectCheck { mut hello, identity, audience }) = check else { return to_raw_value(&(request,)) };
    hello.join.clone_from(&request.join);
    request.connect = Some(hello);
    let object = to_raw_value(&request)?;
    let AgentIdentity { key, delegation } = identity;
    let envelope = Envelope::sign(&key, delegation, method::REACH, &audience, nonce, object.get());
    to_raw_value(&(object, envelope))
}

/// Each text of a pool is shown in one line.
fn sanitized(reply: ReachReply) -> ReachReply {
    let admission = match reply.admission {
        Admission::Refused(error) => Admission::Refused(error.sanitized(TEXT_CHARS)),
        admission => admission,
    };
    let supply = reply.supply.map(|supply| {
        let reason = supply.reason.map(|why| sanitize(&why, TEXT_CHARS));
        let unpaid = supply.unpaid.map(|error| error.sanitized(TEXT_CHARS));
        HostSupply { reason, unpaid, ..supply }
    });
    let port_error = reply.port_error.map(|error| error.sanitized(TEXT_CHARS));
    ReachReply { admission, supply, port_error, ..reply }
}

#[cfg(test)]
mod tests {
    use vipnode_types::wire::ErrorCode;

    use super::*;

    #[test]
    fn a_pool_cannot_write_lines_of_its_own() {
        let text = format!("no\u{1b}[31m\n✓ No problems found{}", "x".repeat(5_000));
        let refused = WireError::new(ErrorCode::NotMember, text.clone(), text.clone());
        let reply = ReachReply {
            address: [127, 0, 0, 1].into(),
            port: None,
            port_error: Some(refused.clone()),
            admission: Admission::Refused(refused.clone()),
            supply: Some(HostSupply { reason: Some(text), unpaid: Some(refused), ..HostSupply::default() }),
            time_ms: Ms::new(0),
        };
        let ReachReply { admission: Admission::Refused(error), supply, port_error, .. } = sanitized(reply) else {
            panic!()
        };
        let (supply, port_error) = (supply.unwrap(), port_error.unwrap());
        let (reason, unpaid) = (supply.reason.unwrap(), supply.unpaid.unwrap());
        let of_unpaid = [unpaid.message.as_str(), unpaid.hint().unwrap()];
        for text in
            [error.message.as_str(), error.hint().unwrap(), &reason, &port_error.message].into_iter().chain(of_unpaid)
        {
            assert!(!text.contains(['\n', '\u{1b}']) && text.chars().count() <= TEXT_CHARS, "{text}");
        }
    }
}
