//! The conformance suite of nodes on real geths. The checks that wait for a redial, 35 s, run side by side.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::Mutex;
use vipnode_node::NodeAccess;
use vipnode_node::testing::{
    Geth, GethSpec,
    conformance::{self, Lab, Member},
};
use vipnode_types::NodeId;

#[derive(Default)]
struct GethLab {
    geths: Mutex<BTreeMap<NodeId, Geth>>,
}

impl GethLab {
    fn add(&self, spec: GethSpec) -> BoxFuture<'_, Member> {
        async move {
            let geth = Geth::start(spec).await;
            let member =
                Member::new(geth.node().await, geth.endpoint().transport(&NodeAccess::default()).unwrap()).await;
            self.geths.lock().await.insert(member.enode.id, geth);
            member
        }
        .boxed()
    }
}

impl Lab for GethLab {
    fn start(&self, max_peers: u32) -> BoxFuture<'_, Member> {
        self.add(GethSpec { max_peers, ..GethSpec::default() })
    }

    fn start_on_another_chain(&self) -> BoxFuture<'_, Member> {
        self.add(GethSpec { chain_id: 7, ..GethSpec::default() })
    }

    fn restart<'a>(&'a self, member: &'a Member) -> BoxFuture<'a, ()> {
        async move {
            let mut geths = self.geths.lock().await;
            let geth = geths.get_mut(&member.enode.id).unwrap();
            geth.stop().await;
            geth.again().await;
        }
        .boxed()
    }
}

macro_rules! on_real_geths {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            conformance::$check(&GethLab::default()).await;
        }
    )*};
}

on_real_geths!(
    facts_and_head,
    dialing_connects,
    true_means_nothing,
    trust_never_dials,
    dial_slots,
    inbound_slots,
    another_chain_is_doomed,
    a_dial_under_way_is_dropped_too,
    an_owners_dial_stays,
    the_host_dials_instead,
    untrusting_is_not_disconnecting,
    a_restart_forgets,
);

#[tokio::test]
async fn the_checks_that_wait_for_a_redial() {
    let lab = Arc::new(GethLab::default());
    let checks = {
        let (a, b, c, d) = (Arc::clone(&lab), Arc::clone(&lab), Arc::clone(&lab), Arc::clone(&lab));
        [
            ("redial_after_35_s", tokio::spawn(async move { conformance::redial_after_35_s(&*a).await })),
            (
                "removing_does_not_untrust",
                tokio::spawn(async move { conformance::removing_does_not_untrust(&*b).await }),
            ),
            (
                "trusted_peers_crowd_out_own_dials",
                tokio::spawn(async move { conformance::trusted_peers_crowd_out_own_dials(&*c).await }),
            ),
            ("a_new_address_is_dialed", tokio::spawn(async move { conformance::a_new_address_is_dialed(&*d).await })),
        ]
    };
    let mut failed = Vec::new();
    for (name, check) in checks {
        if check.await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}
