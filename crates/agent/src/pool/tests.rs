//! What a pool may call, over both protocols.

use serde_json::value::RawValue;
use vipnode_agent_core::FromPool;
use vipnode_types::{
    AgentMethod,
    wire::{ErrorCode, NoticeCall, WireError, method},
};

use super::{protocol2, protocol3};

fn read_text(name: &str, params: &str) -> Result<FromPool, WireError> {
    protocol3::read_call(name, &RawValue::from_string(params.to_owned()).unwrap())
}

#[test]
fn d18_what_a_pool_calls_its_agents_serve() {
    let id = "0a".repeat(64);
    let price = r#"{"asset":{"symbol":"ETH","decimals":18},"amount":"100","period_ms":60000}"#;
    let admit = format!(r#"[{{"lease":7,"client":"{id}","price":{price},"new_field":1}}]"#);
    assert!(matches!(read_text(method::ADMIT, &admit), Ok(FromPool::Admit(call)) if call.lease.get() == 7));
    let evict = format!(r#"[{{"lease":7,"peer":"{id}","reason":"left"}}]"#);
    assert!(matches!(read_text(method::EVICT, &evict), Ok(FromPool::Evict(_))));
    let dial = format!(r#"[{{"lease":7,"side":"client","peer":"enode://{id}@127.0.0.1:1","price":{price}}}]"#);
    assert!(matches!(read_text(method::DIAL, &dial), Ok(FromPool::Dial(_))));
    let notice = r#"[{"kind":"of_a_later_version"}]"#;
    assert_eq!(read_text(method::NOTICE, notice), Ok(FromPool::Notice(NoticeCall::Unknown)));
}

#[test]
fn each_method_that_is_documented_is_served_by_one_of_the_two() {
    for method in vipnode_openrpc::document("0", &[]).methods {
        let Some(documented) = AgentMethod::named(method.name) else { continue };
        let call = format!("[{}]", method.examples[0].params[0].value.get());
        let params = RawValue::from_string(call).unwrap();
        let original = documented == AgentMethod::Whitelist;
        assert_eq!(protocol3::read_call(method.name, &params).is_ok(), !original, "{}", method.name);
        assert_eq!(protocol2::read_call(method.name, &params).is_ok(), original, "{}", method.name);
    }
}

/// `pool/service.go`, requestHosts.
#[test]
fn reads_what_a_pool_of_the_original_says() {
    let id = "0a".repeat(64);
    let read = |name, params: String| protocol2::read_call(name, &RawValue::from_string(params).unwrap());
    let call = read("vipnode_whitelist", format!("[\"{id}\"]"));
    assert_eq!(call, Ok(FromPool::Whitelist(id.parse().unwrap())));
    for bad in ["[]".to_owned(), format!("[\"0x{id}\"]"), format!("[\"{}\"]", id.to_uppercase())] {
        assert!(read("vipnode_whitelist", bad).unwrap_err().is(ErrorCode::InvalidParams));
    }
    assert!(read(method::ADMIT, "[{}]".to_owned()).unwrap_err().is(ErrorCode::MethodNotFound));
    let whitelist = format!("[\"{id}\"]");
    assert!(read_text("vipnode_whitelist", &whitelist).unwrap_err().is(ErrorCode::MethodNotFound));
}

#[test]
fn answers_the_rest_with_the_code_for_it() {
    assert!(read_text("admin_addPeer", "[]").unwrap_err().is(ErrorCode::MethodNotFound));
    for params in ["[]", "{}", "[{}]", "[{},{}]", "null", r#"[{"lease":-1}]"#] {
        assert!(read_text(method::ADMIT, params).unwrap_err().is(ErrorCode::InvalidParams), "{params}");
    }
}
