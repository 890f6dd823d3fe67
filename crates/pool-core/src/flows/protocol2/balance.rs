use vipnode_types::{Amount, Asset, Ms, protocol2::Balance};

use crate::{Core, agents::node::Node};

/// Go's zero time: an agent cannot ask the pool for a payout.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

impl Core {
    /// Returns what the original shows its user about the account that pays for the node, or else about the one that
    /// receives
    /// its earnings. The original's amounts are in wei, so a pool that charges in another asset returns none.
    pub(super) fn balance2(&self, index: u32, now: Ms) -> Option<Balance> {
        let ledger = self.ledger.as_ref()?;
        if self.limits.price.asset() != Asset::ETHER {
            return None;
        }
        let payer = self.payer(index);
        let payout = self.agents.get(index).and_then(Node::host_payout).map(|payout| payout.account);
        let account = payer.or(payout)?;
        let (paid, earned) = (ledger.payer(account), ledger.payee(account));
        let running = ledger.funds(account, now).running;
        let spent = signed(paid.metered).saturating_add(signed(running));
        Some(Balance {
            account: account.to_string(),
            deposit: signed(paid.secured()),
            credit: signed(earned.payable()).saturating_sub(spent),
            next_withdraw: NO_TIME.to_owned(),
        })
    }
}

fn signed(amount: Amount) -> i128 {
    i128::try_from(amount.get()).unwrap_or(i128::MAX)
}
