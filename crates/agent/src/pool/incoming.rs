use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use vipnode_agent_core::FromPool;
use vipnode_types::{
    NodeId, protocol2,
    wire::{ErrorCode, WireError, method},
};

/// Reads a call of the pool.
pub(super) fn read(name: &str, params: &RawValue) -> Result<FromPool, WireError> {
    match name {
        method::ADMIT => one(params).map(FromPool::Admit),
        method::EVICT => one(params).map(FromPool::Evict),
        method::DIAL => one(params).map(FromPool::Dial),
        _ => Err(no_such(name)),
    }
}

/// Reads a call of a pool of the original.
pub(super) fn read_original(name: &str, params: &RawValue) -> Result<FromPool, WireError> {
    match name {
        protocol2::method::WHITELIST => one::<NodeId>(params).map(FromPool::Whitelist),
        _ => Err(no_such(name)),
    }
}

fn no_such(name: &str) -> WireError {
    let name: String = name.chars().take(64).collect();
    WireError::new(ErrorCode::MethodNotFound, format!("an agent has no method {name:?}"), "")
}

/// The only element of the params.
fn one<T: DeserializeOwned>(params: &RawValue) -> Result<T, WireError> {
    let (object,) = serde_json::from_str::<(T,)>(params.get()).map_err(|error| {
        WireError::new(ErrorCode::InvalidParams, format!("params are a list of one element: {error}"), "")
    })?;
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(name: &str, params: &str) -> Result<FromPool, WireError> {
        read(name, &RawValue::from_string(params.to_owned()).unwrap())
    }

    #[test]
    fn d18_what_a_pool_calls_its_agents_serve() {
        let id = "0a".repeat(64);
        let admit = format!(r#"[{{"lease":7,"client":"{id}","price":"100","new_field":1}}]"#);
        assert!(matches!(read_text(method::ADMIT, &admit), Ok(FromPool::Admit(call)) if call.lease.get() == 7));
        let evict = format!(r#"[{{"lease":7,"peer":"{id}","reason":"left"}}]"#);
        assert!(matches!(read_text(method::EVICT, &evict), Ok(FromPool::Evict(_))));
        let dial = format!(r#"[{{"lease":7,"side":"client","peer":"enode://{id}@127.0.0.1:1","price":"0"}}]"#);
        assert!(matches!(read_text(method::DIAL, &dial), Ok(FromPool::Dial(_))));
    }

    /// `pool/service.go`, requestHosts.
    #[test]
    fn reads_what_a_pool_of_the_original_says() {
        let id = "0a".repeat(64);
        let read = |name, params: String| read_original(name, &RawValue::from_string(params).unwrap());
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
}
