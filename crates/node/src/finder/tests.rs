use vipnode_types::{NodeKey, TypedError};

use super::*;
use crate::sim::{SimNet, SimSpec, sim_key};

fn environment(home: &std::path::Path) -> FinderEnvironment {
    FinderEnvironment { os: Os::Linux, home: Some(home.into()), local_app_data: None, processes: None }
}

#[tokio::test]
async fn what_was_tried_is_listed_in_order_with_the_flag() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join(".ethereum");
    std::fs::create_dir_all(&dir).unwrap();
    // Left over by a node that was killed: the file stays when its listener is gone.
    drop(std::os::unix::net::UnixListener::bind(dir.join("geth.ipc")).unwrap());
    let endpoints = ipc_paths(&environment(home.path())).into_iter().map(|path| (Endpoint::Ipc(path), None));
    let locations = Locations { known: endpoints.take(4).collect(), unlocated: Vec::new() };
    let error = find_among(locations, None, &NodeAccess::default()).await.unwrap_err();
    let whys: Vec<&str> = error.tried().iter().map(|tried| tried.why.as_str()).collect();
    let missing = "the file does not exist";
    assert_eq!(whys, ["the file exists, but no node listens on it", missing, missing, missing]);
    assert!(error.tried()[1].location.ends_with("sepolia/geth.ipc"));
    assert!(error.hint().unwrap().contains("--rpc"), "{error}");
}

async fn candidate(net: &SimNet, name: &str, location: &str) -> Candidate {
    let node = net.add(SimSpec::new(name, 1));
    let facts = node.facts().await.ok();
    (Found { node, endpoint: Endpoint::Http(location.to_owned()), running: None, tried: Vec::new() }, facts)
}

#[tokio::test]
async fn of_several_nodes_none_is_taken_unless_it_is_named() {
    let both = || async {
        let net = SimNet::new();
        vec![candidate(&net, "one", "http://a").await, candidate(&net, "two", "http://b").await]
    };
    let error = choose(both().await, Silent::default(), None).unwrap_err();
    let text = error.to_string();
    assert!(["http://a", "http://b", "several"].iter().all(|part| text.contains(part)), "{text}");
    assert!(error.hint().unwrap().contains("--rpc http://a"), "{error:?}");
    let wanted = SimSpec::new("two", 1).id;
    let found = choose(both().await, Silent::default(), Some(wanted)).unwrap().unwrap();
    assert_eq!(found.endpoint.to_string(), "http://b");

    let same =
        vec![candidate(&SimNet::new(), "one", "http://c").await, candidate(&SimNet::new(), "one", "http://a").await];
    assert_eq!(choose(same, Silent::default(), None).unwrap().unwrap().endpoint.to_string(), "http://c");
    assert!(choose(Vec::new(), Silent::default(), None).unwrap().is_none());
}

/// One of two clients is restarted: the other one is not the one that the same command found before.
#[tokio::test]
async fn with_a_running_client_that_is_silent_no_other_is_taken_unless_it_is_named() {
    let one = || async {
        let net = SimNet::new();
        let (mut found, facts) = candidate(&net, "one", "http://a").await;
        found.running = Some("geth, process 1".to_owned());
        vec![(found, facts)]
    };
    let silent = || {
        let tried = Tried { location: "/b/geth.ipc".to_owned(), why: "no node listens (geth, process 2)".to_owned() };
        Silent { located: vec![tried], unlocated: Vec::new() }
    };
    let other = SimSpec::new("two", 1).id;
    for wanted in [None, Some(other)] {
        let error = choose(one().await, silent(), wanted).unwrap_err();
        let text = error.to_string();
        assert!(["http://a", "process 1", "/b/geth.ipc", "process 2"].iter().all(|part| text.contains(part)), "{text}");
        assert!(error.hint().unwrap().contains("--rpc"), "{error:?}");
    }
    let named = choose(one().await, silent(), Some(SimSpec::new("one", 1).id)).unwrap().unwrap();
    assert_eq!(named.endpoint.to_string(), "http://a");
}

#[tokio::test]
async fn a_client_whose_arguments_name_no_address_is_named_with_its_process() {
    let (home, processes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir(processes.path().join("17")).unwrap();
    std::fs::write(processes.path().join("17").join("cmdline"), "erigon").unwrap();
    let around = FinderEnvironment { processes: Some(processes.path().into()), ..environment(home.path()) };
    let locations = locations_of(&around);
    assert_eq!(locations.unlocated, ["Erigon, process 17"]);
    let locations = Locations { known: Vec::new(), ..locations };
    let error = find_among(locations, None, &NodeAccess::default()).await.unwrap_err().to_string();
    assert!(error.contains("Erigon, process 17: its arguments name no RPC address; pass it with --rpc"), "{error}");

    // A node at a default location may be that process; next to a node of another process, it is a second client.
    let unlocated =
        || Silent { unlocated: vec![Tried::without_address("Erigon, process 17".to_owned())], ..Silent::default() };
    let net = SimNet::new();
    assert!(choose(vec![candidate(&net, "one", "http://a").await], unlocated(), None).unwrap().is_some());
    let (mut found, facts) = candidate(&net, "one", "http://a").await;
    found.running = Some("geth, process 1".to_owned());
    assert!(matches!(choose(vec![(found, facts)], unlocated(), None), Err(FinderError::SeveralNodes { .. })));
}

#[tokio::test]
async fn the_key_must_be_of_this_node() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join(".ethereum").join("geth");
    std::fs::create_dir_all(&dir).unwrap();
    let spec = SimSpec::new("mine", 1);
    let node = SimNet::new().add(spec.clone());
    let endpoint = Endpoint::Sim("sim://127.0.0.1:1/mine".to_owned());
    let around = environment(home.path());
    let find = || find_node_key(&*node, &endpoint, spec.id, &around);

    std::fs::write(dir.join("nodekey"), const_hex(&sim_key("other").0)).unwrap();
    let error = find().await.unwrap_err();
    assert!(error.tried()[1].why.contains("another node"), "{error}");
    assert!(error.hint().unwrap().contains("--nodekey"), "{error}");
    let shown = error.to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[1].contains("another node") && lines.len() == 7, "the file that exists first, and a few: {shown}");
    assert!(lines[6].starts_with("  and ") && error.tried().len() > 5, "{shown}");

    std::fs::write(dir.join("nodekey"), const_hex(&sim_key("mine").0)).unwrap();
    let found = find().await.unwrap();
    assert_eq!(found.key.id(), NodeKey::read(&sim_key("mine").0).unwrap().id());
    assert!(found.path.ends_with("geth/nodekey"));
}

fn const_hex(bytes: &[u8]) -> String {
    const_hex::encode(bytes)
}

#[tokio::test]
async fn a_running_client_is_asked_first_and_named() {
    let (home, processes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = home.path().join("data");
    let process = |pid: &str, line: &str| {
        std::fs::create_dir(processes.path().join(pid)).unwrap();
        std::fs::write(processes.path().join(pid).join("cmdline"), line.replace(' ', "\0")).unwrap();
    };
    process("17", &format!("/usr/bin/geth --datadir {}", data.display()));
    process("18", "sshd: me");
    process("self", "geth --datadir /elsewhere");
    std::fs::write(processes.path().join("19"), "no process").unwrap();
    let around = FinderEnvironment { processes: Some(processes.path().into()), ..environment(home.path()) };
    let locations = locations_of(&around).known;
    assert_eq!(locations[0], (Endpoint::Ipc(data.join("geth.ipc")), Some("geth, process 17".to_owned())));
    assert!(locations[1..].iter().all(|(_, running)| running.is_none()), "{locations:?}");
    assert_eq!(locations.last().unwrap().0.to_string(), "ws://127.0.0.1:8546");

    std::fs::create_dir(&data).unwrap();
    let spec = SimSpec::new("mine", 1);
    std::fs::write(data.join("key"), const_hex(&sim_key("mine").0)).unwrap();
    let node = SimNet::new().add(spec.clone());
    let endpoint = Endpoint::Sim("sim://127.0.0.1:1/mine".to_owned());
    let found = find_node_key(&*node, &endpoint, spec.id, &around).await.unwrap();
    assert_eq!(found.path, data.join("key"), "Besu's name, in the folder that the process was given");
}

/// A suspended process accepts connections, so "start the node" does not help.
#[test]
fn the_hint_is_of_the_location_that_came_nearest() {
    let at = || "/x/geth.ipc".to_owned();
    let absent = NodeError::Unreachable { at: at(), kind: std::io::ErrorKind::NotFound, why: String::new() };
    let suspended = NodeError::Expired { at: at(), method: "web3_clientVersion".to_owned(), ms: 5_000 };
    let unusable = NodeError::NotOffered { at: at(), method: "admin_peers".to_owned() };
    assert!(closeness(&absent) < closeness(&suspended) && closeness(&suspended) < closeness(&unusable));
    assert!(suspended.hint().unwrap().contains("suspended"));
}
