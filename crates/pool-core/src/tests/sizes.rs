use std::net::IpAddr;

use vipnode_types::{Enode, LeaseId, Ms};

use super::pool::{START, agent_key, chain, client, host, node};
use crate::{
    Command, ConnectionId, Core, Identity, Limits, collections::seeded_rng::SeededRng, leases::lease::Lease,
    leases::table::LeaseTable,
};

/// As many as fill the tables worst: one more than a doubling leaves room for.
const WORST: u32 = 7 * 8192 / 8 + 1;

#[test]
fn a_node_takes_at_most_512_bytes_indexes_included() {
    let mut core = Core::new(Limits::default(), [1; 32], START);
    let mut out = Vec::new();
    for agent in 0..WORST {
        let mut hello = host(agent, 4);
        hello.client = client(agent).client;
        hello.enode = Some(Enode::at(node(agent), IpAddr::from([1, 2, 3, 4]), 30303));
        let identity = Identity { node: node(agent), agent: agent_key(), issued: Ms::new(1) };
        let peer = ConnectionId { gateway: 0, connection: agent, generation: 0 };
        let address = IpAddr::from(u32::to_be_bytes(0x0b00_0000 + agent));
        core.handle(
            START,
            Command::Connect { peer, request: 0, identity, address, callable: true, hello: Box::new(hello) },
            &mut out,
        );
        out.clear();
    }
    assert_eq!(core.chains.get(0), Some(&chain(1)));
    // Registry, silence, dirty list; and the two lists of open and of connected hosts.
    let lists = (core.open_hosts.connected().len().next_power_of_two()) * 4 * 2;
    let dirty = WORST.next_power_of_two() as usize * 8;
    let bytes = core.nodes.heap_bytes() + core.presences.heap_bytes() + lists + dirty;
    let each = bytes / WORST as usize;
    assert!(each <= 512, "{each} bytes a node, {} of them itself", size_of::<crate::agents::node::Node>());
}

#[test]
fn a_lease_takes_at_most_128_bytes_indexes_included() {
    let mut table = LeaseTable::new(SeededRng::new([1; 32]).keys());
    for number in 0..WORST {
        let lease = Lease::new(LeaseId::new(number.into()), 1, 2, 0, START);
        table.insert(lease).unwrap();
    }
    let each = table.heap_bytes() / WORST as usize;
    assert!(each <= 128, "{each} bytes a lease");
}
