//! Params of the methods: read, and where they are signed, verified over their bytes.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::task::yield_now;
use vipnode_pool_core::Identity;
use vipnode_types::{
    signed::{Envelope, EnvelopeError},
    wire::{ConnectRequest, ErrorCode, WireError},
};

use crate::{
    engine::{clock, gateway::Gateway},
    error,
};

/// The object of `[object]` or `[object, envelope]`, as it stood in the frame.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) object: &'a RawValue,
    pub(crate) envelope: Option<Envelope>,
}

impl<'a> Call<'a> {
    pub(crate) fn read(params: &'a RawValue) -> Result<Self, WireError> {
        #[derive(Deserialize)]
        struct Signed<'a>(#[serde(borrow)] &'a RawValue, Envelope);
        #[derive(Deserialize)]
        struct Bare<'a>(#[serde(borrow)] (&'a RawValue,));
        let text = params.get();
        if let Ok(Bare((object,))) = serde_json::from_str(text) {
            return Ok(Self { object, envelope: None });
        }
        let Signed(object, envelope) =
            serde_json::from_str(text).map_err(|error| error::invalid_params(&error.to_string()))?;
        Ok(Self { object, envelope: Some(envelope) })
    }

    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        serde_json::from_str(self.object.get()).map_err(|error| error::invalid_params(&error.to_string()))
    }

    /// Who signed, for this pool; the nonce is the caller's to judge, and only after this (D8).
    ///
    /// Each of the two signatures costs processor time: other tasks run in between.
    pub(crate) async fn verify(&self, gateway: &Gateway, method: &str) -> Result<(Identity, &str), WireError> {
        let Some(envelope) = &self.envelope else {
            return Err(error::unauthorized("this call is not signed", "sign it: params are [object, envelope]"));
        };
        gateway.audience.check(&envelope.audience)?;
        envelope.verify_agent(method, self.object.get()).map_err(refuse)?;
        yield_now().await;
        let Envelope { delegation, nonce, .. } = envelope;
        delegation.verify(clock::wall()).map_err(|error| refuse(error.into()))?;
        Ok((Identity { node: delegation.node, agent: delegation.agent, issued: delegation.issued_ms }, nonce))
    }
}

/// A connect whose signature holds, judged by membership.
pub(crate) fn admitted(
    gateway: &Gateway,
    call: &Call<'_>,
    identity: &Identity,
    nonce: &str,
) -> Result<Box<ConnectRequest>, WireError> {
    let hello: ConnectRequest = call.parse()?;
    let rules = gateway.rules();
    rules.members.admits(&identity.node, hello.join.as_ref(), nonce)?;
    if let Some(network) = rules.network {
        network.admits(hello.chain.chain_id)?;
    }
    Ok(Box::new(hello))
}

fn refuse(error: EnvelopeError) -> WireError {
    let hint = match error {
        EnvelopeError::Signature => "the agent's key file and its delegation must belong together: vipnode link",
        EnvelopeError::Delegation(_) => "delegate anew: vipnode link",
    };
    WireError::new(ErrorCode::Unauthorized, error.to_string(), hint)
}
