use std::collections::BTreeMap;

use vipnode_pool_core::{LeaseRow, Row};
use vipnode_types::{LeaseId, Price, wire::PriceCall};

use super::{Promise, Violation};

/// What each lease costs by the rows that the pool writes, and what the agents agreed to: where clients pay, the price and the fee
/// of a lease change only with a new row, after both sides agreed.
#[derive(Debug, Default)]
pub struct LeasePrices {
    /// The number of each lease's row, its price, and its fee.
    costs: BTreeMap<LeaseId, (u32, Price, u16)>,
    /// What each agent last agreed to in a row of a lease.
    agreed: BTreeMap<(LeaseId, u32, usize), (Price, u16)>,
}

impl LeasePrices {
    /// An agent agreed to a price.
    pub fn agreed(&mut self, agent: usize, call: &PriceCall) {
        self.agreed.insert((call.lease, call.row, agent), (call.price, call.fee_bps));
    }

    /// The pool starts with these rows: what it wrote later is lost.
    pub fn restarted(&mut self, rows: &[Row]) {
        let leases = rows.iter().filter_map(|row| if let Row::Lease(lease) = row { Some(lease) } else { None });
        self.costs = leases.map(|lease| (lease.id, (lease.row, lease.price, lease.fee_bps))).collect();
    }

    /// The pool writes a row of a lease. `asked` are the sides that it has to ask about a price, `pays` is whether clients pay.
    pub(super) fn written(
        &mut self,
        lease: &LeaseRow,
        asked: impl IntoIterator<Item = usize>,
        pays: bool,
    ) -> Result<(), Violation> {
        let now = (lease.price, lease.fee_bps);
        let before = self.costs.insert(lease.id, (lease.row, lease.price, lease.fee_bps));
        let Some((row, price, fee_bps)) = before.filter(|_| pays) else { return Ok(()) };
        if now == (price, fee_bps) {
            return Ok(());
        }
        if lease.row <= row {
            return Promise::Billing.broken(format!("the price changed within row {row}: {lease:?}"));
        }
        match asked.into_iter().find(|agent| self.agreed.get(&(lease.id, row, *agent)) != Some(&now)) {
            Some(agent) => Promise::Billing.broken(format!("agent {agent} did not agree to the price: {lease:?}")),
            None => Ok(()),
        }
    }
}
