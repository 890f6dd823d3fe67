use tokio::sync::oneshot;
use vipnode_pool_core::{
    AddressBlock, Drains, LedgerAccountView, LedgerChange, NodePage, PayoutRow, PricingRow, RequestId,
};
use vipnode_types::{Account, Asset, QuotedPrice, payment::VoucherClaim};

use crate::engine::inbox::ReplyTo;

/// What the operator of the pool has for the core's thread, besides commands.
#[derive(Debug)]
pub(crate) enum OperatorQuery {
    /// Asks for nodes, a page at a time, so that no page holds up the agents.
    Nodes { position: u32, most: u32, answer: oneshot::Sender<NodePage> },
    /// Asks for the time that each address block used, in nanoseconds.
    CoreTime(oneshot::Sender<Vec<(AddressBlock, u64)>>),
    /// What is drained from now on.
    Drains(Drains),
    /// The entries of the ledger up to one were removed from the store.
    Pruned { last_entry: u64 },
    /// A change of the ledger, which is answered as the request with that number.
    Ledger { request: RequestId, change: Box<LedgerChange>, reply_to: ReplyTo },
    /// A price to announce, which is answered as the request with that number.
    Price { request: RequestId, price: QuotedPrice, fee_bps: Option<u16>, reply_to: ReplyTo },
    /// Asks about the epochs, or has one begin; answered as the request with that number.
    Epoch { request: RequestId, run: bool, reply_to: ReplyTo },
    /// Asks what slots cost, and what was announced; `None` without a ledger.
    Prices(oneshot::Sender<Option<PricingRow>>),
    /// Asks whether the ledger held balances or due payouts at the start, although clients do not pay.
    UnusedFunds(oneshot::Sender<bool>),
    /// Asks for accounts, from an address on. Answered with what the pool charges in; `None` without a ledger.
    Accounts { from: Option<Account>, most: usize, answer: oneshot::Sender<(Asset, Option<Vec<LedgerAccountView>>)> },
    /// Asks what can be claimed of the clients' channels, by payer after one. Answered as [`Self::Accounts`].
    Claims { after: Option<Account>, most: usize, answer: oneshot::Sender<(Asset, Option<Vec<VoucherClaim>>)> },
    /// Asks with whose key the pool claims on its own; `None` if it does not.
    ClaimsWith(oneshot::Sender<Option<Account>>),
    /// Asks for the payout with a number; `None` if there is none.
    Payout { number: u64, answer: oneshot::Sender<Option<PayoutRow>> },
    /// Asks for the number of the newest settlement period that was closed. Answered as [`Self::Accounts`].
    NewestPeriod(oneshot::Sender<(Asset, Option<u64>)>),
    /// Asks for the payouts of a settlement period, or of the newest, after a number. Answered as [`Self::Accounts`].
    Payouts {
        period: Option<u64>,
        after: Option<u64>,
        most: usize,
        answer: oneshot::Sender<(Asset, Option<Vec<PayoutRow>>)>,
    },
}
