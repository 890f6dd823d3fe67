use vipnode_types::wire::{DialCall, Side};

use crate::{Core, Effect, Row, agents::attached_agent::AttachedAgent, collections::slab::Handle, output::Output};

impl Core {
    /// Returns the agents that are connected, for [`Self::reattach`].
    #[must_use]
    pub fn attached(&self) -> Vec<AttachedAgent> {
        let connected = self.agents.iter().filter(|(_, node)| node.is_connected());
        let attached = connected.filter_map(|(index, node)| {
            let mut agent = self.agents.attached(node)?;
            agent.want = self.matching.wanted(index).map(|(want, avoid)| {
                let avoid = avoid.iter().filter_map(|node| self.agents.id(self.agents.live(*node)?));
                (want, avoid.collect())
            });
            (agent.price_since, agent.price_withdrawn) = (self.prices.since, self.prices.withdrawn);
            Some(agent)
        });
        attached.collect()
    }

    /// Gives agents the connections that they had in the core before this one, which was restored from the store. Agents
    /// whose nodes the store does not have are skipped.
    ///
    /// Clients get the hosts of offers that they have not seen: the answer in which the former core named them may be lost.
    /// Each agent of protocol 3 is asked for a full report with its next one.
    pub fn reattach(&mut self, agents: Vec<AttachedAgent>, out: &mut Vec<Effect>) {
        let mut output = Output::new(self.clock.now());
        let mut again = Vec::new();
        for agent in agents {
            let Some(index) = self.agents.find(&agent.node) else { continue };
            self.prices.since = self.prices.since.max(agent.price_since);
            self.prices.withdrawn = self.prices.withdrawn.max(agent.price_withdrawn);
            self.reattach_one(&mut output, index, &agent);
            again.push((index, agent.want));
        }
        // Only now all are there that others may want or avoid.
        for (index, want) in again {
            if let Some((want, avoid)) = want {
                let avoid = avoid.iter().filter_map(|id| self.agents.handle(self.agents.find(id)?));
                let avoid: Vec<Handle> = avoid.collect();
                self.matching.set_want(index, want, avoid.into_boxed_slice());
            }
            self.refresh_waiting(index);
            self.name_hosts_again(&mut output, index);
            self.ask_prices_of_host(&mut output, index);
        }
        self.persist_times(&mut output);
        output.finish(out);
    }

    fn reattach_one(&mut self, output: &mut Output, index: u32, agent: &AttachedAgent) {
        let before = self.agents.row(index);
        let from = (agent.address, agent.callable);
        let _no_older_connection = self.attach(output, index, agent.connection, from);
        let (changed, row) = self.agents.describe_again(index, agent, before, &self.limits);
        if let Some(row) = row {
            output.persist(Row::Node(Box::new(row)));
        }
        self.refresh(&changed);
        self.agents.watch(index, &self.clock, &self.limits);
    }

    /// Asks a client to dial the hosts that it was offered and has not seen.
    fn name_hosts_again(&mut self, output: &mut Output, client: u32) {
        if !self.agents.get(client).is_some_and(crate::agents::node::Node::can_dial) {
            return;
        }
        let offered = self.leases.of_client(client).filter(|(_, lease)| !lease.sees(Side::Client));
        let offered: Vec<_> = offered.map(|(_, lease)| (lease.id(), lease.host(), self.leases.price(lease))).collect();
        for (lease, host, price) in offered {
            let Some(peer) = self.agents.dialed_by(host, client, &self.limits) else { continue };
            let (price, client_version) = (price.unwrap_or_default(), self.agents.client_version(host));
            let redial_ms = self.redial_ms(client, host);
            self.call_dial(
                output,
                client,
                DialCall { lease, side: Side::Client, peer, price, client_version, redial_ms },
            );
        }
    }
}
