use vipnode_types::{
    ChainSpec, Enode, EnodeHost, Ms,
    payment::{ChannelTerms, contracts},
    wire::{ClientCriteria, ConnectRequest, ErrorCode, EvictReason, HostSupply, ReportRequest, WireError},
};

use super::{
    pool::{Pool, START, address, agent_key, chain, client, hello, host, node, order, wei},
    scenario::{CLIENT, HOST, KEPT, SECOND_CLIENT, SECOND_HOST, SLOTS, STRANGER, THIRD_HOST},
};
use crate::{CallId, CallOutcome, Command, ConnectionId, Effect, Identity, Limits, Reply, Row};

/// When the delegations of these tests were issued, in this order.
const OLDER: Ms = START.minus(6);
pub(super) const ISSUED: Ms = START.minus(5);
const NEWER: Ms = START.minus(4);

fn connect(pool: &mut Pool, agent: u32, issued: Ms, hello: ConnectRequest) -> Result<(), WireError> {
    pool.connect_delegated(agent, hello, address(agent), true, issued).map(drop)
}

#[test]
fn d32_a_late_event_of_an_old_socket_never_touches_the_new_one() {
    let mut pool = Pool::new();
    assert_eq!(pool.connect(HOST, host(HOST, SLOTS)).unwrap().replaced, None);
    let old = pool.connection(HOST);
    // An agent with the same key elsewhere learns whose connection it replaced.
    let reply = pool.connect_from(HOST, host(HOST, SLOTS), address(9)).unwrap();
    assert_eq!(reply.replaced, Some(address(HOST)));
    assert_eq!(pool.closed, [old]);
    pool.handle(Command::Disconnected { connection: old });
    assert_eq!((pool.core.gauges().hosts, pool.core.gauges().free_slots), (1, 4));
    let report = Box::new(ReportRequest { seq: 1, ..Default::default() });
    let error = pool.request(Command::Report { connection: old, request: 1, report }).unwrap().unwrap_err();
    assert!(error.is(ErrorCode::Unauthorized));
    pool.disconnect(HOST);
    assert_eq!((pool.core.gauges().hosts, pool.core.gauges().free_slots), (0, 0));
}

#[test]
fn an_older_delegation_is_refused() {
    let mut pool = Pool::new();
    let connect_with = |pool: &mut Pool, issued| connect(pool, HOST, issued, hello(HOST));
    assert!(connect_with(&mut pool, ISSUED).is_ok());
    assert!(connect_with(&mut pool, OLDER).unwrap_err().is(ErrorCode::Unauthorized));
    assert!(connect_with(&mut pool, ISSUED).is_ok() && connect_with(&mut pool, NEWER).is_ok());
    assert!(connect_with(&mut pool, ISSUED).is_err());
    pool.restart(Limits::default());
    assert!(connect_with(&mut pool, ISSUED).is_err(), "also after a restart");
}

#[test]
fn what_the_pool_cannot_use_is_refused_with_the_reason() {
    let mut pool = Pool::new();
    let older = ConnectRequest { protocol: 2, ..hello(HOST) };
    assert!(pool.connect(HOST, older).unwrap_err().is(ErrorCode::Unsuitable));
    let as_another_node = ConnectRequest { enode: Some(Enode::id_only(node(CLIENT))), ..hello(HOST) };
    let error = pool.connect(HOST, as_another_node).unwrap_err();
    assert!(error.is(ErrorCode::Unsuitable) && error.data.unwrap().hint.contains("--enode"));
    assert_eq!(pool.core.gauges().nodes, 0);
    pool.connect(HOST, hello(HOST)).unwrap();
    pool.ask(HOST, 1);
    assert!(pool.replies.last().unwrap().1.as_ref().unwrap_err().is(ErrorCode::Unsuitable), "it is not a client");
}

/// What a client at an address is given of a host that claims one address and is observed at another: the address, or why
/// there is none.
fn given(claimed: &str, observed: &str, client_at: &str, closed: bool) -> Result<String, String> {
    let mut pool = Pool::with(Limits { members_only: closed, ..Limits::default() });
    let mut seller = host(HOST, 1);
    let claimed = format!("enode://{}@{claimed}", node(HOST));
    seller.enode = Some(claimed.parse().unwrap());
    pool.connect_from(HOST, seller, observed.parse().unwrap()).unwrap();
    pool.connect_from(CLIENT, client(CLIENT), client_at.parse().unwrap()).unwrap();
    pool.ask(CLIENT, 1);
    if pool.calls.is_empty() {
        let explained = pool.explain(CLIENT).unwrap();
        assert_eq!((explained.candidates, explained.excluded.unreachable), (0, 1));
        return Err(explained.reason.unwrap());
    }
    pool.admit(HOST);
    Ok(pool.last_ask(CLIENT).unwrap().hosts[0].host.to_string().split_once('@').unwrap().1.to_owned())
}

#[test]
fn d34_the_address_given_out_is_the_observed_one() {
    let given = |claimed: &str, observed: &str, closed: bool| {
        // A client as near as the host.
        given(claimed, observed, if observed == "127.0.0.1" { "127.0.0.1" } else { "20.0.2.1" }, closed).unwrap()
    };
    assert_eq!(given("127.0.0.1:30305?discport=0", "8.8.8.8", false), "8.8.8.8:30305?discport=0");
    assert_eq!(given("9.9.9.9:30305", "8.8.8.8", false), "8.8.8.8:30305", "another's address is not given out");
    assert_eq!(given("9.9.9.9:30305", "8.8.8.8", true), "9.9.9.9:30305", "members are believed");
    assert_eq!(given("127.0.0.2:30305", "127.0.0.1", false), "127.0.0.2:30305");
    assert_eq!(given("0.0.0.0:30305", "127.0.0.1", true), "127.0.0.1:30305");
    assert_eq!(given("[::1]:30305", "2001:db8::1", false), "[2001:db8::1]:30305");
    assert_eq!(given("node.example:30305", "8.8.8.8", false), "8.8.8.8:30305");
    assert_eq!(given("10.0.0.1:30305", "::ffff:8.8.8.8", false), "8.8.8.8:30305");
}

/// The attack: an agent in the pool's own network, or one that claims an address there, makes strangers' nodes connect to
/// machines in theirs.
#[test]
fn an_address_is_given_only_to_clients_in_its_own_or_a_narrower_scope() {
    let at = |observed: &str, client: &str| given("[::]:30303", observed, client, false);
    let (loopback, private, public) = ("127.0.0.1", "192.168.1.7", "20.0.2.1");
    for (host, clients) in
        [(loopback, &[loopback][..]), ("10.0.0.1", &[loopback, private]), ("8.8.8.8", &[loopback, private, public])]
    {
        for client in [loopback, private, public] {
            match at(host, client) {
                Ok(address) => assert!(clients.contains(&client) && address == format!("{host}:30303"), "{client}"),
                Err(why) => {
                    assert!(!clients.contains(&client), "{host} {client}: {why}");
                    assert!(why.contains("has no address that your node can reach"), "{why}");
                }
            }
        }
    }
    // What a host on the pool's machine, or a member, claims is given where it can be reached.
    assert_eq!(given("192.168.1.5:1", loopback, private, false).unwrap(), "192.168.1.5:1");
    assert!(given("192.168.1.5:1", loopback, public, false).is_err());
    assert_eq!(given("9.9.9.9:1", loopback, public, false).unwrap(), "9.9.9.9:1");
    assert_eq!(given("192.168.1.5:1", "8.8.8.8", private, true).unwrap(), "192.168.1.5:1");
    assert_eq!(given("192.168.1.5:1", "8.8.8.8", public, true).unwrap(), "8.8.8.8:1");
    // Shared by a provider's customers, or unique local: private.
    assert!(at("100.64.0.1", public).is_err() && at("fd00::1", "2001:db8::1").is_err());
    assert!(at("100.64.0.1", "fd00::2").is_ok());
}

#[test]
fn an_address_that_names_no_machine_is_given_to_nobody() {
    for claimed in ["0.0.0.0:1", "255.255.255.255:1", "224.0.0.1:1", "169.254.169.254:1", "[ff02::1]:1", "[fe80::1]:1"]
    {
        assert_eq!(given(claimed, "127.0.0.1", "127.0.0.1", true).unwrap(), "127.0.0.1:1", "{claimed}");
    }
    for observed in ["169.254.0.9", "fe80::1", "0.0.0.0", "224.0.0.1"] {
        for client in ["127.0.0.1", "10.0.0.1", "20.0.2.1", observed] {
            assert!(given("[::]:30303", observed, client, false).is_err(), "{observed} {client}");
        }
    }
    assert!(given("[::]:30303", "10.0.0.1", "fe80::9", false).is_ok(), "a client of the same link");
}

#[test]
fn a_client_in_a_private_network_is_not_dialed_from_outside() {
    for (at, dialed) in [("10.0.0.9", false), ("20.0.2.1", true)] {
        let mut pool = Pool::new().with_host(HOST, 1);
        pool.connect_from(CLIENT, client(CLIENT), at.parse().unwrap()).unwrap();
        pool.ask(CLIENT, 1);
        let (call, admit) = pool.take_admit_call(HOST).unwrap();
        assert_eq!(admit.client_enode.is_some(), dialed);
        pool.done(call, CallOutcome::Done);
        pool.pass(3_000);
        assert_eq!(pool.take_dial(HOST).is_some(), dialed);
        // In the list of a connect reply, too.
        let reply = pool.connect(HOST, host(HOST, 1)).unwrap();
        assert_eq!(reply.leases[0].peer.host != EnodeHost::None, dialed);
    }
}

#[test]
fn a_host_that_takes_no_connections_is_not_given() {
    let mut pool = Pool::new();
    let without_address = Enode { id: node(HOST), host: EnodeHost::None, port: 0, disc_port: None };
    for enode in [None, Some(without_address)] {
        pool.connect(HOST, ConnectRequest { enode, ..host(HOST, SLOTS) }).unwrap();
        assert_eq!(pool.core.gauges().free_slots, 0);
    }
    pool.connect_over_http(HOST, host(HOST, SLOTS), address(HOST)).unwrap();
    assert_eq!(pool.core.gauges().free_slots, 0, "over HTTP it cannot be asked");
}

#[test]
fn coming_back_unchanged_writes_nothing() {
    let mut pool = Pool::new().with_host(HOST, SLOTS);
    assert_eq!(pool.rows.len(), 1);
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    assert_eq!(pool.rows.len(), 1);
    pool.connect(HOST, client(HOST)).unwrap();
    assert_eq!(pool.rows.len(), 2, "it became a client");
}

#[test]
fn leases_are_listed_at_connect_and_those_that_ended_meanwhile_are_missing() {
    let (mut pool, lease) = Pool::new().leased();
    pool.disconnect(HOST);
    assert_eq!(pool.connect(HOST, host(HOST, SLOTS)).unwrap().leases[0].lease, lease);
    pool.full(HOST, &[(lease, KEPT)]);
    pool.disconnect(HOST);
    pool.bye(CLIENT);
    assert!(pool.calls.is_empty(), "nobody is there to be called");
    assert!(pool.connect(HOST, host(HOST, SLOTS)).unwrap().leases.is_empty());
}

#[test]
fn a_host_that_stops_has_its_clients_moved_at_once() {
    let (mut pool, _) = Pool::new().leased();
    pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
    pool.bye(HOST);
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::Drained));
    assert_eq!(pool.core.next_wake(), Some(pool.now));
    pool.handle(Command::Tick);
    pool.admit(SECOND_HOST);
    assert!(pool.take_evict(HOST).is_none());
}

#[test]
fn a_host_that_dies_is_replaced_as_soon_as_its_client_says_so() {
    let (mut pool, lease) = Pool::new().leased();
    pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
    pool.disconnect(HOST);
    pool.reports_down(CLIENT, lease);
    pool.handle(Command::Tick);
    pool.admit(SECOND_HOST);
}

#[test]
fn another_chain_is_another_beginning() {
    let (mut pool, _) = Pool::new().leased();
    let moved = ConnectRequest { chain: chain(2), ..client(CLIENT) };
    assert!(pool.connect(CLIENT, moved).unwrap().leases.is_empty());
    assert_eq!(pool.evicted(HOST), Some(EvictReason::Disconnected));
}

#[test]
fn a_role_given_up_ends_its_leases() {
    let (mut pool, _) = Pool::new().leased();
    assert!(pool.connect(HOST, client(HOST)).unwrap().leases.is_empty());
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::Drained));
}

#[test]
fn a_word_of_a_call_that_nobody_made_is_ignored() {
    let (mut pool, _) = Pool::new().leased();
    let unknown = CallId(77);
    let effects = pool.handle(Command::CallDone { call: unknown, outcome: CallOutcome::Done });
    assert_eq!(effects, Vec::<Effect>::new());
}

#[test]
fn presences_are_written_together_every_few_minutes() {
    let mut pool = Pool::new().paired();
    pool.rows.clear();
    pool.pass_with(179_000, &[HOST, CLIENT]);
    assert!(pool.rows.is_empty());
    pool.pass(1_000);
    let [Row::LastReport(seen), Row::Clock(clock)] = &pool.rows[..] else { panic!("{:?}", pool.rows) };
    assert_eq!((seen.len(), *clock), (2, START.plus(180_000)));
}

/// Checks a connect without making it, as `vipnode doctor` has a pool do.
pub(super) fn check(pool: &mut Pool, agent: u32, issued: Ms, hello: ConnectRequest) -> Result<HostSupply, WireError> {
    let identity = Identity { node: node(agent), agent: agent_key(), issued };
    let connection = ConnectionId { gateway: 9, connection: agent, generation: 0 };
    let (address, hello) = (address(agent), Box::new(hello));
    match pool.request(Command::CheckConnect { connection, request: 1, identity, address, hello }).unwrap()? {
        Reply::Checked(supply) => Ok(*supply),
        other => panic!("{other:?}"),
    }
}

/// So many hosts, each of which could be assigned.
fn fits(hosts: u32) -> HostSupply {
    HostSupply { hosts, candidates: hosts, ..HostSupply::default() }
}

#[test]
fn a_connect_that_is_only_checked_is_judged_like_a_connect_and_changes_nothing() {
    let mut pool = Pool::with(Limits { pinned_chains: vec![chain(7)], ..Limits::default() });
    connect(&mut pool, HOST, ISSUED, host(HOST, SLOTS)).unwrap();
    let of_protocol_2 = ConnectRequest { protocol: 2, ..client(HOST) };
    let as_another_node = ConnectRequest { enode: Some(Enode::id_only(node(CLIENT))), ..client(HOST) };
    let mut of_another_genesis = ConnectRequest { chain: ChainSpec { chain_id: 7, ..chain(1) }, ..client(CLIENT) };
    of_another_genesis.chain.genesis.0[0] = 8;
    let before = pool.core.gauges();
    for (agent, issued, hello) in [
        (HOST, ISSUED, of_protocol_2),
        (HOST, ISSUED, as_another_node),
        (HOST, OLDER, client(HOST)),
        (CLIENT, ISSUED, of_another_genesis),
    ] {
        let checked = check(&mut pool, agent, issued, hello.clone()).unwrap_err();
        assert_eq!(connect(&mut pool, agent, issued, hello).unwrap_err(), checked);
    }
    let own = check(&mut pool, HOST, NEWER, client(HOST)).unwrap();
    assert_eq!((own.hosts, own.reason.as_deref()), (0, Some("no host is connected to the pool")), "its own node");
    assert_eq!(check(&mut pool, CLIENT, ISSUED, client(CLIENT)), Ok(fits(1)));
    assert_eq!((pool.core.gauges(), &pool.closed[..]), (before, &[][..]), "the node that is connected stays");
    let again = connect(&mut pool, HOST, ISSUED, host(HOST, SLOTS));
    assert!(again.is_ok(), "the newer delegation was not remembered");
}

#[test]
fn a_node_that_is_checked_learns_that_its_chain_has_no_hosts() {
    let mut pool = Pool::new().with_host(HOST, SLOTS);
    let other = ConnectRequest { chain: chain(2), ..client(CLIENT) };
    let text = check(&mut pool, CLIENT, ISSUED, other.clone()).unwrap().reason.unwrap();
    assert!(text.contains("no host here is on chain 2") && text.contains("hosts are on mainnet"), "{text}");
    let nodes = pool.core.gauges().nodes;
    assert_eq!(nodes, 1);
    pool.connect(SECOND_HOST, ConnectRequest { chain: chain(2), ..host(SECOND_HOST, 1) }).unwrap();
    assert_eq!(check(&mut pool, CLIENT, ISSUED, other), Ok(fits(1)));
}

#[test]
fn a_node_that_is_checked_learns_the_price_and_how_many_hosts_fit() {
    let price = wei(100);
    let mut pool = Pool::with(Limits { price, ..Limits::default() });
    let most = |wei: u64| {
        let max_price = format!("{wei} wei/minute").parse().ok();
        ConnectRequest { client: Some(ClientCriteria { max_price, ..ClientCriteria::default() }), ..client(CLIENT) }
    };
    let reason = |pool: &mut Pool, hello| check(pool, CLIENT, ISSUED, hello).unwrap().reason.unwrap_or_default();
    assert_eq!(reason(&mut pool, most(100)), "no host is connected to the pool");
    pool = pool.with_host(HOST, 1).with_host(SECOND_HOST, 1);
    assert_eq!(check(&mut pool, CLIENT, ISSUED, most(100)), Ok(HostSupply { price, ..fits(2) }));
    let dear = reason(&mut pool, most(99));
    assert!(dear.contains("100 wei/minute here, more than your --max-price"), "{dear}");
    let newer = "geth/9.0.0".parse().unwrap();
    let old = reason(&mut pool, ConnectRequest { min_versions: vec![newer], ..most(100) });
    assert!(old.contains("all 2 hosts on mainnet run a version older than geth"), "{old}");
    pool.connect(SECOND_HOST, host(SECOND_HOST, 0)).unwrap();
    let one = HostSupply { price, hosts: 2, ..fits(1) };
    assert_eq!(check(&mut pool, CLIENT, ISSUED, most(100)), Ok(one));
    pool.connect(HOST, host(HOST, 0)).unwrap();
    assert_eq!(reason(&mut pool, most(100)), "all 2 hosts on mainnet offer no slots");
}

#[test]
fn a_host_beyond_those_that_are_examined_is_a_partner_all_the_same() {
    let mut pool = Pool::new();
    for number in 0..300 {
        pool = pool.with_host(STRANGER + number, SLOTS);
    }
    let other = ConnectRequest { chain: chain(2), ..client(CLIENT) };
    let text = check(&mut pool, CLIENT, ISSUED, other.clone()).unwrap().reason.unwrap();
    let part = "has a free slot here, and none of the 256 examined hosts is on it";
    assert!(text.starts_with("no host on chain 2") && text.contains(part), "{text}");
    pool.connect(SECOND_HOST, ConnectRequest { chain: chain(2), ..host(SECOND_HOST, 1) }).unwrap();
    let supply = check(&mut pool, CLIENT, ISSUED, other).unwrap();
    assert_eq!(supply.reason, None);
}

#[test]
fn a_check_forgets_no_node_for_which_a_full_pool_would_make_room() {
    let mut pool = Pool::with(Limits { nodes: 1, ..Limits::default() }).with_host(HOST, SLOTS);
    pool.disconnect(HOST);
    let forgotten_ms = pool.core.limits.nonce_ahead_ms + pool.core.limits.nonce_behind_ms;
    pool.pass(forgotten_ms - 1_000);
    assert!(check(&mut pool, CLIENT, ISSUED, client(CLIENT)).unwrap_err().is(ErrorCode::Busy), "it is remembered");
    // Before the next tick, which would forget it.
    pool.now = pool.now.plus(2_000);
    pool.rows.clear();
    for _ in 0..2 {
        assert!(check(&mut pool, CLIENT, ISSUED, client(CLIENT)).is_ok());
        assert!(pool.core.agents.find(&node(HOST)).is_some() && pool.rows.is_empty(), "nothing changed");
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    assert!(pool.core.agents.find(&node(HOST)).is_none());
}

#[test]
fn a_pool_without_room_for_another_node_says_so_when_it_is_checked() {
    let mut pool = Pool::with(Limits { nodes: 1, ..Limits::default() }).with_host(HOST, SLOTS);
    let error = check(&mut pool, CLIENT, ISSUED, client(CLIENT)).unwrap_err();
    assert!(error.is(ErrorCode::Busy), "{error}");
    assert_eq!(
        check(&mut pool, HOST, ISSUED, host(HOST, SLOTS)).map(|supply| supply.hosts),
        Ok(0),
        "a known node has room"
    );
}

#[test]
fn a_host_on_another_chain_than_all_others_learns_so() {
    let mut pool = Pool::new();
    let on = |chain_id: u64, agent: u32| ConnectRequest { chain: chain(chain_id), ..host(agent, SLOTS) };
    assert_eq!(pool.connect(HOST, host(HOST, SLOTS)).unwrap().no_hosts, None, "the first one");
    let text = pool.connect(SECOND_HOST, on(2, SECOND_HOST)).unwrap().no_hosts.unwrap();
    assert!(text.contains("no host here is on chain 2") && text.contains("mainnet"), "{text}");
    assert_eq!(pool.connect(CLIENT, client(CLIENT)).unwrap().no_hosts, None, "a client learns it with its answer");
    assert_eq!(pool.connect(THIRD_HOST, on(2, THIRD_HOST)).unwrap().no_hosts, None);
}

#[test]
fn an_address_that_is_nobodys_is_no_payout_account() {
    let mut pool = Pool::new();
    for last in [0, 1, 0x11] {
        let (mut hello, mut account) = (host(HOST, SLOTS), [0; 20]);
        account[19] = last;
        hello.host.as_mut().unwrap().payout = Some(order(vipnode_types::Account::new(account)));
        let error = pool.connect(HOST, hello).unwrap_err();
        assert!(error.is(ErrorCode::InvalidParams) && error.message.contains("nobody has the key"), "{error:?}");
    }
}

/// What is sent to the token that the pool charges in, or to a contract of x402, is lost.
#[test]
fn a_contract_of_the_payments_is_no_payout_account() {
    let token = vipnode_types::Account::new([7; 20]);
    let terms = ChannelTerms { chain_id: 1, token, receiver: token, receiver_authorizer: token, withdraw_delay_s: 900 };
    let connects = |channel: Option<ChannelTerms>, account| {
        let (mut pool, mut hello) = (Pool::with(Limits { channel, ..Limits::default() }), host(HOST, SLOTS));
        hello.host.as_mut().unwrap().payout = Some(order(account));
        pool.connect(HOST, hello).map(drop)
    };
    for account in
        [token, contracts::ESCROW, contracts::ERC3009_COLLECTOR, contracts::PERMIT2_COLLECTOR, contracts::PERMIT2]
    {
        let error = connects(Some(terms), account).unwrap_err();
        assert!(error.is(ErrorCode::InvalidParams) && error.message.contains("is a contract"), "{error:?}");
    }
    assert_eq!(connects(None, token), Ok(()), "no pool knows each token");
}

/// `vipnode doctor` of a client whose agent runs agrees with what `vipnode status` shows.
#[test]
fn a_host_that_failed_to_connect_with_the_node_cannot_be_assigned_to_it_now() {
    let mut pool = Pool::new().with_host(HOST, SLOTS).with_client(CLIENT);
    pool.full(CLIENT, &[]);
    pool.ask(CLIENT, 1);
    pool.admit(HOST);
    pool.pass(16_000);
    let supply = check(&mut pool, CLIENT, NEWER, client(CLIENT)).unwrap();
    let why = "the only host on mainnet failed to connect to your node a moment ago (next try in 19 s)";
    assert_eq!((supply.candidates, supply.reason.as_deref()), (0, Some(why)));
    assert_eq!(check(&mut pool, SECOND_CLIENT, NEWER, client(SECOND_CLIENT)).unwrap().candidates, 1);
}
