use serde::{Deserialize, Serialize};

use super::{AccountFunds, ChannelFunds, NextPayout, WireError};
use crate::{Account, AccountAct, AccountRequest, AccountSignature, Amount, Asset, Ms, NodeId, PoolId};

/// Links the node to an account: from then on, the node spends what the account has at the pool. The request contains
/// the account's signature; the agent's envelope is the node's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkRequest {
    /// The account that pays.
    pub account: Account,
    /// The ID of the chain that the node follows.
    pub chain_id: u64,
    /// The counter in the message that the account signed: Unix milliseconds.
    pub counter: Ms,
    /// The account's signature of the text described under "Accounts" on the "Protocol 3" page of the book.
    pub signature: AccountSignature,
}

/// The answer to a link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkReply {
    /// The error that a request for hosts would get (outside of a trial), because the account cannot pay for the node's
    /// leases, or for a first one. Absent if the account can pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpaid: Option<WireError>,
}

/// Ends the link between a node and an account. Either side can end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnlinkRequest {
    /// The account that signed, or whose link ends.
    pub account: Account,
    /// The node whose link ends.
    pub node: NodeId,
    /// The time of the signature, in Unix milliseconds. It must be greater than the newest counter that the account
    /// signed.
    pub counter: Ms,
    /// The account's signature of the text described under "Accounts" on the "Protocol 3" page of the book; without a
    /// signature, the agent's envelope is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<AccountSignature>,
}

/// Requests the balances and nodes of an account. Only the holder of the account's key can do so (fault D46,
/// docs/faults.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountQuery {
    /// The account that signs.
    pub account: Account,
    /// The counter in the message that the account signed: Unix milliseconds.
    pub counter: Ms,
    /// The account's signature of the text described under "Accounts" on the "Protocol 3" page of the book.
    pub signature: AccountSignature,
}

/// The balances and nodes of an account at a pool. `credited`, `debited`, `spent`, `earned`, and `secured` are totals
/// that never decrease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountView {
    /// The asset of the amounts.
    pub asset: Asset,
    /// The time of the figures, by the pool's clock.
    pub time_ms: Ms,
    /// The total that the operator received from the account or granted to it.
    pub credited: Amount,
    /// The total that the operator returned to the account or took back from it.
    #[serde(default)]
    pub debited: Amount,
    /// The cost of the billing periods that have ended.
    pub spent: Amount,
    /// The funds that the account's nodes can spend.
    pub funds: AccountFunds,
    /// The earnings of the account's hosts, before fees.
    pub earned: Amount,
    /// The part of `earned` that is covered by clients' payments.
    pub secured: Amount,
    /// The amount that the operator has to pay out: the secured earnings, less fees and payouts.
    pub payable: Amount,
    /// The nodes that spend from the account.
    pub nodes: Vec<NodeId>,
    /// The nodes whose earnings the account receives now, and another account will receive later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<LeavingNode>,
}

/// A node whose key signed a change to a different payout account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeavingNode {
    /// The node that earns.
    pub node: NodeId,
    /// The account that will receive the node's earnings.
    pub next: NextPayout,
}

/// Requests the funds and earnings of the agent's own node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FundsRequest {}

/// The funds of a node, and its earnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeFunds {
    /// The asset of the amounts.
    pub asset: Asset,
    /// The account that the node spends from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The funds of the account in `account`, for all its nodes together; zero without an account.
    pub funds: AccountFunds,
    /// The account that receives the node's earnings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<Account>,
    /// The pending payout account, which the node key signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_payout: Option<NextPayout>,
    /// The earnings of the account in `payout` at this pool, before fees.
    pub earned: Amount,
    /// The amount that the operator has to pay out to the account in `payout`: the earnings that clients have secured,
    /// less fees and payouts.
    pub payable: Amount,
    /// The payment channel that the node spends from, if its agent named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelFunds>,
}

impl LinkRequest {
    /// What the account signs to link `node` at `pool`.
    #[must_use]
    pub const fn signed_by_account(&self, pool: PoolId, node: NodeId) -> AccountRequest {
        let Self { account, chain_id, counter, .. } = *self;
        AccountRequest { pool, account, counter, act: AccountAct::Link { node, chain_id } }
    }
}

impl UnlinkRequest {
    /// What the account signs to end the link at `pool`.
    #[must_use]
    pub const fn signed_by_account(&self, pool: PoolId) -> AccountRequest {
        let Self { account, node, counter, .. } = *self;
        AccountRequest { pool, account, counter, act: AccountAct::Unlink { node } }
    }
}

impl AccountQuery {
    /// How long a signed query can be used, in milliseconds. The signed message states it.
    const VALID_MS: u64 = 60 * 60 * 1_000;

    /// Whether the query can be used at `now`: it is at most one hour old, and at most `ahead_ms` ahead, for clocks that
    /// differ.
    #[must_use]
    pub const fn is_current(&self, now: Ms, ahead_ms: u64) -> bool {
        now.since(self.counter) <= Self::VALID_MS && self.counter.since(now) <= ahead_ms
    }

    /// What the account signs to show its figures at `pool`.
    #[must_use]
    pub const fn signed_by_account(&self, pool: PoolId) -> AccountRequest {
        let Self { account, counter, .. } = *self;
        AccountRequest { pool, account, counter, act: AccountAct::Read }
    }
}
