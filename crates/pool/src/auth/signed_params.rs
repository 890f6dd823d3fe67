use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::task::yield_now;
use vipnode_pool_core::Identity;
use vipnode_types::{Ms, signed::Envelope, wire::WireError};

use crate::{
    auth::{AccessControl, Arrival},
    call_refusal::CallRefusal,
};

/// Params of protocol 3, `[object]` or `[object, envelope]`. The object is kept as received, because its bytes are signed.
#[derive(Debug)]
pub(crate) struct SignedParams<'a> {
    object: &'a RawValue,
    envelope: Option<Envelope>,
}

impl<'a> SignedParams<'a> {
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
            serde_json::from_str(text).map_err(|error| CallRefusal::invalid_params(&error))?;
        Ok(Self { object, envelope: Some(envelope) })
    }

    /// Reads the object.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        Ok(serde_json::from_str(self.object.get()).map_err(|error| CallRefusal::invalid_params(&error))?)
    }

    /// Returns the identity that signed the call for this pool, and the nonce, which the caller checks after this (fault
    /// D8, docs/faults.md).
    ///
    /// Each of the two signature checks takes CPU time, so other tasks run in between.
    pub(crate) async fn verify(
        &self,
        access: &AccessControl,
        arrival: &Arrival,
        method: &str,
        now: Ms,
    ) -> Result<(Identity, &str), WireError> {
        let Some(envelope) = &self.envelope else {
            return Err(CallRefusal::NotSigned.into());
        };
        access.check_audience(&envelope.audience, arrival)?;
        envelope.verify_agent(method, self.object.get())?;
        yield_now().await;
        let Envelope { delegation, nonce, .. } = envelope;
        delegation.verify(now)?;
        Ok((Identity { node: delegation.node, agent: delegation.agent, issued: delegation.issued_ms }, nonce))
    }
}
