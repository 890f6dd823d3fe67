//! The conformance suite of nodes on simulated ones; time is paused, so the 35 s cost nothing.

use futures_util::{FutureExt, future::BoxFuture};
use vipnode_node::{
    sim::{SimNet, SimSpec},
    testing::conformance::{self, Lab, Member},
};

struct SimLab {
    net: SimNet,
    made: std::sync::atomic::AtomicU16,
}

impl SimLab {
    fn new() -> Self {
        Self { net: SimNet::new(), made: 0.into() }
    }

    fn add(&self, change: impl FnOnce(&mut SimSpec)) -> BoxFuture<'_, Member> {
        let n = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut spec = SimSpec::new(&format!("n{n}"), 30_000 + n);
        change(&mut spec);
        let (id, node) = (spec.id, self.net.add(spec));
        Member::new(node, self.net.transport(id)).boxed()
    }
}

impl Lab for SimLab {
    fn start(&self, max_peers: u32) -> BoxFuture<'_, Member> {
        self.add(|spec| spec.max_peers = max_peers)
    }

    fn start_on_another_chain(&self) -> BoxFuture<'_, Member> {
        self.add(|spec| spec.chain.chain_id = 7)
    }

    fn restart<'a>(&'a self, member: &'a Member) -> BoxFuture<'a, ()> {
        self.net.stop(member.enode.id);
        self.net.start(member.enode.id);
        std::future::ready(()).boxed()
    }
}

macro_rules! on_simulated_nodes {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test(start_paused = true)]
        async fn $check() {
            conformance::$check(&SimLab::new()).await;
        }
    )*};
}

on_simulated_nodes!(
    facts_and_head,
    dialing_connects,
    true_means_nothing,
    trust_never_dials,
    dial_slots,
    inbound_slots,
    another_chain_is_doomed,
    redial_after_35_s,
    a_dial_under_way_is_dropped_too,
    an_owners_dial_stays,
    the_host_dials_instead,
    untrusting_is_not_disconnecting,
    removing_does_not_untrust,
    trusted_peers_crowd_out_own_dials,
    a_restart_forgets,
    a_new_address_is_dialed,
);
