//! What is documented is served, and nothing else is.

use crate::common::{LONG, http_url, pool, ws_url};
use serde_json::value::{RawValue, to_raw_value};
use vipnode_openrpc::{Example, Method, document};
use vipnode_rpc::{CallError, RpcLimits, http, open_ws};
use vipnode_types::{AgentMethod, PoolMethod, wire::ErrorCode};

/// Its calls in the document, or one without params where it shows none.
fn calls(method: &Method) -> Vec<Box<RawValue>> {
    let original = method.protocol2.iter().flat_map(|method| &method.examples);
    let params = |example: &Example| {
        let params: Vec<&str> = example.params.iter().map(|param| param.value.get()).collect();
        RawValue::from_string(format!("[{}]", params.join(","))).unwrap()
    };
    let mut calls: Vec<Box<RawValue>> = method.examples.iter().chain(original).map(params).collect();
    if calls.is_empty() {
        calls.push(RawValue::from_string("[]".to_owned()).unwrap());
    }
    calls
}

fn is_unknown(answer: &Result<Box<RawValue>, CallError>) -> bool {
    matches!(answer, Err(CallError::Remote(error)) if error.is(ErrorCode::MethodNotFound))
}

#[tokio::test]
async fn a_pool_serves_each_method_that_is_documented_for_it_and_no_other() {
    let pool = pool().await;
    let limits = RpcLimits::default();
    let http = http(&http_url(&pool), &limits).unwrap();
    let methods = document("0", &[]).methods;
    assert!(methods.len() > PoolMethod::ALL.len());
    for method in &methods {
        for params in calls(method) {
            let socket = open_ws(&ws_url(&pool), &limits).await.unwrap();
            let by_socket = socket.peer.call(method.name, &params, LONG).await;
            let by_http = http.call_raw(method.name, to_raw_value(&params).unwrap(), LONG).await;
            for answer in [by_socket, by_http] {
                let served = PoolMethod::named(method.name).is_some();
                assert_eq!(is_unknown(&answer), !served, "{}: {answer:?}", method.name);
                // Nothing that the document shows is of a wrong form.
                let wrong = matches!(&answer, Err(CallError::Remote(error)) if error.is(ErrorCode::InvalidParams));
                let shown = !method.examples.is_empty();
                assert!(!(wrong && shown), "{}: {answer:?}", method.name);
            }
        }
    }
    assert!(AgentMethod::ALL.iter().all(|method| methods.iter().any(|there| there.name == method.name())));
}
