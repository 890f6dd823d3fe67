use proptest::prelude::*;
use serde_json::{Value, json, value::to_raw_value};

use vipnode_types::wire::ErrorCode;

use super::*;

fn connection() -> Connection<&'static str> {
    Connection::new(&RpcLimits { in_flight: 3, served: 4, batch: 5, ..RpcLimits::default() })
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

/// The frames to send, and how many requests and notifications came.
fn taken<W>(events: Vec<ConnectionEvent<W>>) -> (Vec<Value>, Vec<Served>, usize) {
    let (mut sent, mut served, mut notes) = (Vec::new(), Vec::new(), 0);
    for event in events {
        match event {
            ConnectionEvent::Send(text) => sent.push(serde_json::from_str(&text).unwrap()),
            ConnectionEvent::Request { served: name, .. } => served.push(name),
            ConnectionEvent::Notification { .. } => notes += 1,
            ConnectionEvent::Answer { .. } => {}
        }
    }
    (sent, served, notes)
}

fn code(frame: &Value) -> i64 {
    frame["error"]["code"].as_i64().unwrap()
}

#[test]
fn a_call_gets_its_answer() {
    let mut wire = connection();
    let (id, text) = wire.call("m", &raw(&json!([1])), "mine").unwrap();
    assert_eq!(text, r#"{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}"#);
    let events = wire.read(&format!(r#"{{"id":{id},"result":null}}"#));
    let [ConnectionEvent::Answer { waiter: "mine", result: Ok(result) }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(result.get(), "null");
    assert_eq!(wire.calls_in_flight(), 0);
}

#[test]
fn what_a_contract_returned_is_kept_up_to_its_limit() {
    let long = format!("0x{}", "ab".repeat(crate::limits::REVERT_BYTES + 1));
    for (data, revert) in [
        ("\"0xdead\"".to_owned(), Some(vec![0xde, 0xad])),
        ("\"0x\"".to_owned(), Some(vec![])),
        (format!("{long:?}"), None),
        ("\"0xd\"".to_owned(), None),
        ("\"dead\"".to_owned(), None),
        (r#"{"hint":"try again"}"#.to_owned(), None),
    ] {
        let mut wire = connection();
        wire.call("m", &raw(&json!([])), "").unwrap();
        let events = wire.read(&format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":3,"data":{data}}}}}"#));
        let [ConnectionEvent::Answer { result: Err(read), .. }] = &events[..] else { panic!("{events:?}") };
        let kept = read.data.as_ref().and_then(|data| data.revert.as_deref().map(<[u8]>::to_vec));
        assert_eq!(kept, revert, "{data}");
        assert!(!serde_json::to_string(read).unwrap().contains("dead"), "it is never sent on");
    }
}

#[test]
fn errors_of_every_form_are_read() {
    for (error, code, message) in [
        (r#"{"code":-32000,"message":"no","data":"0xdead"}"#, -32000, "no"),
        (r#"{"code":99999999999,"message":"big"}"#, -32000, "big"),
        (r#"{}"#, 0, ""),
        (r#""text""#, -32000, "the other side returned an error in an unknown format"),
    ] {
        let mut wire = connection();
        wire.call("m", &raw(&json!([])), "").unwrap();
        let events = wire.read(&format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#));
        let [ConnectionEvent::Answer { result: Err(read), .. }] = &events[..] else { panic!("{events:?}") };
        assert_eq!((read.code, read.message.as_str()), (code, message));
    }
}

#[test]
fn d3_unsolicited_and_doubled_answers_are_dropped_and_counted() {
    let mut wire = connection();
    wire.call("m", &raw(&json!([])), "").unwrap();
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":1}"#;
    assert_eq!(wire.read(answer).len(), 1);
    for unsolicited in [answer, answer, r#"{"id":"1","result":1}"#, r#"{"id":null,"error":{}}"#, r#"{"result":1}"#] {
        assert!(wire.read(unsolicited).is_empty());
    }
    assert_eq!(wire.dropped(), 5);
}

#[test]
fn d4_calls_nobody_waits_for_are_forgotten() {
    let mut wire = connection();
    for name in ["a", "b", "c"] {
        wire.call("m", &raw(&json!([])), name).unwrap();
    }
    assert_eq!(wire.call("m", &raw(&json!([])), "d").unwrap_err(), Full("d"));
    wire.retain_calls(|name| *name == "b");
    assert_eq!(wire.calls_in_flight(), 1);
    wire.call("m", &raw(&json!([])), "d").unwrap();
}

#[test]
fn d45_notifications_get_no_reply_and_batches_get_one() {
    let mut wire = connection();
    let note = r#"{"method":"n"}"#;
    assert!(matches!(taken(wire.read(note)), (sent, _, 1) if sent.is_empty()));
    assert!(matches!(taken(wire.read(&format!("[{note},{note}]"))), (sent, _, 2) if sent.is_empty()));

    let (sent, served, notes) =
        taken(wire.read(&format!(r#"[{{"id":"a","method":"x"}},{note},7,{{"id":2,"method":"y","params":{{}}}}]"#)));
    assert!(sent.is_empty());
    assert_eq!((served.len(), notes), (2, 1));
    assert_eq!(wire.answer(served[1], Ok(&raw(&json!("second")))), None);
    let text = wire.answer(served[0], Err(&WireError::new(ErrorCode::Busy, "later", ""))).unwrap();
    let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(code(&answers[0]), -32600);
    assert_eq!(answers[1], json!({"jsonrpc":"2.0","id":2,"result":"second"}));
    assert_eq!((&answers[2]["id"], code(&answers[2])), (&json!("a"), -32003));
    assert_eq!(wire.answer(served[0], Ok(&raw(&json!(1)))), None, "answered once");
}

#[test]
fn ids_of_every_kind_come_back_as_they_were_written() {
    for id in
        ["1", "1.50", "-0", "1e400", "\"\\u0041\"", "null", "true", "[ 1 ]", "{\"a\" :1}", "123456789012345678901"]
    {
        let mut wire = connection();
        let (_, served, _) = taken(wire.read(&format!(r#"{{"method":"m","id":{id}}}"#)));
        let text = wire.answer(served[0], Ok(&raw(&json!(0)))).unwrap();
        assert_eq!(text, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":0}}"#));
    }
}

#[test]
fn what_is_not_a_request_gets_an_error() {
    let long = format!(r#"{{"id":"{}","method":"m"}}"#, "x".repeat(2_000));
    for (frame, expected) in [
        ("", -32700),
        ("{", -32700),
        ("[1,", -32700),
        ("[]", -32600),
        ("[1,2,3,4,5,6]", -32600),
        ("7", -32600),
        ("{}", -32600),
        (r#"{"id":1,"id":2,"method":"m"}"#, -32600),
        (r#"{"id":1,"method":5}"#, -32600),
        (r#"{"id":1,"method":"m","params":5}"#, -32600),
        (r#"{"id":1,"method":"m","jsonrpc":"1.0"}"#, -32600),
        (&long, -32600),
    ] {
        let (sent, served, _) = taken(connection().read(frame));
        assert_eq!((sent.len(), served.len()), (1, 0), "{frame}");
        assert_eq!(code(&sent[0]), expected, "{frame}");
    }
}

#[test]
fn requests_beyond_the_limit_are_busy() {
    let mut wire = connection();
    for _ in 0..4 {
        assert!(taken(wire.read(r#"{"id":1,"method":"m"}"#)).0.is_empty());
    }
    let (sent, ..) = taken(wire.read(r#"{"id":5,"method":"m"}"#));
    assert_eq!((&sent[0]["id"], code(&sent[0])), (&json!(5), -32003));
    assert_eq!(wire.served(), 4);
}

#[test]
fn params_keep_their_bytes() {
    let mut wire = connection();
    let events = wire.read(r#" {"id":1, "method":"m", "params": [ {"a" : 1.0,"\u0062":2} , "x"] } "#);
    let [ConnectionEvent::Request { params, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(params.get(), r#"[ {"a" : 1.0,"\u0062":2} , "x"]"#);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..6).prop_map(|map| json!(map))
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(method in ".{0,30}", params in prop::collection::vec(json_value(), 0..4), result in json_value()) {
        let (mut left, mut right) = (connection(), connection());
        let sent = raw(&json!(params));
        let (_, text) = left.call(&method, &sent, "w").unwrap();
        let events = right.read(&text);
        let [ConnectionEvent::Request { served, method: read, params: got }] = &events[..] else { panic!("{events:?}") };
        prop_assert_eq!(read, &method);
        prop_assert_eq!(got.get(), sent.get());
        let result = raw(&result);
        let text = right.answer(*served, Ok(&result)).unwrap();
        let events = left.read(&text);
        let [ConnectionEvent::Answer { waiter: "w", result: Ok(got) }] = &events[..] else { panic!("{events:?}") };
        prop_assert_eq!(got.get(), result.get());
    }

    #[test]
    fn no_text_panics_or_is_answered_by_more_than_it_asks(text in ".{0,200}") {
        let mut wire = connection();
        prop_assert!(wire.read(&text).len() <= 5);
    }

    #[test]
    fn no_json_panics_and_answers_are_json(value in json_value(), keys in prop::collection::vec(
        prop::sample::select(vec!["id", "method", "params", "result", "error", "jsonrpc"]), 0..6)) {
        let object: serde_json::Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), value.clone())).collect();
        let mut wire = connection();
        for frame in [json!(object), json!([object, object]), value] {
            let (sent, served, _) = taken(wire.read(&frame.to_string()));
            prop_assert!(sent.len() <= 1);
            for name in served {
                wire.answer(name, Ok(&raw(&json!(1))));
            }
            prop_assert_eq!(wire.served(), 0);
            prop_assert!(wire.batches.is_empty());
        }
    }
}
