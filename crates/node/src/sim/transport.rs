use std::time::Duration;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use vipnode_types::NodeId;

use super::{SimEvent, SimNet, net::News};
use crate::{Push, Pushes, Transport, TransportError};

/// Calls to a simulated node of this process.
#[derive(Debug)]
pub(super) struct SimTransport {
    net: SimNet,
    id: NodeId,
}

impl SimTransport {
    pub(super) const fn new(net: SimNet, id: NodeId) -> Self {
        Self { net, id }
    }

    fn answer(&self, method: &str, params: &RawValue) -> Result<Box<RawValue>, TransportError> {
        match self.net.answer(self.id, method, params) {
            None => Err(TransportError::lost("the simulated node is stopped")),
            Some(Err(fault)) => Err(TransportError::Remote { code: fault.code, message: fault.message }),
            Some(Ok(value)) => raw(&value),
        }
    }
}

impl Transport for SimTransport {
    fn call<'a>(
        &'a self,
        method: &'a str,
        params: Box<RawValue>,
        _deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<RawValue>, TransportError>> {
        async move { self.answer(method, &params) }.boxed()
    }

    fn subscribe<'a>(
        &'a self,
        _namespace: &'a str,
        _params: Box<RawValue>,
        _deadline: Duration,
    ) -> BoxFuture<'a, Result<Option<Pushes>, TransportError>> {
        let news = self.net.news();
        let id = self.id;
        async move { Ok(Some(pushes(news, id))) }.boxed()
    }

    fn at(&self) -> String {
        format!("sim://{}", self.id.short())
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// A peer event in the form of geth.
pub(super) fn event_json(event: &SimEvent) -> Value {
    json!({
        "type": if event.added { "add" } else { "drop" },
        "peer": const_hex::encode(event.peer.devp2p_hash()),
    })
}

fn pushes(news: Receiver<News>, id: NodeId) -> Pushes {
    stream::unfold(news, move |mut news| async move {
        loop {
            match news.recv().await {
                Ok(News::Peer(event)) if event.node == id => {
                    return raw(&event_json(&event)).ok().map(|json| (Push::Item(json), news));
                }
                Ok(News::Stopped(stopped)) if stopped == id => return None,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some((Push::Missed, news)),
                Err(RecvError::Closed) => return None,
            }
        }
    })
    .boxed()
}

fn raw(value: &Value) -> Result<Box<RawValue>, TransportError> {
    to_raw_value(value).map_err(|error| TransportError::Answer(error.into()))
}
