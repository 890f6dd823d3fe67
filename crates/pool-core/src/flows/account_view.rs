use std::net::IpAddr;

use vipnode_types::{
    Account, Amount, NodeId,
    wire::{AccountView, NodeFunds},
};

use crate::{
    ConnectionId, Core, Reply, RequestId, agents::node::Node, core_error::CoreError, metering::billed_period::Ends,
    output::Output,
};

impl Core {
    /// Answers with the figures of an account, which has signed the call.
    pub(crate) fn account(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        address: IpAddr,
        account: Account,
    ) {
        let reply = self.account_view(account, output);
        let steps = reply.as_ref().map_or(1, |view| view.nodes.len());
        output.count_steps(Some(address), u32::try_from(steps).unwrap_or(u32::MAX));
        output.reply(connection, request, reply.map(|view| Reply::Account(Box::new(view))).map_err(Into::into));
    }

    fn account_view(&self, account: Account, output: &Output) -> Result<AccountView, CoreError> {
        let ledger = self.ledger.as_ref().ok_or(CoreError::NoLedger)?;
        let (payer, payee) = (ledger.payer(account), ledger.payee(account));
        let nodes: Vec<_> = ledger.links.nodes(account).collect();
        let running = nodes.iter().map(|node| self.running_cost(node));
        Ok(AccountView {
            asset: self.limits.price.asset(),
            time_ms: output.now,
            credited: payer.received,
            debited: payer.debited(),
            spent: payer.metered,
            running: running.fold(Amount::ZERO, |sum, cost| sum.checked_add(cost).unwrap_or(Amount::MAX)),
            limit: payer.limit,
            earned: payee.metered,
            secured: payee.collected,
            payable: payee.payable(),
            nodes,
            leaving: self.agents.leaving(account, self.limits.nodes_an_account),
        })
    }

    /// What the running billing periods of a node have cost its account so far.
    fn running_cost(&self, node: &NodeId) -> Amount {
        let Some(index) = self.agents.find(node) else { return Amount::ZERO };
        let leases = self.leases.of_client(index).map(|(_, lease)| lease).filter(|lease| lease.is_running());
        let costs = leases.filter_map(|lease| {
            let row = self.lease_row(lease).filter(|row| row.payee.is_some())?;
            let running_ms = Ends::of(lease, &self.agents).common().since(lease.both_up());
            Some(row.price.cost_from(running_ms, row.carry)?.0)
        });
        costs.fold(Amount::ZERO, |sum, cost| sum.checked_add(cost).unwrap_or(Amount::MAX))
    }

    /// Answers with what the caller's own node may still spend, and what it earned.
    pub(crate) fn funds(&mut self, output: &mut Output, connection: ConnectionId, request: RequestId) {
        let reply = self.node_funds(connection).map(|funds| Reply::Funds(Box::new(funds)));
        output.reply(connection, request, reply.map_err(Into::into));
    }

    fn node_funds(&self, connection: ConnectionId) -> Result<NodeFunds, CoreError> {
        let index = self.agents.at(connection).ok_or(CoreError::NotConnected)?;
        let ledger = self.ledger.as_ref().ok_or(CoreError::NoLedger)?;
        let account = self.agents.id(index).and_then(|node| ledger.links.payer(&node));
        let payer = account.map(|account| ledger.payer(account)).unwrap_or_default();
        let host = self.agents.get(index).and_then(Node::host_payout);
        let payout = host.map(|host| host.account);
        let payee = payout.map(|payout| ledger.payee(payout)).unwrap_or_default();
        Ok(NodeFunds {
            asset: self.limits.price.asset(),
            account,
            available: payer.available(),
            owed: payer.debt(),
            payout,
            next_payout: host.and_then(|host| host.view().next),
            earned: payee.metered,
            payable: payee.payable(),
            channel: account
                .and_then(|account| ledger.channel_funds(account, self.limits.chain_id(), self.clock.now())),
        })
    }
}
