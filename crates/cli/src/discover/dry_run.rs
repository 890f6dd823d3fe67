use vipnode_agent_core::{AgentConfig, DirectConfig};
use vipnode_node::{Node, PeerCommand};
use vipnode_types::{Enode, NodeId};

use crate::{
    error::Failure,
    output::{Line, Screen, Tone},
};

/// What is done for the peers that the user named.
fn named(direct: &DirectConfig) -> Vec<(&'static str, PeerCommand)> {
    let hosts = direct.hosts.iter().flat_map(|host| {
        let dial = ("for this host, at the address of its name", PeerCommand::Dial(host.clone()));
        [dial, ("when we stop, or it moves", PeerCommand::Drop(host.clone()))]
    });
    let clients = direct.allow.iter().flat_map(|client| {
        let admit = ("for this client of --allow", PeerCommand::Admit(client.clone()));
        [admit, ("when we stop", PeerCommand::Evict(client.clone()))]
    });
    hosts.chain(clients).collect()
}

/// Shows the calls to the node that a role makes in the life of a lease, with a made-up peer. Makes none and does
/// not contact the pool: a pool would send clients to a host that lets nobody in.
pub(crate) async fn dry_run(node: &dyn Node, config: &AgentConfig, screen: Screen) -> Result<(), Failure> {
    let facts = node.facts().await?;
    let text = format!("dry run beside node {} ({}) at {}", facts.id.short(), facts.client_version, node.at());
    screen.say(&Line::new("dry_run", Tone::Plain, text));
    let someone = Enode::at(NodeId::new([0xee; 64]), std::net::Ipv4Addr::new(192, 0, 2, 1).into(), 30303);
    let id = Enode::id_only(someone.id);
    let as_host = [
        ("when the pool gives us a client", PeerCommand::Admit(id)),
        ("if the client has not connected after 2 s", PeerCommand::Dial(someone.clone())),
        ("when its lease ends, and when we stop", PeerCommand::Evict(someone.clone())),
    ];
    let as_client = [
        ("when a host lets us in", PeerCommand::Dial(someone.clone())),
        ("when that lease ends, and when we stop", PeerCommand::Drop(someone.clone())),
    ];
    let stranger = ("for each peer that is on no lease, at each look", PeerCommand::Drop(someone));
    let stranger = config.strict.then_some(stranger);
    let (host, client) = (config.pool && config.host.is_some(), config.min_peers > 0);
    let all = as_host.into_iter().filter(|_| host).chain(as_client.into_iter().filter(|_| client));
    for (when, command) in named(&config.direct).into_iter().chain(all).chain(stranger) {
        for call in node.plan(&command) {
            screen.say(&Line::new("would_call", Tone::Plain, format!("{when}: {call}")));
        }
    }
    screen.say(&Line::new("dry_run_done", Tone::Good, "nothing was changed, and the pool was not contacted"));
    Ok(())
}
