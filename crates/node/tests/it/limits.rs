//! What the operator of a node can set.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use vipnode_node::{
    AnswerError, Endpoint, NodeAccess, NodeError,
    limits::NodeLimits,
    sim::{SimNet, SimServer, SimSpec},
};
use vipnode_types::PeerCommand;

fn access(limits: NodeLimits) -> NodeAccess {
    NodeAccess { limits, ..NodeAccess::default() }
}

#[tokio::test]
async fn a_node_that_does_not_answer_within_node_call_is_offline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint: Endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let limits = NodeLimits { node_call: Duration::from_millis(50), ..NodeLimits::default() };
    let began = Instant::now();
    let error = endpoint.open(&access(limits)).await.err().unwrap();
    assert!(error.is_offline() && began.elapsed() < NodeLimits::default().node_call, "{error}");
}

#[tokio::test]
async fn an_answer_is_limited_in_bytes_and_peers_and_calls_in_number() {
    let net = SimNet::new();
    let node = net.add(SimSpec::new("a", 1));
    for number in 2..4 {
        let other = net.add(SimSpec::new(&format!("peer {number}"), number)).facts().await.unwrap();
        node.call(PeerCommand::Dial(other.enode)).await.unwrap();
    }
    while node.peers().await.unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let server = SimServer::start(net).await.unwrap();
    let open = async |limits| server.endpoint("a").open(&access(limits)).await;
    let usual = NodeLimits::default();
    let error = open(NodeLimits { node_peers: 1, ..usual.clone() }).await.unwrap().peers().await.unwrap_err();
    let is_too_long = |why: &AnswerError| matches!(why, AnswerError::TooManyPeers { peers: 2, most: 1 });
    assert!(matches!(&error, NodeError::Answer { why, .. } if is_too_long(why)), "{error}");
    open(NodeLimits { node_bytes: 64, ..usual.clone() }).await.err().expect("each answer is longer");
    open(NodeLimits { node_calls: 1, ..usual.clone() }).await.err().expect("the probe makes several calls at once");
    assert_eq!(open(usual).await.unwrap().peers().await.unwrap().len(), 2);
}
