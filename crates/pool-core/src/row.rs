//! The durable state, as plain values. A store keeps the newest value of each key.

use vipnode_types::{Account, Amount, Asset, ChainSpec, Enode, LeaseId, Ms, NodeId, PaymentMode, Price, meter::Seen};

use crate::{
    AccountRow, AddressBlock, ChainTransactionRow, ChannelRow, Credentials, EpochClaimRow, EpochRow, HostPayout,
    LedgerEntry, LinkRow, NextPricing, PairWeek, PayoutRow, Pricing, Proven, SettlementPeriodRow, UnpaidRow,
};

/// One durable fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A node and its newest delegation.
    Node(Box<NodeRow>),
    /// A running lease.
    Lease(Box<LeaseRow>),
    /// A finished billing period. Immutable: the same key is never written with a different value.
    Metered(Box<MeteredPeriod>),
    /// When each of these nodes last reported. Written every few minutes.
    LastReport(Vec<LastReport>),
    /// A lower bound for pool time, so that it does not run backward over a restart.
    Clock(Ms),
    /// The number of the next lease.
    NextLease(u64),
    /// The database is a backup that was restored.
    Restore(RestoreRow),
    /// What the pool charges in. It never changes, and comes before the first row that holds an amount ([`Row::is_in_asset`]).
    Asset(Asset),
    /// The time that a client spent with its hosts.
    Times(Box<TimesRow>),
    /// A finished billing period that is not in the journal yet, because one of its nodes ended too many within an hour.
    /// Further periods of the same pair are merged into it.
    Deferred(Box<MeteredPeriod>),
    /// The newest delegation of a node that was forgotten and had shown more than one.
    Delegation(DelegationRow),
    /// How clients pay.
    Payment(PaymentMode),
    /// What slots cost, and what was announced.
    Pricing(Box<PricingRow>),
    /// An entry of the ledger's journal. Immutable.
    Entry(Box<LedgerEntry>),
    /// The sums of a ledger account.
    Account(AccountRow),
    /// An account that pays for a node.
    Link(LinkRow),
    /// The newest counter that an account has signed. It is never deleted.
    LinkCounter(Account, u64),
    /// A payment channel with its newest voucher. It replaces an earlier one with the same payer authorizer.
    Channel(Box<ChannelRow>),
    /// A cost that is not fully secured.
    Unpaid(UnpaidRow),
    /// The newest settlement period.
    Period(SettlementPeriodRow),
    /// What the operator has to pay to a payee.
    Payout(PayoutRow),
    /// The newest epoch.
    Epoch(Box<EpochRow>),
    /// What the newest epoch claims from one channel.
    EpochClaim(Box<EpochClaimRow>),
    /// A transaction of the claimer whose block is not final.
    ChainTransaction(Box<ChainTransactionRow>),
    /// Removes the row with a key.
    Delete(RowKey),
}

impl Row {
    /// Whether the row holds an amount or a price of what the pool charges in, other than nothing. As long as a store has no
    /// such row, the pool may charge in another asset.
    #[must_use]
    pub fn is_in_asset(&self) -> bool {
        match self {
            Self::Entry(_)
            | Self::Account(_)
            | Self::Channel(_)
            | Self::Unpaid(_)
            | Self::Payout(_)
            | Self::EpochClaim(_) => true,
            Self::Pricing(row) => {
                let next = row.next.map(|next| next.pricing);
                [Some(row.settings), Some(row.current), next].into_iter().flatten().any(|of| !of.price.is_free())
            }
            Self::Lease(lease) => !lease.price.is_free(),
            Self::Metered(period) | Self::Deferred(period) => !period.lease.price.is_free(),
            Self::Node(_)
            | Self::LastReport(_)
            | Self::Clock(_)
            | Self::NextLease(_)
            | Self::Restore(_)
            | Self::Asset(_)
            | Self::Times(_)
            | Self::Delegation(_)
            | Self::Payment(_)
            | Self::Link(_)
            | Self::LinkCounter(..)
            | Self::Period(_)
            | Self::Epoch(_)
            | Self::ChainTransaction(_)
            | Self::Delete(_) => false,
        }
    }
}

impl PricingRow {
    /// The same for a pool that charges in this asset: nothing in any asset is nothing in another one.
    pub(crate) fn in_asset(self, asset: Asset) -> Self {
        let of = |pricing: Pricing| {
            let price = if pricing.price.is_free() { Price::free(asset) } else { pricing.price };
            Pricing { price, ..pricing }
        };
        let next = self.next.map(|next| NextPricing { pricing: of(next.pricing), ..next });
        Self { settings: of(self.settings), current: of(self.current), next, ..self }
    }
}

/// Which row of a store is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKey {
    /// The row of a node.
    Node(NodeId),
    /// A running lease.
    Lease(LeaseId),
    /// The time that a client spent with its hosts.
    Times(NodeId),
    /// A finished row that is not in the journal yet, by its client and its host.
    Deferred(NodeId, NodeId),
    /// The newest delegation of a forgotten node.
    Delegation(NodeId),
    /// An account that pays for a node.
    Link(NodeId),
    /// A cost that is now fully secured, by its entry in the journal.
    Unpaid(u64),
    /// A payout of a settlement period long ago, by its number.
    Payout(u64),
    /// What an epoch claimed from the channel of a payer authorizer.
    EpochClaim(Account),
    /// A transaction of the claimer that is final, by its nonce.
    ChainTransaction(u64),
}

/// The newest restore of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreRow {
    /// When it was restored, by the clock of its machine. What the pool accepted between the backup and then is lost.
    pub at: Ms,
    /// Whether the billing periods that ran in the backup have ended.
    pub is_settled: bool,
}

/// The time of a week that a client spent with its hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimesRow {
    /// Public key of the client's node.
    pub client: NodeId,
    /// Where the client was.
    pub block: Option<AddressBlock>,
    /// The time with hosts that are not remembered one by one.
    pub others: PairWeek,
    /// The time with each host.
    pub hosts: Vec<HostTimeRow>,
}

/// The time of a week that a client spent with one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostTimeRow {
    /// Public key of the host's node.
    pub host: NodeId,
    /// Where the host was.
    pub block: Option<AddressBlock>,
    /// How long the pair was connected, and how much of it was billed.
    pub time: PairWeek,
}

/// When the newest delegation of a node was issued that is forgotten otherwise. An older one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelegationRow {
    /// Public key of the node.
    pub id: NodeId,
    /// When the delegation was issued.
    pub issued: Ms,
    /// The address block that the node counted for.
    pub block: AddressBlock,
}

/// When a node last reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastReport {
    /// Public key of the node.
    pub id: NodeId,
    /// When its agent last reported.
    pub seen: Ms,
    /// The newest nonce of protocol 2, or 0.
    pub nonce: u64,
}

/// What slots cost, and what was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricingRow {
    /// What the settings said when the price was last announced because of them.
    pub settings: Pricing,
    /// What new leases cost.
    pub current: Pricing,
    /// When that was announced.
    pub announced: Ms,
    /// Since when it counts.
    pub since: Ms,
    /// What was announced since then.
    pub next: Option<NextPricing>,
}

/// A node as the pool remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// The node's id.
    pub id: NodeId,
    /// The signer that last represented it.
    pub credentials: Credentials,
    /// When it last reported, as of the last write.
    pub seen: Ms,
    /// The chain that it follows.
    pub chain: ChainSpec,
    /// Where other nodes may dial it.
    pub enode: Option<Enode>,
    /// The account that is paid for its slots.
    pub payout: Option<HostPayout>,
    /// Whether it ever offered slots.
    pub host: bool,
    /// Whether it ever asked for hosts.
    pub client: bool,
    /// Whether it was paired with others for long enough.
    pub proven: Proven,
    /// Whether its newest delegation replaced an older one: then it is known for longer than the node.
    pub replaced: bool,
    /// The address block that it counts for among the nodes that the pool remembers; `None` in a closed pool.
    pub block: Option<AddressBlock>,
    /// How much of its trial it used as a client, in milliseconds, without a trial that runs.
    pub trial_used_ms: u32,
}

/// A running lease: everything that its meter needs, fixed when its row began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The lease's id, which stays the same from row to row.
    pub id: LeaseId,
    /// The number of the current billing period: 0, then one more after each rollover or return.
    pub row: u32,
    /// The node that uses the slot.
    pub client: NodeId,
    /// The node that provides the slot.
    pub host: NodeId,
    /// The account that is paid.
    pub payee: Option<Account>,
    /// The account that pays.
    pub payer: Option<Account>,
    /// The price of the slot.
    pub price: Price,
    /// The operator's fee, in basis points of what the client pays.
    pub fee_bps: u16,
    /// Whether it is a trial, which is free where others are not.
    pub trial: bool,
    /// What the billing periods before at this price left of the smallest unit: `Price::cost_from`.
    pub carry: u32,
    /// When the pool offered the slot.
    pub offered: Ms,
    /// When the client first saw the host, and when it reported it as gone.
    pub client_seen: Option<(Ms, Option<Ms>)>,
    /// When the host first saw the client, and when it reported it as gone.
    pub host_seen: Option<(Ms, Option<Ms>)>,
}

impl LeaseRow {
    /// Whether both sides have seen each other, so that its meter runs.
    pub(crate) const fn is_running(&self) -> bool {
        self.client_seen.is_some() && self.host_seen.is_some()
    }
}

/// A finished billing period, with both ends fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeteredPeriod {
    /// The lease, in its last state.
    pub lease: LeaseRow,
    /// What the client saw.
    pub client: Option<Seen>,
    /// What the host saw.
    pub host: Option<Seen>,
    /// `meter::billed_ms` of both.
    pub billed_ms: u64,
    /// The price of `billed_ms`, from the lease's `carry` on; 0 if it would be beyond 2^128 - 1.
    pub cost: Amount,
    /// When the row ended.
    pub ended: Ms,
    /// Rows of the same client, host, and payee that ended before it and are not in the journal one by one.
    pub earlier: MergedPeriods,
    /// Rows of the same lease and UTC day that ended before it and that the store folded into it: its times, cost, and carry are of all
    /// of them.
    pub folded: u32,
}

/// The sums of several finished rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergedPeriods {
    /// How many rows were merged.
    pub rows: u32,
    /// What they billed, in milliseconds.
    pub billed_ms: u64,
    /// What they cost.
    pub cost: Amount,
}

impl MeteredPeriod {
    /// What it and the rows merged into it bill, in milliseconds.
    #[must_use]
    pub const fn total_billed_ms(&self) -> u64 {
        self.billed_ms.saturating_add(self.earlier.billed_ms)
    }

    /// What it and the rows merged into it cost; at most 2^128 - 1.
    #[must_use]
    pub fn total_cost(&self) -> Amount {
        self.cost.checked_add(self.earlier.cost).unwrap_or(Amount::MAX)
    }

    /// How many earlier rows are part of it.
    #[must_use]
    pub const fn merged_rows(&self) -> u32 {
        self.earlier.rows.saturating_add(self.folded)
    }

    /// Merges a row that ended before it into it.
    pub(crate) fn add(&mut self, before: &Self) {
        let MergedPeriods { rows, billed_ms, cost } = self.earlier;
        self.earlier = MergedPeriods {
            rows: rows.saturating_add(before.earlier.rows).saturating_add(1),
            billed_ms: billed_ms.saturating_add(before.total_billed_ms()),
            cost: cost.checked_add(before.total_cost()).unwrap_or(Amount::MAX),
        };
    }
}
