use super::*;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// Peers in an answer.
const MOST: usize = 2_000;
const KEY: &str = "6cb2b9f8b4a1f2a63fd6a4df11d3f5ae3c0b6ae9d9d9ff6dc4f2f1c9e0a7b5c36cb2b9f8b4a1f2a63fd6a4df11d3f5ae3c0b6ae9d9d9ff6dc4f2f1c9e0a7b5c3";

#[test]
fn besus_difficulty_beyond_64_bits_is_not_read() {
    let json = format!(
        r#"{{"enode":"enode://{KEY}@127.0.0.1:30303","name":"besu/v26","protocols":{{"eth":{{"difficulty":58750003716598352816469,"network":1}}}}}}"#
    );
    let info = node_info(&raw(&json)).unwrap();
    assert_eq!(info.enode.id.to_string(), KEY);
    assert!(info.full);
}

#[test]
fn a_light_node_is_not_full() {
    let json = format!(r#"{{"enode":"enode://{KEY}@127.0.0.1:30303","protocols":{{"les":{{}}}}}}"#);
    assert!(!node_info(&raw(&json)).unwrap().full);
}

#[test]
fn what_a_node_and_a_peer_serve_is_read_within_bounds() {
    let info = |protocols: &str| {
        let json = format!(r#"{{"enode":"enode://{KEY}@127.0.0.1:30303","protocols":{protocols}}}"#);
        words(&node_info(&raw(&json)).unwrap().protocols)
    };
    // geth 1.17 lists the protocols that it runs, without versions.
    assert_eq!(info(r#"{"snap":{},"eth":{"network":1},"les":"unknown","a b":{}}"#), ["eth", "snap"]);
    assert_eq!(info("7"), [""; 0]);
    let peer = |caps: &str| {
        let json = format!(r#"[{{"enode":"enode://{KEY}@127.0.0.1:55123","caps":{caps}}}]"#);
        words(&peers(&raw(&json), MOST).unwrap().first().unwrap().caps)
    };
    assert_eq!(peer(r#"["eth/68","eth/69",7,"snap/1","no such/one"]"#), ["eth/68", "eth/69", "snap/1"]);
    assert_eq!(peer("null"), [""; 0]);
    let many: Vec<String> = (0..100).map(|version| format!("\"eth/{version}\"")).collect();
    assert_eq!(peer(&format!("[{}]", many.join(","))).len(), Capability::MOST);
}

fn words(caps: &[Capability]) -> Vec<String> {
    caps.iter().map(ToString::to_string).collect()
}

#[test]
fn a_node_that_does_not_listen_still_has_its_key() {
    let json = format!(r#"{{"enode":"enode://{KEY}@127.0.0.1:0?discport=0"}}"#);
    assert_eq!(node_info(&raw(&json)).unwrap().enode, Enode::id_only(KEY.parse().unwrap()));
}

#[test]
fn a_doomed_peer_is_not_ready() {
    let with = |protocols: &str| {
        let json = format!(r#"[{{"enode":"enode://{KEY}@127.0.0.1:55123","protocols":{protocols}}}]"#);
        peers(&raw(&json), MOST).unwrap().first().unwrap().ready
    };
    assert!(!with(r#"{"snap":"handshake"}"#));
    assert!(!with(r#"{"eth":"handshake"}"#));
    assert!(!with(r#"{"eth":"unknown"}"#));
    assert!(!with("7"));
    assert!(with(r#"{"eth":{"version":69}}"#));
    assert!(with(r#"{"les":{"version":4}}"#));
}

#[test]
fn odd_fields_are_unknown_and_odd_entries_left_out() {
    let json = format!(
        r#"[1, {{}}, {{"enode":"enode://{}@[::1]:0","name":[1],"network":{{"inbound":"x","remoteAddress":"[2001:db8::1]:4"}}}}]"#,
        KEY.to_uppercase()
    );
    let list = peers(&raw(&json), MOST).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].id.to_string(), KEY);
    assert_eq!(list[0].direction, Direction::Unknown);
    assert_eq!((list[0].trusted, list[0].is_static), (None, None));
    assert_eq!(list[0].remote, Some("2001:db8::1".parse().unwrap()));
}

#[test]
fn a_list_too_long_is_refused_whole() {
    let json = format!("[{}]", vec!["0"; MOST + 1].join(","));
    assert!(peers(&raw(&json), MOST) == Err(AnswerError::TooManyPeers { peers: MOST + 1, most: MOST }));
    assert!(peers(&raw("null"), MOST).is_err());
}

#[test]
fn a_node_that_has_the_highest_block_is_in_sync_while_it_indexes() {
    let at = |newest, json: &str| syncing(&raw(json), newest);
    assert!(!at(7, "false") && !at(7, "null"));
    let of = |current: &str, highest: &str| format!(r#"{{"currentBlock":{current},"highestBlock":{highest}}}"#);
    assert!(!at(7, &of("\"0x7\"", "\"0x7\"")), "indexing");
    assert!(!at(9, &of("\"0x9\"", "7")), "a chain that reports more than the highest");
    assert!(!at(5, &of("5", "0")) && at(0, &of("5", "0")), "a chain that reports no highest block");
    assert!(!at(7, &of("8", "8")) && at(6, &of("8", "8")), "a block that came between the two answers");
    assert!(at(7, &of("\"0x7\"", "\"0x8\"")));
    assert!(at(0, &of("\"0x7\"", "\"0x7\"")), "the newest block is the genesis block: the state is missing");
    assert!(at(0, &of("\"0x0\"", "\"0x0\"")), "no block is known yet");
    assert!(at(7, "true") && at(7, "{}") && at(7, &of("null", "null")));
}

#[test]
fn blocks_are_read_in_hex_and_decimal() {
    let read = |json: &str| block(&raw(json));
    let at = |number, timestamp_s| Ok(Block { number, timestamp_s, hash: None });
    assert_eq!(read(r#"{"number":"0x10","timestamp":"0x20"}"#), at(16, 32));
    assert_eq!(read(r#"{"number":16,"timestamp":32,"difficulty":99999999999999999999999999}"#), at(16, 32));
    assert_eq!(read("null"), Err(AnswerError::NoBlock));
    assert!(read(r#"{"number":"0x1ffffffffffffffff","timestamp":"0x20"}"#).is_err());
}

#[test]
fn connections_have_both_addresses() {
    let list = format!(
        r#"[{{"enode":"enode://{KEY}@1.2.3.4:30303","network":{{"localAddress":"10.0.0.1:4","remoteAddress":"[::1]:5"}}}},
            {{"enode":"enode://{KEY}@1.2.3.4:30303","network":{{"localAddress":"10.0.0.1","remoteAddress":"1.2.3.4:5"}}}},
            {{"enode":"enode://{KEY}@1.2.3.4:30303","network":{{"remoteAddress":"1.2.3.4:5"}}}},
            {{"enode":"enode://{KEY}@1.2.3.4:30303","network":{{"localAddress":["10.0.0.1:4"],"remoteAddress":7}}}}, null]"#
    );
    let (local, remote) = ("10.0.0.1:4".parse().unwrap(), "[::1]:5".parse().unwrap());
    assert_eq!(connections(&raw(&list), MOST), Ok(vec![PeerConnection { peer: KEY.parse().unwrap(), local, remote }]));
}

proptest::proptest! {
    /// A node is not trusted: any JSON from it is either read or rejected, without a panic.
    #[test]
    fn any_json_is_read_or_refused(value in any_json(3)) {
        let json = raw(&value);
        let _ = node_info(&json);
        let _ = block(&json);
        let _ = number(&json);
        let _ = text(Some(&json));
        let _ = connections(&json, MOST);
        if let Ok(peers) = peers(&json, MOST) {
            proptest::prop_assert!(peers.iter().all(|peer| peer.client_version.chars().count() <= MAX_CLIENT_VERSION));
        }
    }
}

/// JSON made of the keys and values that the parser looks for.
fn any_json(depth: u32) -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::{collection::vec, prelude::*};
    let words =
        ["null", "true", "-1", "1e99", "99999999999999999999999", "\"0x\"", "\"\"", "\"handshake\"", "\"[::1]:4\""];
    let enode = format!("\"enode://{KEY}@1.2.3.4:0\"");
    let leaf = prop_oneof![proptest::sample::select(words.map(str::to_owned).to_vec()), Just(enode)];
    let keys = [
        "enode",
        "name",
        "caps",
        "protocols",
        "network",
        "eth",
        "les",
        "inbound",
        "remoteAddress",
        "localAddress",
        "number",
        "timestamp",
    ];
    leaf.prop_recursive(depth, 64, 8, move |inner| {
        let field = (proptest::sample::select(keys.to_vec()), inner.clone());
        let object = vec(field, 0..8).prop_map(|fields| {
            let fields: Vec<String> = fields.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        });
        let list = vec(inner, 0..8).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![object, list]
    })
}
