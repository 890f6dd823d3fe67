//! JSON-RPC frames of either side of a connection, and the stream of a node's IPC.

use bytes::BytesMut;
use serde_json::value::RawValue;
use tokio_util::codec::Decoder;
use vipnode_rpc::{Connection, ConnectionEvent, JsonSplitter, RpcLimits};

const LIMIT: usize = 4_096;

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: &[u8]) {
    let limits = RpcLimits { in_flight: 4, served: 8, batch: 8, ..RpcLimits::default() };
    let mut wire = Connection::<u32>::new(&limits);
    for waiter in 0..3 {
        assert!(wire.call("vipnode_admit", RawValue::NULL, waiter).is_ok());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        for frame in text.split('\n').take(64) {
            read(&mut wire, frame);
            assert!(wire.served() <= 8, "more is served than allowed");
            assert!(wire.calls_in_flight() <= 3, "a call was made up");
        }
    }
    split(data);
}

/// Every request gets one answer, which is JSON.
fn read(wire: &mut Connection<u32>, frame: &str) {
    for event in wire.read(frame) {
        match event {
            ConnectionEvent::Send(text) => is_json(&text),
            ConnectionEvent::Request { served, method, .. } if method.len() % 2 == 0 => {
                if let Some(text) = wire.answer(served, Ok(RawValue::TRUE)) {
                    is_json(&text);
                }
                assert!(wire.answer(served, Ok(RawValue::TRUE)).is_none(), "answered twice");
            }
            _ => {}
        }
    }
}

fn is_json(text: &str) {
    assert!(serde_json::from_str::<&RawValue>(text).is_ok(), "not JSON: {text}");
}

/// However a stream is cut, the same messages come out of it.
fn split(data: &[u8]) {
    let whole = messages(data, data.len().max(1));
    for piece in [1, 7] {
        assert_eq!(messages(data, piece), whole);
    }
}

fn messages(data: &[u8], piece: usize) -> (Vec<String>, bool) {
    let (mut splitter, mut buffer, mut found) = (JsonSplitter::new(LIMIT), BytesMut::new(), Vec::new());
    for piece in data.chunks(piece) {
        buffer.extend_from_slice(piece);
        loop {
            match splitter.decode(&mut buffer) {
                Ok(Some(text)) => {
                    assert!(text.len() <= LIMIT, "longer than allowed");
                    found.push(text);
                }
                Ok(None) => break,
                Err(_) => return (found, false),
            }
        }
    }
    (found, true)
}
