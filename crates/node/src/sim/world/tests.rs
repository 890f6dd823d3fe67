use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::sim::SimHead;

/// A network of nodes `n0`, `n1`, … and what is asked of it.
struct Lab {
    world: World,
    ids: Vec<NodeId>,
}

impl Lab {
    fn new(max_peers: &[u32]) -> Self {
        let mut lab = Self { world: World::default(), ids: Vec::new() };
        for max in max_peers {
            lab.add(&SimSpec { max_peers: *max, ..SimSpec::new("", 0) });
        }
        lab
    }

    fn add(&mut self, spec: &SimSpec) -> usize {
        let n = self.ids.len();
        let own = SimSpec::new(&format!("n{n}"), 30_000 + u16::try_from(n).unwrap());
        self.ids.push(own.id);
        self.world.add(SimSpec { id: own.id, port: own.port, ..spec.clone() });
        n
    }

    fn enode(&self, n: usize) -> Enode {
        self.world.spec(self.ids[n]).unwrap().enode()
    }

    fn dial(&mut self, from: usize, to: usize) {
        let to = self.enode(to);
        self.world.add_peer(self.ids[from], to);
    }

    fn trust(&mut self, host: usize, client: usize) {
        self.world.trust(self.ids[host], self.ids[client]);
    }

    fn at(&mut self, now_ms: u64) -> &mut Self {
        self.world.advance(now_ms);
        self
    }

    fn peers(&self, n: usize) -> Vec<usize> {
        let place = |peer: SimPeer| self.ids.iter().position(|id| *id == peer.id).unwrap();
        let mut peers: Vec<usize> = self.world.peers(self.ids[n]).into_iter().map(place).collect();
        peers.sort_unstable();
        peers
    }

    fn ready(&self, a: usize, b: usize) -> bool {
        self.world.peers(self.ids[a]).iter().any(|peer| peer.id == self.ids[b] && peer.ready)
    }
}

#[test]
fn a_dial_shows_after_4_ms_and_is_ready_after_10() {
    let mut lab = Lab::new(&[50, 50]);
    lab.dial(0, 1);
    assert!(lab.at(3).peers(0).is_empty());
    assert_eq!(lab.at(4).peers(1), [0]);
    assert!(!lab.ready(1, 0));
    lab.at(10);
    assert!(lab.ready(0, 1) && lab.ready(1, 0));
    assert_eq!(lab.world.take_events().len(), 2);
}

#[test]
fn a_refused_dial_is_tried_again_after_35_s_exactly() {
    let mut lab = Lab::new(&[2, 50, 50]);
    lab.dial(1, 0);
    lab.at(1_000);
    lab.dial(2, 0);
    lab.at(2_000);
    assert_eq!(lab.peers(0), [1]);
    lab.trust(0, 2);
    // Neither trust nor adding again shortens the wait.
    lab.world.remove_peer(lab.ids[2], lab.ids[0]);
    lab.dial(2, 0);
    assert_eq!(lab.at(36_003).peers(0), [1]);
    assert_eq!(lab.at(36_004).peers(0), [1, 2]);
}

#[test]
fn the_host_dials_the_client_instead_of_waiting() {
    let mut lab = Lab::new(&[2, 50, 50]);
    lab.dial(1, 0);
    lab.dial(2, 0);
    lab.at(100);
    lab.trust(0, 2);
    lab.dial(0, 2);
    assert_eq!(lab.at(110).peers(0), [1, 2]);
}

#[test]
fn one_peer_at_most_takes_nobody() {
    let mut lab = Lab::new(&[1, 50]);
    lab.dial(1, 0);
    assert!(lab.at(100_000).peers(0).is_empty());
}

#[test]
fn removing_disconnects_both_and_keeps_trust_and_the_other_sides_wish() {
    let mut lab = Lab::new(&[2, 50]);
    lab.trust(0, 1);
    lab.dial(1, 0);
    lab.at(50);
    lab.world.remove_peer(lab.ids[0], lab.ids[1]);
    assert!(lab.peers(0).is_empty() && lab.peers(1).is_empty());
    assert_eq!(lab.world.trusted(lab.ids[0]), [lab.ids[1]]);
    assert_eq!(lab.at(35_004).peers(0), [1]);
}

#[test]
fn untrusting_is_not_disconnecting() {
    let mut lab = Lab::new(&[2, 50]);
    lab.trust(0, 1);
    lab.dial(1, 0);
    lab.at(50);
    lab.world.untrust(lab.ids[0], lab.ids[1]);
    assert_eq!(lab.at(1_000).peers(0), [1]);
}

#[test]
fn trusted_peers_crowd_out_own_dials() {
    let mut lab = Lab::new(&[4, 50, 50, 50, 50, 50, 50, 50]);
    for client in 1..=6 {
        lab.trust(0, client);
        lab.dial(client, 0);
    }
    lab.at(1_000);
    assert_eq!(lab.peers(0).len(), 6);
    lab.dial(0, 7);
    assert_eq!(lab.at(79_000).peers(0).len(), 6);
    for client in 1..=3 {
        lab.world.untrust(lab.ids[0], lab.ids[client]);
        lab.world.remove_peer(lab.ids[0], lab.ids[client]);
    }
    lab.at(120_000);
    assert!(lab.peers(0).contains(&7));
}

#[test]
fn one_attempt_per_public_address_in_30_s() {
    let public = |name: &str| SimSpec { ip: IpAddr::V4(Ipv4Addr::new(11, 0, 0, 1)), ..SimSpec::new(name, 0) };
    let mut lab = Lab::new(&[50]);
    for name in ["a", "b", "c", "d"] {
        let client = lab.add(&public(name));
        lab.trust(0, client);
        lab.dial(client, 0);
    }
    assert_eq!(lab.at(1_000).peers(0).len(), 1);
    assert_eq!(lab.at(36_000).peers(0).len(), 2);
    assert_eq!(lab.at(71_000).peers(0).len(), 3);
    assert_eq!(lab.at(106_000).peers(0).len(), 4);
}

#[test]
fn trust_does_not_beat_the_limit_of_light_nodes() {
    let light = SimSpec { kind: SimKind::Light, ..SimSpec::new("", 0) };
    let mut lab = Lab::new(&[]);
    lab.add(&SimSpec { kind: SimKind::Full { light_max_peers: 1 }, ..SimSpec::new("", 0) });
    for client in 1..=2 {
        lab.add(&light);
        lab.trust(0, client);
        lab.dial(client, 0);
        lab.at(20);
    }
    assert_eq!(lab.at(24).peers(0), [1, 2]);
    assert!(!lab.ready(0, 2));
    assert_eq!(lab.at(26).peers(0), [1]);
    // At every redial again.
    assert_eq!(lab.at(35_024).peers(0), [1, 2]);
    assert_eq!(lab.at(35_026).peers(0), [1]);
}

#[test]
fn another_chain_shows_for_3_ms() {
    let mut lab = Lab::new(&[50, 50]);
    let id = lab.ids[1];
    lab.world.change(id, |spec| spec.chain.chain_id = 7);
    lab.dial(0, 1);
    assert_eq!(lab.at(6).peers(0), [1]);
    assert!(!lab.ready(0, 1));
    assert!(lab.at(7).peers(0).is_empty());
}

#[test]
fn a_restart_forgets_trust_and_wishes_and_the_others_come_back() {
    let mut lab = Lab::new(&[50, 50, 50]);
    lab.trust(0, 1);
    lab.dial(0, 1);
    lab.dial(2, 0);
    lab.at(10_000);
    assert_eq!(lab.peers(0), [1, 2]);
    lab.world.stop(lab.ids[0]);
    assert!(lab.peers(1).is_empty() && lab.peers(2).is_empty());
    lab.world.start(lab.ids[0]);
    assert_eq!(lab.world.trusted(lab.ids[0]), []);
    assert!(lab.at(34_000).peers(0).is_empty());
    assert_eq!(lab.at(36_000).peers(0), [2]);
}

#[test]
fn a_new_address_is_ignored_until_the_old_one_is_removed() {
    let mut lab = Lab::new(&[50, 50]);
    let right = lab.enode(1);
    let wrong = right.with_ip(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9)));
    lab.world.add_peer(lab.ids[0], wrong);
    lab.world.add_peer(lab.ids[0], right.clone());
    assert!(lab.at(100_000).peers(0).is_empty());
    lab.world.remove_peer(lab.ids[0], lab.ids[1]);
    lab.world.add_peer(lab.ids[0], right);
    assert_eq!(lab.at(150_000).peers(0), [1]);
}

#[test]
fn an_id_without_a_host_is_not_dialed_and_can_be_trusted() {
    let mut lab = Lab::new(&[50, 50]);
    lab.world.add_peer(lab.ids[0], Enode::id_only(lab.ids[1]));
    assert!(lab.at(100_000).peers(0).is_empty());
}

#[test]
fn slots_follow_the_ratio() {
    let slots = |max_peers| {
        let spec = SimSpec { max_peers, head: SimHead::Fresh, ..SimSpec::new("x", 1) };
        (spec.dial_slots(), spec.inbound_slots())
    };
    assert_eq!([1, 2, 3, 6, 50].map(slots), [(1, 0), (1, 1), (1, 2), (2, 4), (16, 34)]);
}
