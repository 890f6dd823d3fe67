use std::{cell::RefCell, io, path::Path, rc::Rc, time::Duration};

use tokio::time::sleep;
use vipnode_pool::admin::{
    AdminClient, AdminError, AdminPayoutState, LedgerOrder, LedgerRequest, PayoutsRequest, admin_socket,
};
use vipnode_sim::SimRng;
use vipnode_types::{Account, Amount};

use super::{client_accounts::ClientAccounts, known_state::KnownState};

/// More than all leases of a test cost, in smallest units.
const PLENTY: u64 = 1 << 50;
/// About what a lease of a test costs.
const LITTLE: u64 = 100_000;

/// An operator who orders something at the pool's admin socket all the time, each order with a key.
pub(super) struct AdminOperator {
    client: AdminClient,
    known: Rc<RefCell<KnownState>>,
    /// The accounts of clients that are credited, and those that may owe.
    payers: [Vec<Account>; 2],
    /// The accounts of hosts.
    payees: Vec<Account>,
    rng: SimRng,
}

impl AdminOperator {
    pub(super) fn new(
        dir: &Path,
        known: &Rc<RefCell<KnownState>>,
        (clients, payees): (&[ClientAccounts], Vec<Account>),
        rng: SimRng,
    ) -> Self {
        let payers = [0, 1].map(|kind| clients.iter().map(|client| client.account(kind)).collect());
        Self { client: AdminClient::new(admin_socket(dir)), known: Rc::clone(known), payers, payees, rng }
    }

    /// Credits each account, or sets its limit, once.
    ///
    /// # Errors
    /// The pool refused it, or forgot that it was done.
    pub(super) async fn set_up(&self) -> io::Result<()> {
        let [credited, owing] = &self.payers;
        let amount = Amount::new(PLENTY.into());
        let credits = credited.iter().map(|&account| LedgerOrder::Credit { account, amount });
        let limits = owing.iter().map(|&account| LedgerOrder::Limit { account, amount });
        for (number, change) in credits.chain(limits).enumerate() {
            let key = format!("first {number}");
            if !self.known.borrow().orders.is_answered(&key) {
                self.order(&key, change).await?;
            }
        }
        Ok(())
    }

    /// Orders until the pool ends.
    ///
    /// # Errors
    /// The pool posted something twice, or refused what it had posted.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let unanswered = self.known.borrow().orders.unanswered();
        if let Some((key, change)) = unanswered
            && !self.order(&key, change).await?
        {
            return Ok(());
        }
        while let Some(change) = self.next_change().await {
            let key = format!("order {}", self.known.borrow().orders.count());
            if !self.order(&key, change).await? {
                break;
            }
            sleep(Duration::from_millis(self.rng.below(10))).await;
        }
        Ok(())
    }

    /// Draws an order; `None` if the pool has ended.
    async fn next_change(&mut self) -> Option<LedgerOrder> {
        let (rng, [credited, owing]) = (&mut self.rng, &self.payers);
        let pick = |rng: &mut SimRng, accounts: &[Account]| accounts.get(rng.index(accounts.len())).copied();
        let amount = Amount::new(rng.range(1, LITTLE).into());
        Some(match rng.below(10) {
            0..=2 => LedgerOrder::Credit { account: pick(rng, owing)?, amount },
            3 => LedgerOrder::Credit { account: pick(rng, credited)?, amount },
            4 => LedgerOrder::Debit { account: pick(rng, credited)?, amount },
            5 => LedgerOrder::Limit {
                account: pick(rng, owing)?,
                amount: Amount::new((PLENTY + rng.below(LITTLE)).into()),
            },
            6 => LedgerOrder::Correction { account: pick(rng, &self.payees)?, amount, takes: false },
            7 => LedgerOrder::ClosePeriod,
            _ => return self.payout().await,
        })
    }

    /// Marks a payout of the newest period, or closes a period if there is none.
    async fn payout(&mut self) -> Option<LedgerOrder> {
        let listed = self.client.payouts(&PayoutsRequest { most: 100, ..PayoutsRequest::default() }).await.ok()?;
        let due = listed.payouts.iter().find(|payout| payout.state == AdminPayoutState::Due);
        let paid = listed.payouts.iter().find(|payout| payout.state == AdminPayoutState::Paid);
        Some(match (due, paid) {
            (Some(due), _) if self.rng.chance(600) => LedgerOrder::Paid { payout: due.payout },
            (Some(marked), None) | (_, Some(marked)) => LedgerOrder::Bounced { payout: marked.payout },
            (None, None) => LedgerOrder::ClosePeriod,
        })
    }

    /// Sends an order, perhaps again. Returns whether it was answered.
    async fn order(&self, key: &str, change: LedgerOrder) -> io::Result<bool> {
        self.known.borrow_mut().orders.sends(key, change);
        let (reason, key) = ("a test".to_owned(), key.to_owned());
        let request = LedgerRequest { change, reason, key: Some(key.clone()), allow_negative: false };
        let answer = self.client.change_ledger(&request).await;
        let orders = &mut self.known.borrow_mut().orders;
        let known = match answer {
            Ok(posted) => orders.posted(&key, &posted),
            Err(AdminError::Refused(_)) => orders.refused(&key),
            Err(_) => return Ok(false),
        };
        known.map(|()| true)
    }
}
