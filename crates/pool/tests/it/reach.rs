//! How a pool sees somebody who has not joined.

use std::time::Duration;

use crate::common::{Keys, config, http_url, ws_url};
use serde_json::{Value, json, value::to_raw_value};
use tokio::net::{TcpSocket, TcpStream};
use vipnode_pool::{Membership, PoolConfig, PoolServer};
use vipnode_rpc::{CallError, RpcLimits, http, open_ws};
use vipnode_types::JoinSecret;

const SOON: Duration = Duration::from_secs(20);

async fn ask(pool: &PoolServer, request: &Value) -> Result<Value, CallError> {
    let socket = open_ws(&ws_url(pool), &RpcLimits::default()).await.unwrap();
    let answer = socket.peer.call("vipnode_reach", &(request,), SOON).await?;
    Ok(serde_json::from_str(answer.get()).unwrap())
}

fn about(port: Option<u16>) -> Value {
    json!({"port": port, "node": Keys::new(1).id(), "chain_id": 1337})
}

async fn spawn(change: impl FnOnce(&mut PoolConfig)) -> PoolServer {
    let mut config = config();
    change(&mut config);
    PoolServer::spawn(config).await.unwrap()
}

#[tokio::test]
async fn a_port_of_the_asker_is_tried_and_nothing_is_kept() {
    let pool = spawn(|_| {}).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = ask(&pool, &about(Some(port))).await.unwrap();
    assert_eq!((&answer["port"], &answer["address"]), (&json!("open"), &json!("127.0.0.1")));
    assert_eq!(answer["admission"], "allowed");
    assert!(crate::common::wall().get().abs_diff(answer["time_ms"].as_u64().unwrap()) < 20_000);
    drop(listener);
    assert_eq!(ask(&pool, &about(Some(port))).await.unwrap()["port"], "refused");
    assert!(ask(&pool, &about(None)).await.unwrap().get("port").is_none());
    assert!(ask(&pool, &about(Some(0))).await.is_err());
    let http = http(&http_url(&pool), &RpcLimits::default()).unwrap();
    let status = http.call_raw("pool_status", to_raw_value(&[(); 0]).unwrap(), SOON).await.unwrap();
    let status: Value = serde_json::from_str(status.get()).unwrap();
    assert_eq!((&status["stats"]["num_total_hosts"], &status["stats"]["num_total_clients"]), (&json!(0), &json!(0)));
    let answer = http.call_raw("vipnode_reach", to_raw_value(&(about(None),)).unwrap(), SOON).await.unwrap();
    assert!(answer.get().contains("allowed"), "{}", answer.get());
}

/// A listener whose queue is full drops what comes: nobody refuses.
#[tokio::test]
async fn a_silent_port_is_given_up_in_time() {
    let pool = spawn(|config| config.limits.reach_wait = Duration::from_millis(300)).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let place = listener.local_addr().unwrap();
    let full: Vec<_> = (0..8).map(|_| tokio::spawn(TcpStream::connect(place))).collect();
    let _first = full.into_iter().next().unwrap().await.unwrap().unwrap();
    let answer = tokio::time::timeout(SOON, async {
        loop {
            let answer = ask(&pool, &about(Some(place.port()))).await.unwrap();
            if answer["port"] == "timeout" {
                return answer;
            }
        }
    });
    assert_eq!(answer.await.unwrap()["address"], "127.0.0.1");
}

#[tokio::test]
async fn an_address_block_has_few_tries() {
    let pool = spawn(|config| {
        config.limits.reach_every = Duration::from_secs(3_600);
        config.limits.reach_burst = 2;
    })
    .await;
    let port = pool.local_addr().port();
    for _ in 0..2 {
        assert_eq!(ask(&pool, &about(Some(port))).await.unwrap()["port"], "open");
    }
    let Err(CallError::Remote(error)) = ask(&pool, &about(Some(port))).await else { panic!("it was tried") };
    assert!(error.data.unwrap().retry_ms.unwrap() > 3_500_000);
    assert!(ask(&pool, &about(None)).await.is_ok(), "without a port nothing is spent");
}

#[tokio::test]
async fn a_pool_may_try_none_at_all() {
    let pool = spawn(|config| config.limits.reaches = 0).await;
    assert!(ask(&pool, &about(Some(pool.local_addr().port()))).await.is_err());
}

#[tokio::test]
async fn a_closed_pool_says_so_and_not_who_its_members_are() {
    let keys = Keys::new(1);
    let pool = spawn(|config| config.members = Membership::Members([keys.id()].into())).await;
    assert_eq!(ask(&pool, &about(None)).await.unwrap()["admission"], "members_only");

    let secret = JoinSecret::new("sesame").unwrap();
    let pool = spawn(|config| config.members = Membership::Secret(secret.clone())).await;
    let refused = ask(&pool, &about(None)).await.unwrap();
    assert_eq!(refused["admission"]["refused"]["code"], -32_002, "{refused}");
    let socket = open_ws(&ws_url(&pool), &RpcLimits::default()).await.unwrap();
    let mut request = about(None);
    request["join"] = json!(secret.prove(&keys.id(), socket.challenge.as_ref().unwrap()));
    let answer = socket.peer.call("vipnode_reach", &(request,), SOON).await.unwrap();
    assert!(answer.get().contains("allowed"), "{}", answer.get());
}
