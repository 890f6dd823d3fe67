use crate::{ConnectionId, Core, Reply, RequestId, core_error::CoreError, output::Output};

impl Core {
    /// Explains to a client why it has its hosts and no others.
    pub(crate) fn explain(&mut self, output: &mut Output, connection: ConnectionId, request: RequestId) {
        let Some(index) = self.agents.at(connection) else {
            output.reply(connection, request, Err(CoreError::NotConnected.into()));
            return;
        };
        let (matching, rng, context) = self.matching_with_rng();
        let reply = matching.explain(index, rng, context);
        let looks = reply.as_ref().map_or(1, |reply| reply.examined);
        output.count_steps(self.agents.address(index), looks);
        output.reply(connection, request, reply.map(|reply| Reply::Explain(Box::new(reply))));
    }
}
