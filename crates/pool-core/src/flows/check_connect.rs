use std::net::IpAddr;

use vipnode_types::wire::ConnectRequest;

use crate::{ConnectionId, Core, Identity, Reply, RequestId, output::Output};

impl Core {
    /// Checks whether a connect would be accepted, by the rules of a connect. Nothing connects, and a connection of the same
    /// node stays.
    pub(crate) fn check_connect(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        (identity, address): (&Identity, IpAddr),
        hello: &ConnectRequest,
    ) {
        let node = (identity.node, address);
        let checked = self.check_hello(identity, hello).and_then(|()| self.check_node(output, node, &hello.chain));
        let reply = checked.map(|_payer| {
            let (matching, context) = self.matching();
            let (no_hosts, looks) = matching.no_hosts_on(&hello.chain, identity.node, context);
            output.count_steps(Some(address), looks);
            Reply::Checked(no_hosts)
        });
        output.reply(connection, request, reply);
    }
}
