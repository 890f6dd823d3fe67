use std::{io, time::Duration};

use serde_json::{Value, json};
use tokio::time::timeout;
use vipnode_types::{LeaseId, LeaseSetHash, wire::method};

use crate::bench::WsClient;

/// How long a pool that runs may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A socket of an agent that answers the pool's calls at any time.
pub(super) struct AgentSocket {
    pub(super) wire: WsClient,
    /// The number of the newest report.
    seq: u32,
    /// The leases that it reported to see.
    seen: Vec<LeaseId>,
}

/// What the pool sent.
pub(super) enum SocketMessage {
    /// A call, which was answered: its method and its lease.
    Call(String, Option<LeaseId>),
    /// An answer: the id of the call, and the result or the error.
    Answer(u64, Result<Value, Value>),
}

impl AgentSocket {
    pub(super) const fn new(wire: WsClient) -> Self {
        Self { wire, seq: 0, seen: Vec::new() }
    }

    /// Waits for the next message, and answers it if it is a call.
    pub(super) async fn next(&mut self) -> io::Result<SocketMessage> {
        let mut message: Value = serde_json::from_str(self.wire.next().await?)?;
        let id = message.get("id").cloned().unwrap_or_default();
        let Some(method) = message.get("method").and_then(Value::as_str).map(ToOwned::to_owned) else {
            let id = id.as_u64().unwrap_or_default();
            let error = message.get_mut("error").map(Value::take);
            let result = message.get_mut("result").map(Value::take).unwrap_or_default();
            return Ok(SocketMessage::Answer(id, error.map_or(Ok(result), Err)));
        };
        let lease = message.pointer("/params/0/lease").and_then(Value::as_u64).map(LeaseId::new);
        self.wire.send(&json!({"jsonrpc": "2.0", "id": id, "result": {}}).to_string()).await?;
        Ok(SocketMessage::Call(method, lease))
    }

    /// Calls, and waits for the answer. Calls of the pool that arrive meanwhile are answered and passed to `called`.
    ///
    /// # Errors
    /// The socket ended, or the pool refused the call.
    pub(super) async fn call(
        &mut self,
        method: &str,
        params: &Value,
        mut called: impl FnMut(String, Option<LeaseId>),
    ) -> io::Result<Value> {
        let id = self.wire.begin(method, &params.to_string()).await?;
        let answered = async {
            loop {
                match self.next().await? {
                    SocketMessage::Answer(of, Ok(result)) if of == id => return Ok(result),
                    SocketMessage::Answer(_, answer) => return Err(io::Error::other(format!("{method}: {answer:?}"))),
                    SocketMessage::Call(method, lease) => called(method, lease),
                }
            }
        };
        timeout(PATIENCE, answered).await.map_err(|_| io::Error::other(format!("{method}: no answer")))?
    }

    /// Composes the next report: what came and what went since the last one, or the full set.
    pub(super) fn report(&mut self, up: &[LeaseId], down: &[LeaseId], full: bool) -> Value {
        self.seq = self.seq.saturating_add(1);
        self.seen.retain(|lease| !down.contains(lease));
        self.seen.extend(up);
        let hash = LeaseSetHash::of(self.seen.iter().copied());
        if full {
            let full: Vec<Value> = self.seen.iter().map(|lease| json!({"lease": lease, "continuous": true})).collect();
            return json!([{"seq": self.seq, "full": full, "hash": hash}]);
        }
        json!([{"seq": self.seq, "up": up, "down": down, "hash": hash}])
    }

    /// Whether it reported to see the peer of a lease.
    pub(super) fn sees(&self, lease: LeaseId) -> bool {
        self.seen.contains(&lease)
    }

    /// Whether it reported to see any peer.
    pub(super) const fn sees_any(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Reports that nothing changed; returns whether the pool asks for a full report.
    pub(super) async fn beat(&mut self, called: impl FnMut(String, Option<LeaseId>)) -> io::Result<bool> {
        self.seq = self.seq.saturating_add(1);
        let answer = self.call(method::REPORT, &json!([{"seq": self.seq}]), called).await?;
        Ok(answer.get("resync").is_some_and(|resync| resync == true))
    }

    /// Reports, and waits for the answer.
    pub(super) async fn send_report(&mut self, up: &[LeaseId], down: &[LeaseId], full: bool) -> io::Result<()> {
        let report = self.report(up, down, full);
        let answer = self.call(method::REPORT, &report, |_, _| ()).await?;
        if answer.get("resync").is_some_and(|resync| resync == true) {
            return Err(io::Error::other(format!("a report that does not fit: {report}")));
        }
        Ok(())
    }
}

/// Whether a socket ended because the pool was killed.
pub(super) fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionRefused
    )
}
