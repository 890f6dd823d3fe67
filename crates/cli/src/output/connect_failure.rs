use vipnode_agent_core::ConnectFailure;
use vipnode_types::counted;

/// Why a pair is not connected, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectFailureText {
    /// The end of a sentence about the other node.
    pub(crate) text: String,
    /// What the reader can do about it; empty where there is nothing.
    pub(crate) hint: &'static str,
}

/// Who reads why a pair is not connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Perspective {
    /// A client's user, about a host that the pool assigned.
    Client,
    /// A client's user, about a host named on the command line.
    Direct,
    /// A host's user, about a client.
    Host,
}

/// Puts a cause into words. `version` is what the other node runs; empty where that is not known.
pub(crate) fn connect_failure(perspective: Perspective, cause: ConnectFailure, version: &str) -> ConnectFailureText {
    let then = match perspective {
        Perspective::Client => "; asking for another host",
        Perspective::Direct => "; dialing again",
        Perspective::Host => "",
    };
    let hint = match perspective {
        Perspective::Client => client_hint(cause),
        Perspective::Direct => direct_hint(cause),
        Perspective::Host => host_hint(cause),
    };
    ConnectFailureText { text: format!("{}{then}", why_not_connected(perspective, cause, version)), hint }
}

/// The cause alone.
pub(super) fn why_not_connected(perspective: Perspective, cause: ConnectFailure, version: &str) -> String {
    let runs = if version.is_empty() { String::new() } else { format!(" ({version})") };
    match cause {
        ConnectFailure::Genesis => "its genesis block differs from your node's".to_owned(),
        ConnectFailure::Network => {
            "its network ID differs from your node's, although both use the same genesis block".to_owned()
        }
        ConnectFailure::Forks => {
            "its forks differ from your node's: one of the two nodes passed a fork that the other \
             does not know or schedules at a different block"
                .to_owned()
        }
        ConnectFailure::EthVersion => format!("it{runs} and your node have no eth version in common"),
        ConnectFailure::NoLightSlot if perspective != Perspective::Host => {
            "it disconnected your light node immediately, which means that all of the host's light slots are taken"
                .to_owned()
        }
        ConnectFailure::NoLightSlot => {
            "your node disconnected it immediately, which means that all of your node's light slots are taken. Trusted \
             peers do not bypass that limit. No light node is admitted for 10 s or until one disconnects"
                .to_owned()
        }
        ConnectFailure::NoCommonProtocol => {
            "the connection closed before a protocol started, and the node did not report why. Probably, the genesis \
             blocks, forks, network IDs, or eth versions do not match"
                .to_owned()
        }
        ConnectFailure::NoDialSlot { dialed } => {
            format!(
                "your node has already dialed {} (its maximum), and the other node did not dial yours",
                counted(dialed.into(), "peer")
            )
        }
        ConnectFailure::Loopback if perspective == Perspective::Host => {
            "it was given your node's loopback address, which only a node on the same machine can dial".to_owned()
        }
        ConnectFailure::Loopback => {
            "its address is a loopback address, which leads to the machine of your own node, and no node with this ID \
             answers there"
                .to_owned()
        }
        ConnectFailure::NeverConnected if perspective == Perspective::Direct => {
            "it does not respond, or it has no free slot for your node".to_owned()
        }
        ConnectFailure::NeverConnected => "neither node reached the other".to_owned(),
    }
}

const fn client_hint(cause: ConnectFailure) -> &'static str {
    match cause {
        ConnectFailure::Genesis => "Compare your genesis file with the pool operator's.",
        ConnectFailure::Network => "Start your node with the network ID of this chain: --networkid ID.",
        ConnectFailure::Forks => {
            "Update your node, and compare the forks in your genesis file with the pool operator's."
        }
        ConnectFailure::EthVersion => {
            "Update the older of the two nodes. From now on, the pool does not assign you hosts with that release."
        }
        ConnectFailure::NoLightSlot => "",
        ConnectFailure::NoCommonProtocol => "Compare your genesis file with the pool operator's, and update your node.",
        ConnectFailure::NoDialSlot { .. } => {
            "Raise your node's --maxpeers (it dials at most a third of that many peers), or open its p2p port."
        }
        ConnectFailure::Loopback => {
            "Ask the host's operator to start the node with an address that other machines can reach: `geth --nat extip:ADDRESS`."
        }
        ConnectFailure::NeverConnected => {
            "If this continues, open your node's p2p port and check that your node has free peer slots."
        }
    }
}

const fn direct_hint(cause: ConnectFailure) -> &'static str {
    match cause {
        ConnectFailure::EthVersion => "Update the older of the two nodes.",
        ConnectFailure::NoLightSlot => "Ask its operator to raise geth's --light.maxpeers.",
        ConnectFailure::NoDialSlot { .. } => {
            "Raise your node's --maxpeers (it dials at most a third of that many peers)."
        }
        ConnectFailure::Loopback => {
            "If the host runs on another machine, pass the address of that machine: enode://ID@ADDRESS:PORT. If it runs on \
             this one, start it."
        }
        ConnectFailure::NeverConnected => {
            "Check its address and that its p2p port is open, and ask its operator to admit your node above its peer \
             limit: `vipnode host --allow <your node's id>`."
        }
        ConnectFailure::Network => "Start your node with the network ID of this chain: --networkid ID.",
        ConnectFailure::Genesis | ConnectFailure::Forks | ConnectFailure::NoCommonProtocol => {
            "Compare your genesis file with that of the host's operator, and update your node."
        }
    }
}

const fn host_hint(cause: ConnectFailure) -> &'static str {
    match cause {
        ConnectFailure::NoLightSlot => {
            "Raise geth's --light.maxpeers (it must stay below --maxpeers), or sell no more slots than that: --slots N."
        }
        ConnectFailure::EthVersion => "Update your node if it is the older of the two.",
        ConnectFailure::Network => "If this happens with every client, check your node's --networkid.",
        ConnectFailure::NoDialSlot { .. } => {
            "If this happens with every client, raise your node's --maxpeers (it dials at most a third of that many \
             peers)."
        }
        ConnectFailure::NeverConnected => "If this happens with every client, open your node's p2p port.",
        ConnectFailure::Loopback => {
            "Advertise an address that other machines can reach: --enode.host ADDRESS, or `geth --nat extip:ADDRESS`."
        }
        _ => {
            "If this happens with every client, compare your genesis file with the pool operator's and update your node."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_reads_what_it_can_do() {
        let host = connect_failure(Perspective::Host, ConnectFailure::NoLightSlot, "Geth/v1.12.0");
        assert!(host.hint.contains("--light.maxpeers") && host.hint.contains("--slots"), "{host:?}");
        let client = connect_failure(Perspective::Client, ConnectFailure::NoLightSlot, "Geth/v1.12.0");
        assert!(client.text.ends_with("asking for another host") && client.hint.is_empty(), "{client:?}");
        let loopback = connect_failure(Perspective::Host, ConnectFailure::Loopback, "Geth/v1.12.0");
        assert!(loopback.text.contains("your node's") && loopback.hint.contains("--enode.host"), "{loopback:?}");
        let versions = connect_failure(Perspective::Client, ConnectFailure::EthVersion, "Geth/v1.12.0");
        assert!(versions.text.contains("Geth/v1.12.0") && versions.hint.contains("Update the older"), "{versions:?}");
    }
}
