use std::net::IpAddr;

use vipnode_types::{
    NodeId,
    wire::{NoticeCall, PayoutView},
};

use crate::{
    ConnectionId, Core, NewPayout, Reply, RequestId, Row,
    agents::{host_payout::HostPayout, node::Node},
    core_error::CoreError,
    output::Output,
};

impl Core {
    /// Answers a node's order of a payout account.
    pub(crate) fn payout(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        address: IpAddr,
        (node, order): (NodeId, NewPayout),
    ) {
        output.count_steps(Some(address), 1);
        match self.order_payout(output, node, order) {
            Ok(payout) => output.reply_durably(connection, request, Reply::Payout(payout)),
            Err(error) => output.reply(connection, request, Err(error.into())),
        }
    }

    fn order_payout(&mut self, output: &mut Output, node: NodeId, order: NewPayout) -> Result<PayoutView, CoreError> {
        let index = self.agents.find(&node).ok_or(CoreError::UnknownNode)?;
        self.take_payout(output, index, order)?;
        self.persist_node(output, index);
        self.show_payout(output, index).ok_or(CoreError::UnknownNode)
    }

    /// Carries out an order of a node's key; the caller stores the node. The newest order again changes nothing.
    pub(crate) fn take_payout(&mut self, output: &mut Output, host: u32, order: NewPayout) -> Result<(), CoreError> {
        order.check(output.now, &self.limits)?;
        match self.agents.get(host).and_then(Node::host_payout).copied() {
            None => self.change_payout(output, host, HostPayout::first(order)),
            Some(before) if order.counter <= before.counter => {
                let newest = before.next.map_or(before.account, |(account, _)| account);
                if (order.account, order.counter) != (newest, before.counter) {
                    return Err(CoreError::OldPayout { newest: before.counter.get() });
                }
            }
            Some(before) => self.agents.set_payout(host, before.ordered(order, output.now, &self.limits)),
        }
        Ok(())
    }

    /// Changes the payout account of one host for which that is due. Returns false if none is.
    pub(crate) fn payout_due(&mut self, output: &mut Output) -> bool {
        let Some(host) = self.agents.next_payout_by(output.now) else { return false };
        let before = self.agents.get(host).and_then(Node::host_payout);
        let Some(payout) = before.and_then(|payout| payout.changed(output.now)) else { return false };
        self.change_payout(output, host, payout);
        self.persist_node(output, host);
        self.show_payout(output, host);
        true
    }

    /// Has a connected host show its user the account that receives what it earns. Returns that account.
    fn show_payout(&mut self, output: &mut Output, host: u32) -> Option<PayoutView> {
        let payout = self.agents.get(host).and_then(Node::host_payout)?.view();
        self.call_notice(output, host, NoticeCall::Payout(payout));
        Some(payout)
    }

    /// Changes the account that earns what a host serves: its rows end first, and the next ones are for the new account.
    fn change_payout(&mut self, output: &mut Output, host: u32, payout: HostPayout) {
        let leases: Vec<u32> = self.leases.of_host(host).map(|(index, _)| index).collect();
        for &index in &leases {
            self.end_row(output, index);
        }
        self.agents.set_payout(host, payout);
        for &index in &leases {
            self.begin_charges(index);
            self.persist_lease(output, index);
        }
        for index in leases {
            self.ask_price(output, index);
        }
    }

    /// Writes the current state of a node.
    pub(crate) fn persist_node(&self, output: &mut Output, index: u32) {
        if let Some(row) = self.agents.row(index) {
            output.persist(Row::Node(Box::new(row)));
        }
    }
}
