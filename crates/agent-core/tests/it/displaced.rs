//! Another agent with the key of the same node, as on a cloned machine.

use std::net::IpAddr;

use crate::common::*;
use vipnode_agent_core::{Event, Notice, PoolAnswer};

/// The answer to a connect that replaced an open connection.
fn welcome_instead_of(address: IpAddr) -> PoolAnswer {
    let PoolAnswer::Connect(mut reply) = welcome(vec![]) else { panic!("a connect reply") };
    reply.replaced = Some(address);
    PoolAnswer::Connect(reply)
}

#[test]
fn an_agent_that_is_displaced_again_and_again_says_so_and_backs_off_by_minutes() {
    let other = IpAddr::from([203, 0, 113, 7]);
    let mut bench = Bench::new(client_config(0));
    bench.node_up();
    for time in 1..=3 {
        bench.on(Event::PoolOpen);
        let tag = bench.connect_tag();
        bench.answer(tag, welcome_instead_of(other));
        let said = |notice: &Notice| matches!(notice, Notice::Displaced { address, .. } if *address == other);
        assert_eq!(bench.notices().iter().any(said), time == 3, "connection {time}");
        bench.on(Event::PoolLost { why: "a newer connection of this node replaced this one".into() });
        let wait_ms = bench.reconnect().unwrap();
        assert_eq!(wait_ms >= 120_000, time == 3, "{wait_ms} ms after connection {time}");
    }
}
