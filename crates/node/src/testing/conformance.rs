//! The behavior of a node, the same for a simulated one and a real geth. Each check panics if the node behaves
//! differently. The checks describe what real geths were observed to do; nothing here is weakened for the simulation.

use std::{sync::Arc, time::Duration};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
};
use serde_json::value::to_raw_value;
use tokio::time::{Instant, timeout};
use vipnode_types::{Direction, Enode, NodeId, PeerCommand, PeerFact};

use crate::{Node, PeerEvent, Transport, TransportError, limits::NodeLimits};

/// Starts nodes.
pub trait Lab: Send + Sync {
    /// Starts a node with this limit of peers, on the chain of the lab.
    fn start(&self, max_peers: u32) -> BoxFuture<'_, Member>;

    /// Starts a node on another chain.
    fn start_on_another_chain(&self) -> BoxFuture<'_, Member>;

    /// Stops a node and starts it again: the same key, the same address.
    fn restart<'a>(&'a self, member: &'a Member) -> BoxFuture<'a, ()>;
}

/// A node of a lab.
#[derive(Clone)]
pub struct Member {
    /// The driver under test.
    pub node: Arc<dyn Node>,
    /// For calls that the driver does not make one by one.
    pub rpc: Arc<dyn Transport>,
    /// Where it is dialed.
    pub enode: Enode,
}

/// A connection without an obstacle is made well within this time, on a busy machine too.
const SOON: Duration = Duration::from_secs(15);
/// geth dials again 35.0 s after the last attempt.
const REDIAL: Duration = Duration::from_secs(35);

impl Member {
    /// Reads the facts of a node and adds it to the lab.
    pub async fn new(node: Arc<dyn Node>, rpc: Arc<dyn Transport>) -> Self {
        let enode = node.facts().await.unwrap().enode;
        Self { node, rpc, enode }
    }

    fn id(&self) -> NodeId {
        self.enode.id
    }

    async fn dial(&self, peer: &Self) {
        self.node.call(PeerCommand::Dial(peer.enode.clone())).await.unwrap();
    }

    async fn admit(&self, peer: &Self) {
        self.node.call(PeerCommand::Admit(Enode::id_only(peer.id()))).await.unwrap();
    }

    async fn drop_peer(&self, peer: &Self) {
        self.node.call(PeerCommand::Drop(peer.enode.clone())).await.unwrap();
    }

    async fn evict(&self, peer: &Self) {
        self.node.call(PeerCommand::Evict(peer.enode.clone())).await.unwrap();
    }

    async fn raw(&self, method: &str, text: &str) -> Result<String, TransportError> {
        let answer = self.rpc.call(method, to_raw_value(&[text]).unwrap(), NodeLimits::default().node_call).await;
        answer.map(|json| json.get().to_owned())
    }

    async fn peer(&self, other: &Self) -> Option<PeerFact> {
        self.node.peers().await.unwrap().into_iter().find(|peer| peer.id == other.id())
    }

    /// Whether it lists exactly these peers.
    async fn lists(&self, others: &[&Self]) -> bool {
        let mut is: Vec<NodeId> = self.node.peers().await.unwrap().into_iter().map(|peer| peer.id).collect();
        let mut should: Vec<NodeId> = others.iter().map(|other| other.id()).collect();
        is.sort_unstable();
        should.sort_unstable();
        is == should
    }

    /// Waits until both list each other with a protocol that runs.
    async fn connected(&self, other: &Self, within: Duration) {
        let both = async {
            self.until(other, |peer| peer.is_some_and(|peer| peer.ready)).await;
            other.until(self, |peer| peer.is_some_and(|peer| peer.ready)).await;
        };
        let late = format!("{} and {} are not connected after {within:?}", self.node.at(), other.node.at());
        timeout(within, both).await.expect(&late);
    }

    /// Waits until neither lists the other.
    async fn apart(&self, other: &Self, within: Duration) {
        let both = async {
            self.until(other, |peer| peer.is_none()).await;
            other.until(self, |peer| peer.is_none()).await;
        };
        timeout(within, both).await.expect("the connection breaks");
    }

    /// Reads the peers at each event, and every 20 ms as well, because no event reports that a protocol runs.
    async fn until(&self, other: &Self, holds: impl Fn(Option<&PeerFact>) -> bool) {
        let mut events = self.node.events().await.expect("the lab's nodes have peer events");
        while !holds(self.peer(other).await.as_ref()) {
            let _event_or_time = timeout(Duration::from_millis(20), events.next()).await;
        }
    }
}

/// A node reports its identity, and nodes of one chain report the same chain.
pub async fn facts_and_head(lab: &dyn Lab) {
    let (a, b) = tokio::join!(lab.start(50), lab.start(50));
    let (of_a, of_b) = (a.node.facts().await.unwrap(), b.node.facts().await.unwrap());
    assert_eq!(of_a.chain, of_b.chain);
    assert_ne!(of_a.id, of_b.id);
    assert_eq!(of_a.id, of_a.enode.id);
    assert!(of_a.full && !of_a.client_version.is_empty());
    assert!(a.node.peers().await.unwrap().is_empty());
    a.node.head().await.unwrap();
}

/// A dial shows on both sides with its direction, and as an event of a peer that is known by its key.
pub async fn dialing_connects(lab: &dyn Lab) {
    let (a, b) = tokio::join!(lab.start(50), lab.start(50));
    let mut events = a.node.events().await.unwrap();
    a.dial(&b).await;
    a.connected(&b, SOON).await;
    assert_eq!(timeout(SOON, events.next()).await.unwrap(), Some(PeerEvent::Added(b.id())));
    let (at_a, at_b) = (a.peer(&b).await.unwrap(), b.peer(&a).await.unwrap());
    assert_eq!((at_a.direction, at_b.direction), (Direction::Outbound, Direction::Inbound));
    assert_eq!((at_a.trusted, at_b.trusted), (Some(false), Some(false)));
    a.drop_peer(&b).await;
    assert!(matches!(timeout(SOON, events.next()).await.unwrap(), Some(PeerEvent::Gone(id, _)) if id == b.id()));
    a.apart(&b, SOON).await;
}

/// `true` is the answer even if the peer cannot be dialed. Only a text that is not an enode is rejected.
pub async fn true_means_nothing(lab: &dyn Lab) {
    let (a, b) = tokio::join!(lab.start(50), lab.start(50));
    let stranger = lab.start(50).await;
    for method in ["admin_addPeer", "admin_addTrustedPeer", "admin_removeTrustedPeer", "admin_removePeer"] {
        let nowhere = stranger.enode.to_string().replace(&format!(":{}", stranger.enode.port), ":1");
        assert_eq!(a.raw(method, &nowhere).await.unwrap(), "true", "{method}");
        // By id alone, without a host.
        let id_only = Enode::id_only(stranger.id()).to_string();
        assert_eq!(a.raw(method, &id_only).await.unwrap(), "true", "{method}");
        let bare = a.raw(method, &stranger.id().to_string()).await;
        assert!(matches!(bare, Err(TransportError::Remote { code: -32000, .. })), "{method}: {bare:?}");
    }
    // A connection that is made shows that the others had time.
    a.dial(&b).await;
    a.connected(&b, SOON).await;
    assert!(a.lists(&[&b]).await);
    let unknown = a.raw("admin_noSuchMethod", "").await;
    assert!(matches!(unknown, Err(TransportError::Remote { code: -32601, .. })), "{unknown:?}");
}

/// Trusting admits a peer and does not dial it.
pub async fn trust_never_dials(lab: &dyn Lab) {
    let (host, client, other) = tokio::join!(lab.start(50), lab.start(50), lab.start(50));
    host.node.call(PeerCommand::Admit(client.enode.clone())).await.unwrap();
    host.dial(&other).await;
    host.connected(&other, SOON).await;
    assert!(host.lists(&[&other]).await);
    client.dial(&host).await;
    client.connected(&host, SOON).await;
    assert_eq!(host.peer(&client).await.unwrap().trusted, Some(true));
}

/// A node dials max(1, max_peers / 3) peers; one more is dialed as soon as a slot is free, and trust does not help.
pub async fn dial_slots(lab: &dyn Lab) {
    let (node, first, second) = tokio::join!(lab.start(3), lab.start(50), lab.start(50));
    node.dial(&first).await;
    node.connected(&first, SOON).await;
    node.admit(&second).await;
    node.dial(&second).await;
    // A node that dials this one is accepted at once: peer slots are free, only no dial slot is.
    let inbound = lab.start(50).await;
    inbound.dial(&node).await;
    inbound.connected(&node, SOON).await;
    assert!(node.lists(&[&first, &inbound]).await);
    node.drop_peer(&first).await;
    node.connected(&second, SOON).await;
}

/// A node accepts max_peers - max(1, max_peers / 3) strangers; with a limit of one peer it accepts none.
pub async fn inbound_slots(lab: &dyn Lab) {
    let (one, two) = tokio::join!(lab.start(1), lab.start(2));
    let (filler, client, elsewhere) = tokio::join!(lab.start(50), lab.start(50), lab.start(50));
    filler.dial(&two).await;
    filler.connected(&two, SOON).await;
    client.dial(&one).await;
    client.dial(&two).await;
    client.dial(&elsewhere).await;
    client.connected(&elsewhere, SOON).await;
    assert!(one.lists(&[]).await);
    assert!(two.lists(&[&filler]).await);
    // Trust makes a slot, here for a third node that was never rejected.
    let trusted = lab.start(50).await;
    two.admit(&trusted).await;
    trusted.dial(&two).await;
    trusted.connected(&two, SOON).await;
    assert!(two.lists(&[&filler, &trusted]).await);
}

/// A host that is full and a client that it rejected, at the moment of the client's dial.
async fn refused(lab: &dyn Lab) -> (Member, Member, Instant) {
    let (host, filler) = tokio::join!(lab.start(2), lab.start(50));
    let (client, elsewhere) = tokio::join!(lab.start(50), lab.start(50));
    filler.dial(&host).await;
    filler.connected(&host, SOON).await;
    let mut events = client.node.events().await.unwrap();
    let dialed = Instant::now();
    client.dial(&host).await;
    client.dial(&elsewhere).await;
    client.connected(&elsewhere, SOON).await;
    assert!(host.lists(&[&filler]).await);
    // "Too many peers" shows in no call and no event.
    assert_eq!(events.next().await, Some(PeerEvent::Added(elsewhere.id())));
    assert_eq!(events.next().now_or_never(), None);
    (host, client, dialed)
}

/// A peer of another chain connects, disconnects some milliseconds later, and is never ready.
pub async fn another_chain_is_doomed(lab: &dyn Lab) {
    let (node, stranger) = tokio::join!(lab.start(50), lab.start_on_another_chain());
    assert_ne!(node.node.facts().await.unwrap().chain, stranger.node.facts().await.unwrap().chain);
    let mut events = node.node.events().await.unwrap();
    node.dial(&stranger).await;
    assert_eq!(timeout(SOON, events.next()).await.unwrap(), Some(PeerEvent::Added(stranger.id())));
    assert!(node.peer(&stranger).await.is_none_or(|peer| !peer.ready));
    assert!(matches!(timeout(SOON, events.next()).await.unwrap(), Some(PeerEvent::Gone(id, _)) if id == stranger.id()));
    node.apart(&stranger, SOON).await;
}

/// A rejected dial is repeated 35.0 s after the last one; neither trust nor adding the peer again shortens that.
pub async fn redial_after_35_s(lab: &dyn Lab) {
    let (host, client, dialed) = refused(lab).await;
    host.admit(&client).await;
    client.drop_peer(&host).await;
    client.dial(&host).await;
    client.connected(&host, REDIAL + SOON).await;
    let after = dialed.elapsed();
    assert!(after >= REDIAL && after < REDIAL + Duration::from_secs(5), "redialed after {after:?}");
}

/// A dropped peer stays disconnected, even if the node was just dialing it.
pub async fn a_dial_under_way_is_dropped_too(lab: &dyn Lab) {
    let client = lab.start(50).await;
    for _ in 0..4 {
        let host = lab.start(50).await;
        client.dial(&host).await;
        client.drop_peer(&host).await;
        client.node.settle().await;
        client.apart(&host, SOON).await;
    }
}

/// The owner of a host may dial a peer that the host admitted and evicted: the driver takes back only its own dials.
pub async fn an_owners_dial_stays(lab: &dyn Lab) {
    let (host, client) = tokio::join!(lab.start(50), lab.start(50));
    host.admit(&client).await;
    client.dial(&host).await;
    client.connected(&host, SOON).await;
    client.drop_peer(&host).await;
    host.evict(&client).await;
    host.apart(&client, SOON).await;
    assert_eq!(host.raw("admin_addPeer", &client.enode.to_string()).await.unwrap(), "true");
    host.connected(&client, SOON).await;
    for _ in 0..20 {
        assert!(host.lists(&[&client]).await);
    }
}

/// How to avoid the 35 s: the host trusts the client and dials it.
pub async fn the_host_dials_instead(lab: &dyn Lab) {
    let (host, client, _) = refused(lab).await;
    host.admit(&client).await;
    host.dial(&client).await;
    host.connected(&client, SOON).await;
}

/// Removing trust does not close a connection; evicting does, on both sides.
pub async fn untrusting_is_not_disconnecting(lab: &dyn Lab) {
    let (host, client, other) = tokio::join!(lab.start(2), lab.start(50), lab.start(50));
    host.admit(&client).await;
    client.dial(&host).await;
    client.connected(&host, SOON).await;
    assert_eq!(host.peer(&client).await.unwrap().trusted, Some(true));
    assert_eq!(host.raw("admin_removeTrustedPeer", &client.enode.to_string()).await.unwrap(), "true");
    client.dial(&other).await;
    client.connected(&other, SOON).await;
    assert_eq!(host.peer(&client).await.unwrap().trusted, Some(false));
    host.evict(&client).await;
    host.apart(&client, SOON).await;
}

/// Removing a peer disconnects both sides at once and does not change trust: the client is accepted again at its next
/// dial, although the host is full.
pub async fn removing_does_not_untrust(lab: &dyn Lab) {
    let (host, filler, client) = tokio::join!(lab.start(2), lab.start(50), lab.start(50));
    filler.dial(&host).await;
    filler.connected(&host, SOON).await;
    host.admit(&client).await;
    let dialed = Instant::now();
    client.dial(&host).await;
    client.connected(&host, SOON).await;
    host.drop_peer(&client).await;
    host.apart(&client, SOON).await;
    client.connected(&host, REDIAL + SOON).await;
    assert!(dialed.elapsed() >= REDIAL, "back after {:?}", dialed.elapsed());
    assert_eq!(host.peer(&client).await.unwrap().trusted, Some(true));
    assert!(host.lists(&[&filler, &client]).await);
}

/// Trusted peers count in the table: past its limit the node's own dials fail for as long as they stay.
pub async fn trusted_peers_crowd_out_own_dials(lab: &dyn Lab) {
    let (host, own, elsewhere) = tokio::join!(lab.start(4), lab.start(50), lab.start(50));
    let clients = join_all((0..6).map(|_| lab.start(50))).await;
    for client in &clients {
        host.admit(client).await;
        client.dial(&host).await;
        client.connected(&host, SOON).await;
    }
    let dialed = Instant::now();
    host.dial(&own).await;
    // A second dial of the same node, of a peer that it trusts, does come through meanwhile.
    host.admit(&elsewhere).await;
    host.dial(&elsewhere).await;
    host.connected(&elsewhere, SOON).await;
    assert!(host.peer(&own).await.is_none());
    host.drop_peer(&elsewhere).await;
    for client in clients.iter().take(3) {
        host.evict(client).await;
    }
    host.connected(&own, REDIAL + SOON).await;
    assert!(dialed.elapsed() >= REDIAL, "dialed again after {:?}", dialed.elapsed());
}

/// A node that was stopped is offline. Once it is started, its driver reconnects by itself, and the node has forgotten
/// its trusted and static peers.
pub async fn a_restart_forgets(lab: &dyn Lab) {
    let (host, client, wished) = tokio::join!(lab.start(50), lab.start(50), lab.start(50));
    host.admit(&client).await;
    client.dial(&host).await;
    client.connected(&host, SOON).await;
    host.dial(&wished).await;
    host.connected(&wished, SOON).await;
    assert_eq!(host.peer(&client).await.unwrap().trusted, Some(true));
    let events = host.node.events().await.unwrap();
    lab.restart(&host).await;
    timeout(SOON, events.for_each(|_| std::future::ready(()))).await.expect("the events end with the node");
    client.until(&host, |peer| peer.is_none()).await;
    host.dial(&client).await;
    host.connected(&client, SOON).await;
    assert_eq!(host.peer(&client).await.unwrap().trusted, Some(false));
    assert!(host.peer(&wished).await.is_none());
}

/// A dial is not repeated at another address unless the old one is removed first; the driver does that.
pub async fn a_new_address_is_dialed(lab: &dyn Lab) {
    let (node, peer, elsewhere) = tokio::join!(lab.start(50), lab.start(50), lab.start(50));
    let mut wrong = peer.enode.clone();
    wrong.port = 1;
    node.node.call(PeerCommand::Dial(wrong)).await.unwrap();
    node.dial(&elsewhere).await;
    node.connected(&elsewhere, SOON).await;
    assert!(node.peer(&peer).await.is_none());
    node.dial(&peer).await;
    node.connected(&peer, REDIAL + SOON).await;
}
