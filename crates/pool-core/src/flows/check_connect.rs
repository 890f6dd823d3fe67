use std::net::IpAddr;

use vipnode_types::wire::{ConnectRequest, WireError};

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
        let reply = self.checked(output, (identity, address), hello).map(Reply::Checked);
        output.reply(connection, request, reply);
    }

    /// Returns why no other host is on the node's chain. It takes the core by shared reference, so a check changes nothing.
    fn checked(
        &self,
        output: &mut Output,
        (identity, address): (&Identity, IpAddr),
        hello: &ConnectRequest,
    ) -> Result<Option<String>, WireError> {
        self.check_hello(identity, hello)?;
        let room = if self.has_room_for(&identity.node) {
            Some(0)
        } else {
            let (forgets, looks) = self.room_to_make(output.now);
            output.count_steps(Some(address), looks);
            (forgets > 0).then_some(forgets)
        };
        self.check_node((identity.node, address), &hello.chain, room)?;
        let (no_hosts, looks) = self.matching.no_hosts_on(&hello.chain, identity.node, self.context());
        output.count_steps(Some(address), looks);
        Ok(no_hosts)
    }
}
