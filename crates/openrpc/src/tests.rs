use std::collections::BTreeSet;

use super::*;
use vipnode_types::{
    Ms,
    protocol2::SignedCall,
    signed::Envelope,
    wire::{
        AccountQuery, ConnectRequest, DailyStatementRequest, LinkRequest, PayoutRequest, ReportRequest,
        SignedDailyStatement, StatementRequest,
    },
};

fn methods() -> Vec<Method> {
    document("0", &[]).methods
}

#[test]
fn each_method_that_is_served_stands_in_it_once() {
    let served = PoolMethod::ALL.iter().map(|method| method.name());
    let served: Vec<&str> = served.chain(AgentMethod::ALL.iter().map(|method| method.name())).collect();
    let named: Vec<&str> = methods().iter().map(|method| method.name).collect();
    assert_eq!(named, served);
    assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len());
}

/// What is always refused has no answer to show.
#[test]
fn each_has_an_example_with_all_that_has_to_be_there() {
    for method in methods() {
        let refused = ["pool_addNode", "pool_withdraw"].contains(&method.name);
        assert_eq!(method.examples.is_empty(), refused, "{}", method.name);
    }
    let connect = methods().into_iter().find(|method| method.name == "vipnode_connect").unwrap();
    assert_eq!(connect.examples[0].params.len(), 2);
    assert_eq!(connect.protocol2.unwrap().examples[0].params.len(), 4);
}

#[test]
fn signatures_hold_over_the_text_as_it_stands_in_the_document() {
    let (mut envelopes, mut calls) = (0, 0);
    for method in methods() {
        let original = method.protocol2.iter().flat_map(|method| &method.examples);
        for example in method.examples.iter().chain(original) {
            match example.params.as_slice() {
                [object, envelope] => {
                    let envelope: Envelope = serde_json::from_str(envelope.value.get()).unwrap();
                    let now = Ms::new(1_795_000_000_000);
                    assert_eq!(envelope.verify(now, method.name, object.value.get()), Ok(()), "{}", method.name);
                    envelopes += 1;
                }
                params @ [_, _, _, _] => {
                    let params: Vec<&str> = params.iter().map(|param| param.value.get()).collect();
                    let raw = serde_json::value::RawValue::from_string(format!("[{}]", params.join(","))).unwrap();
                    SignedCall::read(&raw).unwrap().verify_node(method.name).unwrap();
                    calls += 1;
                }
                params => assert!(params.len() < 2, "{}", method.name),
            }
        }
    }
    assert_eq!((envelopes, calls), (4, 6));
}

#[test]
fn accounts_signed_their_examples() {
    let methods = methods();
    let params = |name: &str| {
        let method = methods.iter().find(|method| method.name == name).unwrap();
        method.examples[0].params[0].value.get().to_owned()
    };
    let (pool, node) = (examples::pool_id().unwrap(), examples::client());
    let link: LinkRequest = serde_json::from_str(&params("vipnode_link")).unwrap();
    assert_eq!(link.signed_by_account(pool, node).verify(&link.signature), Ok(()));
    let payout: PayoutRequest = serde_json::from_str(&params("vipnode_payout")).unwrap();
    assert_eq!(payout.order.verify(&payout.node), Ok(()));
    let query: AccountQuery = serde_json::from_str(&params("vipnode_account")).unwrap();
    assert_eq!(query.signed_by_account(pool).verify(&query.signature), Ok(()));
    let statement: StatementRequest = serde_json::from_str(&params("vipnode_statement")).unwrap();
    assert_eq!(statement.account, Some(query));
}

#[test]
fn the_pool_signed_the_statement_of_its_example() {
    let statement = methods().into_iter().find(|method| method.name == "vipnode_daily_statement").unwrap();
    let example = &statement.examples[0];
    let request: DailyStatementRequest = serde_json::from_str(example.params[0].value.get()).unwrap();
    let signed: SignedDailyStatement = serde_json::from_str(example.result.value.get()).unwrap();
    assert_eq!(signed.answers(examples::pool_id().unwrap(), &examples::host(), request), Ok(()));
    assert_eq!(signed.statement.problem(), None);
}

#[test]
fn examples_are_read_by_the_types_of_the_wire() {
    let methods = methods();
    let first = |name: &str| {
        let method = methods.iter().find(|method| method.name == name).unwrap();
        method.examples[0].params[0].value.get().to_owned()
    };
    assert_eq!(serde_json::from_str::<ConnectRequest>(&first("vipnode_connect")).unwrap().protocol, 3);
    assert!(serde_json::from_str::<ReportRequest>(&first("vipnode_report")).unwrap().full.is_some());
}
