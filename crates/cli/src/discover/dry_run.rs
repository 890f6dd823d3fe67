use vipnode_agent_core::{AgentConfig, DirectConfig};
use vipnode_node::Node;
use vipnode_types::{Enode, NodeId, PeerCommand};

use crate::{
    error::CliError,
    output::{Line, Screen, Tone},
};

/// The commands for the peers that the user named.
fn named(direct: &DirectConfig) -> Vec<(&'static str, PeerCommand)> {
    let hosts = direct.hosts.iter().flat_map(|host| {
        let dial = ("For this host (at its resolved address)", PeerCommand::Dial(host.clone()));
        [dial, ("On exit, or when its address changes", PeerCommand::Drop(host.clone()))]
    });
    let clients = direct.allow.iter().flat_map(|client| {
        let admit = ("For this --allow client", PeerCommand::Admit(client.clone()));
        [admit, ("On exit", PeerCommand::Evict(client.clone()))]
    });
    hosts.chain(clients).collect()
}

/// Shows the calls to the node that a role makes in the life of a lease, with a made-up peer. Makes none and does
/// not contact the pool: a pool would send clients to a host that admits nobody.
pub(crate) async fn dry_run(node: &dyn Node, config: &AgentConfig, screen: Screen) -> Result<(), CliError> {
    let facts = node.facts().await?;
    let text = format!("Dry run with node {} ({}) at {}", facts.id.short(), facts.client_version, node.at());
    screen.say(&Line::new("dry_run", Tone::Plain, text));
    let someone = Enode::at(NodeId::new([0xee; 64]), std::net::Ipv4Addr::new(192, 0, 2, 1).into(), 30303);
    let id = Enode::id_only(someone.id);
    let as_host = [
        ("When the pool assigns a client", PeerCommand::Admit(id)),
        ("If the client has not connected after 2 s", PeerCommand::Dial(someone.clone())),
        ("When its lease ends, and on exit", PeerCommand::Evict(someone.clone())),
    ];
    let as_client = [
        ("When a host admits this node", PeerCommand::Dial(someone.clone())),
        ("When that lease ends, and on exit", PeerCommand::Drop(someone.clone())),
    ];
    let stranger = ("For each peer without a lease, at each check", PeerCommand::Drop(someone));
    let stranger = config.strict.then_some(stranger);
    let (host, client) = (config.pool && config.host.is_some(), config.min_peers > 0);
    let all = as_host.into_iter().filter(|_| host).chain(as_client.into_iter().filter(|_| client));
    for (when, command) in named(&config.direct).into_iter().chain(all).chain(stranger) {
        for call in node.plan(&command) {
            screen.say(&Line::new("would_call", Tone::Plain, format!("{when}: {call}")));
        }
    }
    screen.say(&Line::new(
        "dry_run_done",
        Tone::Good,
        "Dry run finished: the node was not changed, and the pool was not contacted",
    ));
    Ok(())
}
