use std::net::IpAddr;

use vipnode_types::{
    Account, Ms,
    wire::{AccountView, NodeFunds},
};

use crate::{ConnectionId, Core, Reply, RequestId, agents::node::Node, core_error::CoreError, output::Output};

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
        let nodes: Vec<_> = ledger.nodes_of(account).collect();
        Ok(AccountView {
            asset: self.limits.price.asset(),
            time_ms: output.now,
            credited: payer.received,
            debited: payer.debited(),
            spent: payer.metered,
            funds: ledger.funds(account, output.now),
            earned: payee.metered,
            secured: payee.collected,
            payable: payee.payable(),
            nodes,
            leaving: self.agents.leaving(account, self.limits.nodes_an_account),
        })
    }

    /// Answers with what the caller's own node may still spend, and what it earned.
    pub(crate) fn funds(&mut self, output: &mut Output, connection: ConnectionId, request: RequestId) {
        let reply = self.node_funds(connection, output.now).map(|funds| Reply::Funds(Box::new(funds)));
        output.reply(connection, request, reply.map_err(Into::into));
    }

    fn node_funds(&self, connection: ConnectionId, now: Ms) -> Result<NodeFunds, CoreError> {
        let index = self.agents.at(connection).ok_or(CoreError::NotConnected)?;
        let ledger = self.ledger.as_ref().ok_or(CoreError::NoLedger)?;
        let account = self.agents.id(index).and_then(|node| ledger.payer_of(&node));
        let host = self.agents.get(index).and_then(Node::host_payout);
        let payout = host.map(|host| host.account);
        let payee = payout.map(|payout| ledger.payee(payout)).unwrap_or_default();
        Ok(NodeFunds {
            asset: self.limits.price.asset(),
            account,
            funds: account.map(|account| ledger.funds(account, now)).unwrap_or_default(),
            payout,
            next_payout: host.and_then(|host| host.view().next),
            earned: payee.metered,
            payable: payee.payable(),
            channel: account
                .and_then(|account| ledger.channel_funds(account, self.limits.chain_id(), self.clock.now())),
        })
    }
}
