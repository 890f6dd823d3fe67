use vipnode_agent_core::NotConnected;

/// Who hears why a pair is not connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hearer {
    /// A client's user, of a host that the pool gave.
    Client,
    /// A client's user, of a host that he named.
    Direct,
    /// A host's user, of a client.
    Host,
}

/// Why a pair was not connected, and who can fix it, as the end of a sentence about the other node. `version` is what
/// the other one runs, where that is known.
pub(crate) fn not_connected_words(to: Hearer, cause: NotConnected, version: &str) -> String {
    let why = why(to, cause, version);
    let then = match to {
        Hearer::Client => "; seeking another",
        Hearer::Direct => "; dialling it on",
        Hearer::Host => "",
    };
    let hint = match to {
        Hearer::Client => client_hint(cause),
        Hearer::Direct => direct_hint(cause),
        Hearer::Host => host_hint(cause),
    };
    if hint.is_empty() { format!("{why}{then}") } else { format!("{why}{then}\n  -> {hint}") }
}

fn why(to: Hearer, cause: NotConnected, version: &str) -> String {
    let runs = if version.is_empty() { String::new() } else { format!(", which is {version},") };
    match cause {
        NotConnected::Genesis => "its genesis block is not your node's".to_owned(),
        NotConnected::Network => {
            "its network id is not your node's, though both have the same genesis block".to_owned()
        }
        NotConnected::Forks => "its forks are not your node's: one of the two passed a fork that the other does not \
             know or has set for another block"
            .to_owned(),
        NotConnected::EthVersion => format!("it{runs} and your node share no version of eth"),
        NotConnected::NoLightPlace if to != Hearer::Host => {
            "it threw your light node out at once, so all its places for light nodes are taken".to_owned()
        }
        NotConnected::NoLightPlace => {
            "your node threw it out at once, so all its places for light nodes are taken, and \
             no trust gets past their limit; no light node is let in for 5 minutes, or until one of them goes"
                .to_owned()
        }
        NotConnected::NoCommonProtocol => {
            "it came and the connection was given up before a protocol ran, and the node \
             does not say why: genesis block, forks, network id or the versions of eth do not go together"
                .to_owned()
        }
        NotConnected::NoDialSlot { dialled } => {
            format!("your node dialled {dialled} peers already, which is as many as it may, and was not dialled by it")
        }
        NotConnected::Silent if to == Hearer::Direct => "it does not answer, or has no place for your node".to_owned(),
        NotConnected::Silent => "neither reached the other".to_owned(),
    }
}

const fn client_hint(cause: NotConnected) -> &'static str {
    match cause {
        NotConnected::Genesis => "compare your genesis file with the pool's operator",
        NotConnected::Network => "start your node with the network id of this chain: --networkid",
        NotConnected::Forks => "update your node, and compare the forks in your genesis file with the pool's operator",
        NotConnected::EthVersion => "update the older of the two; hosts of that release are not given to you again",
        NotConnected::NoLightPlace => "",
        NotConnected::NoCommonProtocol => "compare your genesis file with the pool's operator, and update your node",
        NotConnected::NoDialSlot { .. } => {
            "raise --maxpeers of your node (a third of it is dialled), or open its p2p port"
        }
        NotConnected::Silent => {
            "if this goes on, open your node's p2p port, and see that it takes as many peers as it has room for"
        }
    }
}

const fn direct_hint(cause: NotConnected) -> &'static str {
    match cause {
        NotConnected::EthVersion => "update the older of the two",
        NotConnected::NoLightPlace => "its operator raises --light.maxpeers of geth",
        NotConnected::NoDialSlot { .. } => "raise --maxpeers of your node (a third of it is dialled)",
        NotConnected::Silent => {
            "its operator lets your node in past its limit of peers with `vipnode host --allow <your node's id>`; \
             check its address and that its p2p port is open"
        }
        NotConnected::Network => "start your node with the network id of this chain: --networkid",
        NotConnected::Genesis | NotConnected::Forks | NotConnected::NoCommonProtocol => {
            "compare the genesis file with its operator's, and update your node"
        }
    }
}

const fn host_hint(cause: NotConnected) -> &'static str {
    match cause {
        NotConnected::NoLightPlace => {
            "raise --light.maxpeers of geth, below its --maxpeers, or sell no more places than that: --slots"
        }
        NotConnected::EthVersion => "update your node, if it is the older of the two",
        NotConnected::Network => "if it happens with each client: --networkid of your node",
        _ => "if it happens with each client, compare your genesis file with the pool's operator, and update your node",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_hears_what_it_can_fix() {
        let host = not_connected_words(Hearer::Host, NotConnected::NoLightPlace, "Geth/v1.12.0");
        assert!(host.contains("--light.maxpeers") && host.contains("--slots"), "{host}");
        let client = not_connected_words(Hearer::Client, NotConnected::NoLightPlace, "Geth/v1.12.0");
        assert!(client.ends_with("seeking another"), "there is nothing for it to fix: {client}");
        let versions = not_connected_words(Hearer::Client, NotConnected::EthVersion, "Geth/v1.12.0");
        assert!(versions.contains("Geth/v1.12.0") && versions.contains("update the older"), "{versions}");
    }
}
