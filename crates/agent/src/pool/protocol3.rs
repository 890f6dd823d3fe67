use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use vipnode_agent_core::{FromPool, PoolAnswer, ToPool};
use vipnode_rpc::{CallError, RpcClient};
use vipnode_types::{
    AgentMethod, Amount, Failure, JoinSecret, PayoutOrder, PoolId,
    payment::{ChannelConfig, Voucher},
    signed::Envelope,
    wire::{
        ByeRequest, DailyStatementRequest, ErrorCode, ExplainReply, ExplainRequest, FundsRequest, NodeFunds,
        SignedDailyStatement, VoucherRequest, WireError, method,
    },
};

use super::call_responder;
use crate::{
    clock,
    limits::REQUEST_DEADLINE,
    request_error::{RETRY_MS, RequestError},
    state::AgentIdentity,
};

/// Sends requests over protocol 3, signed where they have to be, and reads the answers.
#[derive(Debug)]
pub(crate) struct Protocol3 {
    identity: Arc<AgentIdentity>,
    audience: String,
    join: Option<JoinSecret>,
    /// The account that receives what a host earns, signed by the node key.
    payout: Option<PayoutOrder>,
    /// The last nonce over HTTP, in milliseconds since the Unix epoch; each is larger than the one before.
    last_nonce: AtomicU64,
    /// The longest wait for an answer to a request of the agent core.
    deadline: Duration,
}

/// What proves that a call is this agent's.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    /// The socket's challenge, covered by `vipnode_connect`; later calls need none.
    Challenge(String),
    /// A growing number, on each call.
    Number,
}

/// How a request ended for the agent core; `None` where no answer came.
pub(crate) type PoolOutcome = Option<Result<PoolAnswer, WireError>>;

impl Protocol3 {
    pub(crate) fn new(
        identity: Arc<AgentIdentity>,
        audience: String,
        (join, payout): (Option<JoinSecret>, Option<PayoutOrder>),
        deadline: Duration,
    ) -> Self {
        Self { identity, audience, join, payout, last_nonce: AtomicU64::new(0), deadline }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// Why the connection is of no more use.
    pub(super) async fn send(&self, to: &RpcClient, proof: &Proof, request: ToPool) -> Result<PoolOutcome, Failure> {
        let Some(kind) = RequestKind::of(&request) else { return Ok(Some(Err(RequestError::OtherProtocol.into()))) };
        let params = match self.params(proof, kind, request) {
            Ok(params) => params,
            Err(error) => return Ok(Some(Err(not_sent(&error)))),
        };
        answered(to.call_raw(kind.method(), params, self.deadline).await, |answer| kind.read(answer))
    }

    /// Asks why the node has these hosts. The agent core is not involved, for nothing follows from it.
    pub(super) async fn explain(&self, to: &RpcClient, proof: &Proof) -> Result<ExplainReply, WireError> {
        let answer = self.query(to, proof, method::EXPLAIN, &ExplainRequest {}).await;
        answer.map_err(|error| match error.is(ErrorCode::MethodNotFound) {
            true => RequestError::NoExplain.into(),
            false => error,
        })
    }

    /// Asks what the node may spend, and what it earned.
    pub(super) async fn funds(&self, to: &RpcClient, proof: &Proof) -> Result<NodeFunds, WireError> {
        self.query(to, proof, method::FUNDS, &FundsRequest {}).await
    }

    /// Asks for a page of what the pool signs to the node for a day, and checks the signature: the ID is the one that this pool
    /// proved when it was connected.
    pub(super) async fn daily_statement(
        &self,
        to: &RpcClient,
        proof: &Proof,
        pool: PoolId,
        request: DailyStatementRequest,
    ) -> Result<SignedDailyStatement, WireError> {
        let signed: SignedDailyStatement = self.query(to, proof, method::DAILY_STATEMENT, &request).await?;
        signed.answers(pool, &self.identity.delegation.node, request)?;
        Ok(signed)
    }

    async fn query<T: DeserializeOwned>(
        &self,
        to: &RpcClient,
        proof: &Proof,
        method: &'static str,
        request: &(impl Serialize + Sync),
    ) -> Result<T, WireError> {
        let nonce = match proof {
            Proof::Challenge(_) => None,
            Proof::Number => Some(self.next_nonce().to_string()),
        };
        let object = json(request).map_err(|error| not_sent(&error))?;
        let params = self.signed(method, &object, nonce.as_deref()).map_err(|error| not_sent(&error))?;
        match to.call_raw(method, params, REQUEST_DEADLINE).await {
            Ok(answer) => parse(method, &answer),
            Err(CallError::Remote(error)) => Err(error),
            Err(error) => Err(RequestError::NoAnswer { why: error.to_string() }.into()),
        }
    }

    /// `[object]` or `[object, envelope]`.
    fn params(&self, proof: &Proof, kind: RequestKind, request: ToPool) -> Result<Box<RawValue>, serde_json::Error> {
        let nonce = match (proof, &request) {
            (Proof::Challenge(challenge), ToPool::Connect(_)) => Some(challenge.clone()),
            (Proof::Challenge(_), _) => None,
            (Proof::Number, _) => Some(self.next_nonce().to_string()),
        };
        let name = kind.method();
        let object = match request {
            ToPool::Connect(mut connect) => {
                if let (Some(secret), Some(nonce)) = (&self.join, &nonce) {
                    connect.join = Some(secret.prove(&self.identity.delegation.node, nonce));
                }
                if let Some(host) = &mut connect.host {
                    host.payout = self.payout.clone();
                }
                json(&connect)?
            }
            ToPool::Report(report) => json(&report)?,
            ToPool::Ask(ask) => json(&ask)?,
            ToPool::Leave(leave) => json(&leave)?,
            ToPool::Funds => json(&FundsRequest {})?,
            ToPool::Voucher { channel, chain_id, amount } => json(&self.voucher(*channel, chain_id, amount))?,
            ToPool::Bye | ToPool::Protocol2(_) => json(&ByeRequest::default())?,
        };
        self.signed(name, &object, nonce.as_deref())
    }

    /// Signs a voucher. Its record is durable by now.
    fn voucher(&self, channel: ChannelConfig, chain_id: u64, max_claimable: Amount) -> VoucherRequest {
        let voucher = Voucher { channel: channel.id(chain_id), max_claimable };
        let signature = self.identity.key.sign_typed(&voucher.typed_data(chain_id));
        VoucherRequest { channel, max_claimable, signature }
    }

    fn signed(&self, name: &str, object: &str, nonce: Option<&str>) -> Result<Box<RawValue>, serde_json::Error> {
        let text = match nonce {
            None => format!("[{object}]"),
            Some(nonce) => {
                let (key, delegation) = (&self.identity.key, self.identity.delegation.clone());
                let envelope = Envelope::sign(key, delegation, name, &self.audience, nonce, object);
                format!("[{object},{}]", json(&envelope)?)
            }
        };
        RawValue::from_string(text)
    }

    fn next_nonce(&self) -> u64 {
        let wall = clock::wall().get();
        let next = |last: u64| Some(wall.max(last.saturating_add(1)));
        // The closure always returns a number, so both arms hold the one before.
        let (Ok(last) | Err(last)) = self.last_nonce.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        wall.max(last.saturating_add(1))
    }
}

#[derive(Debug, Clone, Copy)]
enum RequestKind {
    Connect,
    Report,
    Ask,
    Funds,
    Voucher,
    Leave,
    Bye,
}

impl RequestKind {
    /// `None` for what belongs to the other protocol.
    const fn of(request: &ToPool) -> Option<Self> {
        Some(match request {
            ToPool::Connect(_) => Self::Connect,
            ToPool::Report(_) => Self::Report,
            ToPool::Ask(_) => Self::Ask,
            ToPool::Funds => Self::Funds,
            ToPool::Voucher { .. } => Self::Voucher,
            ToPool::Leave(_) => Self::Leave,
            ToPool::Bye => Self::Bye,
            ToPool::Protocol2(_) => return None,
        })
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Connect => method::CONNECT,
            Self::Report => method::REPORT,
            Self::Ask => method::ASK,
            Self::Funds => method::FUNDS,
            Self::Voucher => method::VOUCHER,
            Self::Leave => method::LEAVE,
            Self::Bye => method::BYE,
        }
    }

    fn read(self, answer: &RawValue) -> Result<PoolAnswer, WireError> {
        match self {
            Self::Connect => parse(self.method(), answer).map(|reply| PoolAnswer::Connect(Box::new(reply))),
            Self::Report => parse(self.method(), answer).map(PoolAnswer::Report),
            Self::Ask => parse(self.method(), answer).map(PoolAnswer::Ask),
            Self::Funds => parse(self.method(), answer).map(|reply| PoolAnswer::Funds(Box::new(reply))),
            Self::Voucher => parse(self.method(), answer).map(|reply| PoolAnswer::Voucher(Box::new(reply))),
            Self::Leave | Self::Bye => Ok(PoolAnswer::Done),
        }
    }
}

fn parse<T: DeserializeOwned>(method: &'static str, answer: &RawValue) -> Result<T, WireError> {
    serde_json::from_str(answer.get()).map_err(|error| RequestError::Answer { method, why: error.to_string() }.into())
}

/// Reads a call of the pool.
pub(super) fn read_call(name: &str, params: &RawValue) -> Result<FromPool, WireError> {
    match AgentMethod::named(name) {
        Some(AgentMethod::Admit) => call_responder::one(params).map(FromPool::Admit),
        Some(AgentMethod::Evict) => call_responder::one(params).map(FromPool::Evict),
        Some(AgentMethod::Price) => call_responder::one(params).map(FromPool::Price),
        Some(AgentMethod::Dial) => call_responder::one(params).map(FromPool::Dial),
        Some(AgentMethod::Notice) => call_responder::one(params).map(FromPool::Notice),
        Some(AgentMethod::Whitelist) | None => Err(call_responder::no_method(name)),
    }
}

/// How a call ended for the agent core.
///
/// # Errors
/// Why the connection is of no more use.
pub(super) fn answered(
    ended: Result<Box<RawValue>, CallError>,
    read: impl FnOnce(&RawValue) -> Result<PoolAnswer, WireError>,
) -> Result<PoolOutcome, Failure> {
    match ended {
        Ok(answer) => Ok(Some(read(&answer))),
        Err(CallError::Remote(error)) => Ok(Some(Err(error))),
        Err(error @ (CallError::Lost(_) | CallError::Open(_))) => Err(Failure::of(&error)),
        // The agent core handles a pool that does not answer (fault D40, docs/faults.md).
        Err(CallError::Expired) => Ok(None),
        // The params are serialized before the call, so what is wrong is the pool's.
        Err(CallError::Full) => Ok(Some(Err(RequestError::PoolFull { retry_ms: RETRY_MS }.into()))),
        Err(CallError::TooLarge { bytes }) => Ok(Some(Err(RequestError::AnswerTooLarge { bytes }.into()))),
        Err(CallError::Json { why }) => Ok(Some(Err(RequestError::NotJsonRpc { why }.into()))),
    }
}

fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value)
}

pub(super) fn not_sent(error: &serde_json::Error) -> WireError {
    RequestError::NotSent { why: error.to_string() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pool can cause each of these, so its user is not asked to report a bug of the agent.
    #[test]
    fn an_unusable_response_is_the_pools() {
        for (error, message, hint) in [
            (CallError::TooLarge { bytes: 9 }, "the pool's response has more than 9 bytes", "--limit pool_bytes="),
            (
                CallError::Json { why: "no".to_owned() },
                "the pool's response cannot be read: no",
                "a pool answers at this address",
            ),
            (CallError::Full, "waiting for a response from the pool", "Try again in"),
        ] {
            let Ok(Some(Err(refused))) = answered(Err(error), |_| Ok(PoolAnswer::Done)) else { panic!("{message}") };
            let shown = &refused.data.as_ref().unwrap().hint;
            assert!(refused.message.contains(message) && shown.contains(hint), "{refused:?}");
            assert!(!shown.contains("Please report"), "{refused:?}");
        }
    }
}
