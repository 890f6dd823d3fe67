//! The addresses in `active_peers`.

use std::net::IpAddr;

use vipnode_types::Enode;

use super::*;

/// The attack: a client in the pool's own network, or one that claims an address there, has it handed to its host.
#[test]
fn an_active_peer_has_no_address_of_a_narrower_scope_and_none_that_it_claims() {
    let at_host = address(HOST).to_string();
    for (observed, shown) in
        [("10.0.0.9", &*at_host), ("127.0.0.1", &at_host), ("169.254.0.9", &at_host), ("20.0.2.1", "20.0.2.1")]
    {
        let mut pool = Pool::new();
        pool.connect2(HOST, full_node());
        pool.update2(HOST, &[]);
        let claimed = Enode::at(node(CLIENT), IpAddr::from([169, 254, 169, 254]), 30_303);
        let hello = ConnectRequest { enode: Some(claimed), ..client(CLIENT) };
        pool.connect_from(CLIENT, on_mainnet(hello), observed.parse().unwrap()).unwrap();
        pool.ask(CLIENT, 1);
        pool.allow(HOST);
        let active = pool.update2(HOST, &[CLIENT]).active_peers;
        assert_eq!(active, [format!("enode://{}@{shown}:30303", node(CLIENT))], "{observed}");
    }
}

#[test]
fn an_active_peer_that_has_yet_to_return_after_a_restart_has_no_address_that_it_claimed() {
    let mut pool = Pool::new().leased2();
    pool.restart(Limits::default());
    pool.connect2(HOST, full_node());
    let active = pool.update2(HOST, &[CLIENT]).active_peers;
    assert_eq!(active, [format!("enode://{}@{}:30303", node(CLIENT), address(HOST))]);
}
