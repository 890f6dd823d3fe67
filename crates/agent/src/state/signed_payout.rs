use vipnode_types::{Account, Ms, NodeId, NodeKey, PayoutOrder};

use super::{StateDir, files};
use crate::AgentError;

const PAYOUT: &str = "payout.json";

impl StateDir {
    /// The node's order to pay its earnings to `account` that an earlier start left. One that was signed after `now`, by a
    /// clock that was wrong, is not used: a pool would not accept it.
    ///
    /// # Errors
    /// [`AgentError::File`]. An order that cannot be read is as good as none.
    pub fn payout(&self, node: NodeId, account: Account, now: Ms) -> Result<Option<PayoutOrder>, AgentError> {
        let bytes = files::read(&self.dir, PAYOUT)?;
        let kept: Option<PayoutOrder> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let usable = |kept: &PayoutOrder| kept.account == account && kept.counter <= now && kept.verify(&node).is_ok();
        Ok(kept.filter(usable))
    }

    /// Has the node's key order to pay its earnings to `account`, and keeps the order for the next starts. The key itself is not
    /// kept.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub fn order_payout(&self, key: &NodeKey, account: Account, now: Ms) -> Result<PayoutOrder, AgentError> {
        let order = PayoutOrder::sign(key, account, now);
        let json = serde_json::to_vec_pretty(&order).map_err(AgentError::internal)?;
        files::write(&self.dir, PAYOUT, &json)?;
        Ok(order)
    }
}
