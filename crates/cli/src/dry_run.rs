use vipnode_node::{Node, PeerCommand};
use vipnode_types::{Enode, NodeId};

use crate::{
    failure::Failure,
    screen::{Line, Screen, Tone},
};

/// Shows the calls to the node that a role makes in the life of a lease, with a made-up peer. Makes none and does
/// not contact the pool: a pool would send clients to a host that lets nobody in.
pub(crate) async fn dry_run(node: &dyn Node, host: bool, client: bool, screen: Screen) -> Result<(), Failure> {
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
        ("when that lease ends, and when we stop", PeerCommand::Drop(someone)),
    ];
    let all = as_host.iter().filter(|_| host).chain(as_client.iter().filter(|_| client));
    for (when, command) in all {
        for call in node.plan(command) {
            screen.say(&Line::new("would_call", Tone::Plain, format!("{when}: {call}")));
        }
    }
    screen.say(&Line::new("dry_run_done", Tone::Good, "nothing was changed, and the pool was not contacted"));
    Ok(())
}
