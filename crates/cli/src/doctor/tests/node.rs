use super::*;

/// A client's hosts are peers that the node does not trust, so only its agent can distinguish them.
#[test]
fn own_peers_are_counted_as_by_the_running_agent() {
    let text = |own_peers| {
        let mut facts = well();
        node(&mut facts).own_peers = own_peers;
        evaluate(&facts).into_iter().find(|finding| finding.check == "peers").unwrap().text
    };
    assert_eq!(text(None), "The node has 1 peer, 1 of its own");
    assert_eq!(text(Some(0)), "The node has 1 peer, 0 of its own");
}

#[test]
fn each_problem_of_the_node_has_its_hint() {
    finds(&[
        (
            |facts| node(facts).exposed = Some(vec!["http://10.0.0.1:8545".into()]),
            "admin",
            Verdict::Warning,
            "--http.addr 127.0.0.1",
        ),
        (|facts| node(facts).exposed = None, "admin", Verdict::Skipped, ""),
        (|facts| node(facts).key = Some(Err(fault())), "key", Verdict::Error, "fix it"),
        (
            |facts| node(facts).key = Some(Ok(KeyFacts::Delegated { until: NOW.plus(DAY) })),
            "key",
            Verdict::Warning,
            "--nodekey",
        ),
        (|facts| node(facts).facts.full = false, "chain", Verdict::Error, "vipnode client"),
        (|facts| node(facts).head = Err(fault()), "head", Verdict::Error, "fix it"),
        (
            |facts| node(facts).head = Err(NodeError::NoBlock { at: "/x/geth.ipc".to_owned() }.into()),
            "head",
            Verdict::Error,
            "Wait until the node has read its database",
        ),
        (|facts| facts.now = NOW.plus(601_000), "head", Verdict::Error, "consensus client"),
        (
            |facts| facts.wants.agent.host = Some(host(35)),
            "slots",
            Verdict::Error,
            "geth with --maxpeers 51 and pass --node-max-peers 51, or pass --slots 34",
        ),
        (
            |facts| node(facts).facts.protocols = ["eth", "les"].map(|name| name.parse().unwrap()).to_vec(),
            "light_slots",
            Verdict::Skipped,
            "",
        ),
        (|facts| node(facts).peers = Err(fault()), "peers", Verdict::Error, "fix it"),
        (|facts| table(facts, 51, Direction::Inbound, false), "peers", Verdict::Warning, "--node-max-peers"),
        (|facts| table(facts, 50, Direction::Inbound, true), "peers", Verdict::Warning, "geth with --maxpeers 66"),
        (
            |facts| table(facts, 16, Direction::Outbound, false),
            "dial_slots",
            Verdict::Warning,
            "geth with --maxpeers 59",
        ),
    ]);
}

#[test]
fn a_syncing_node_sells_nothing() {
    let mut facts = well();
    node(&mut facts).head.as_mut().unwrap().syncing = true;
    assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "head" && ill.verdict == Verdict::Error));
    facts.wants.agent.host = None;
    assert_eq!(ills(&facts), [], "a client's node may sync");
}
