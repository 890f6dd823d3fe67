//! A node that answers anything to the probe and to every call.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream};
use serde_json::value::RawValue;
use tokio::runtime::Runtime;
use vipnode_node::{Push, Pushes, Transport, TransportError, drive, limits::NodeLimits};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Answers in turn; after the last one it is gone.
struct Anything(Mutex<Vec<String>>);

impl Anything {
    fn next(&self) -> Result<Box<RawValue>, TransportError> {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let line = line.ok_or_else(|| TransportError::Lost {
            kind: std::io::ErrorKind::ConnectionReset,
            why: "gone".to_owned(),
        })?;
        match line.strip_prefix('!') {
            Some(message) => Err(TransportError::Remote { code: -32601, message: message.to_owned() }),
            None => serde_json::from_str(&line).map_err(|error| TransportError::Answer(error.into())),
        }
    }
}

impl Transport for Anything {
    fn call<'a>(
        &'a self,
        _method: &'a str,
        _params: Box<RawValue>,
        _deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<RawValue>, TransportError>> {
        Box::pin(async { self.next() })
    }

    fn subscribe<'a>(
        &'a self,
        _namespace: &'a str,
        _params: Box<RawValue>,
        _deadline: Duration,
    ) -> BoxFuture<'a, Result<Option<Pushes>, TransportError>> {
        let item = self.next();
        Box::pin(async { Ok(Some(stream::iter(item.ok().map(Push::Item)).boxed())) })
    }

    fn at(&self) -> String {
        "a node that answers anything".to_owned()
    }

    fn is_local(&self) -> bool {
        false
    }
}

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines: Vec<String> = text.lines().take(64).map(ToOwned::to_owned).collect();
    lines.reverse();
    RUNTIME.block_on(async {
        let rpc = Arc::new(Anything(Mutex::new(lines)));
        let node = match drive(rpc).await {
            Ok(node) => node,
            Err(error) => return assert!(!error.to_string().chars().any(|c| c.is_control() && c != '\n'), "{error}"),
        };
        if let Ok(peers) = node.peers().await {
            assert!(peers.len() <= NodeLimits::default().node_peers);
        }
        let _any = node.head().await;
        let _any = node.facts().await;
        let _any = node.data_dir().await;
        if let Some(mut events) = node.events().await {
            while events.next().await.is_some() {}
        }
    });
}
