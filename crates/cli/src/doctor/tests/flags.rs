use super::*;

/// Each client in its own words, over each transport.
#[test]
fn missing_calls_have_a_hint_with_the_flags_of_the_client() {
    for (client, at, flags) in [
        (
            "Geth/v1.17.5",
            "http://h",
            "geth with --http --http.addr 127.0.0.1 --http.api admin,eth,net,web3, or pass --rpc <datadir>/geth.ipc",
        ),
        (
            "reth/v2.5.1",
            "ws://h",
            "reth with --ws --ws.addr 127.0.0.1 --ws.api admin,eth,net,web3, or pass --rpc /tmp/reth.ipc",
        ),
        ("erigon/3.1", "http://h", "erigon with --http"),
        ("besu/v26", "ws://h", "besu with --rpc-ws-enabled --rpc-ws-host=127.0.0.1 --rpc-ws-api=ADMIN,ETH,NET,WEB3"),
        ("Nethermind/v1.37", "http://h", "nethermind with --JsonRpc.Enabled true"),
        ("bor/v2", "http://h", "geth with --http"),
    ] {
        let mut facts = well();
        let missing = NodeMissing::NoCalls { at: at.into(), client: client.into(), what: "no admin".into() };
        facts.node = Err(missing);
        let ills = ills(&facts);
        assert!(
            matches!(&ills[..], [ill] if ill.check == "admin" && ill.hint.strip_prefix("Start ").is_some_and(|hint| hint.starts_with(flags))),
            "{ills:?}"
        );
    }
    assert_eq!(ClientFlags::of("besu/v26").max_peers(51), "Start besu with --max-peers=51");
    assert_eq!(
        ClientFlags::of("Nethermind/v1").address("9.9.9.9"),
        "Start nethermind with --Network.ExternalIp 9.9.9.9"
    );
}

/// Each client in its own words.
#[test]
fn what_closes_a_node_to_strangers_is_said_where_they_are_disconnected() {
    for (client, flags) in [
        ("Geth/v1.17.5", "geth with --nodiscover --netrestrict "),
        ("reth/v2.5.1", "reth with --disable-discovery --netrestrict "),
        ("erigon/3.1", "erigon with --nodiscover --netrestrict "),
        ("besu/v26", "besu with --discovery-enabled=false --net-restrict="),
        ("Nethermind/v1.37", "nethermind with --Init.DiscoveryEnabled false --Network.OnlyStaticPeers true"),
    ] {
        let mut facts = well();
        facts.wants.agent.strict = true;
        node(&mut facts).facts.client_version = client.to_owned();
        let ills = ills(&facts);
        assert!(
            matches!(&ills[..], [ill] if ill.check == "strict" && ill.hint.strip_prefix("Start ").is_some_and(|hint| hint.starts_with(flags))),
            "{ills:?}"
        );
        assert_eq!(ills[0].verdict, Verdict::Skipped);
    }
}

/// The flags in a text that an agent has that is both host and client.
fn agent_flags(text: &str, role: &str) -> Vec<String> {
    let has = |role: &str, flag: &str| {
        let command = Cli::command();
        let command = command.find_subcommand(role).unwrap();
        command.get_arguments().any(|arg| arg.get_long() == Some(flag))
    };
    let words = text.split([' ', '`', ',', '(', ')', '=']).filter_map(|word| word.strip_prefix("--"));
    let own = words.map(|word| word.trim_end_matches(['.', ':', ';']));
    own.filter(|flag| has("agent", flag) && !has(role, flag)).map(ToOwned::to_owned).collect()
}

/// `vipnode client` has no flags of a host, and `vipnode host` none of a client.
#[test]
fn each_flag_in_a_hint_is_one_that_the_role_takes() {
    let spoils: [fn(&mut Facts); 9] = [
        |facts| node(facts).exposed = Some(vec!["http://10.0.0.1:8545".into()]),
        |facts| node(facts).facts.full = false,
        |facts| node(facts).head.as_mut().unwrap().syncing = true,
        |facts| facts.now = NOW.plus(601_000),
        |facts| table(facts, 51, Direction::Inbound, false),
        |facts| table(facts, 50, Direction::Outbound, true),
        |facts| reply(facts).port = Some(Reach::Refused),
        |facts| reply(facts).port = None,
        |facts| reply(facts).admission = Admission::MembersOnly,
    ];
    for (role, spoil) in ["host", "client"].into_iter().flat_map(|role| spoils.map(|spoil| (role, spoil))) {
        let mut facts = well();
        facts.wants.agent.strict = true;
        match role {
            "host" => (facts.wants.client, facts.wants.agent.min_peers) = (false, 0),
            _ => facts.wants.agent.host = None,
        }
        spoil(&mut facts);
        for ill in ills(&facts) {
            let hint = ill.hint.replace("--node-max-peers N to `vipnode doctor`", "");
            let hint = hint.replace("--node-max-peers 59 to `vipnode doctor`", "");
            assert_eq!(agent_flags(&hint, role), [""; 0], "{role}: {ill:?}");
            let text = agent_flags(&ill.text, role);
            assert!(text.iter().all(|flag| flag == "node-max-peers"), "{role}: {ill:?}");
        }
    }
}
