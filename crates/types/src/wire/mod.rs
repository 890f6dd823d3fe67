//! Every message of protocol 3, in both directions.
//!
//! | method | from → to | params | signed |
//! |---|---|---|---|
//! | [`method::PING`] | any → pool | none | no |
//! | [`method::STATUS`] | any → pool | none | no |
//! | [`method::REACH`] | any → pool | [`ReachRequest`] | with a connect request |
//! | [`method::CONNECT`] | agent → pool | [`ConnectRequest`] | always |
//! | [`method::REPORT`] | agent → pool | [`ReportRequest`] | over HTTP |
//! | [`method::ASK`] | agent → pool | [`AskRequest`] | over HTTP |
//! | [`method::EXPLAIN`] | agent → pool | [`ExplainRequest`] | over HTTP |
//! | [`method::LEAVE`] | agent → pool | [`LeaveRequest`] | over HTTP |
//! | [`method::BYE`] | agent → pool | [`ByeRequest`] | over HTTP |
//! | [`method::LINK`] | agent → pool | [`LinkRequest`] | always, and by the account |
//! | [`method::UNLINK`] | agent or account → pool | [`UnlinkRequest`] | always |
//! | [`method::FUNDS`] | agent → pool | [`FundsRequest`] | over HTTP |
//! | [`method::VOUCHER`] | agent → pool | [`VoucherRequest`] | over HTTP, and by the channel's payer authorizer |
//! | [`method::ACCOUNT`] | account → pool | [`AccountQuery`] | by the account |
//! | [`method::STATEMENT`] | agent or account → pool | [`StatementRequest`] | over HTTP, or by the account |
//! | [`method::DAILY_STATEMENT`] | agent → pool | [`DailyStatementRequest`] | over HTTP |
//! | [`method::PAYOUT`] | agent → pool | [`PayoutRequest`] | by the node key |
//! | [`method::ADMIT`] | pool → agent | [`AdmitCall`] | no |
//! | [`method::EVICT`] | pool → agent | [`EvictCall`] | no |
//! | [`method::PRICE`] | pool → agent | [`PriceCall`] | no |
//! | [`method::DIAL`] | pool → agent | [`DialCall`] | no |
//! | [`method::NOTICE`] | pool → agent | [`NoticeCall`] | no |
//!
//! Params are `[object]`, or `[object, envelope]` where signed (see [`crate::signed`]). Unknown
//! fields are ignored, so that either side can add fields.
//!
//! Messages use the types of all other modules except protocol 2. What a side does with a message does not belong here.

mod account;
mod account_funds;
mod ask;
mod call;
mod connect;
mod daily_collected;
mod daily_statement;
mod error;
mod error_code;
mod explain;
mod host_supply;
mod leave;
pub mod method;
mod notice;
mod pair_fault;
mod payment_terms;
mod payout;
mod reach;
mod report;
mod statement;
mod status;
mod voucher;

pub use account::{
    AccountQuery, AccountView, FundsRequest, LeavingNode, LinkReply, LinkRequest, NodeFunds, UnlinkRequest,
};
pub use account_funds::AccountFunds;
pub use ask::{AskReply, AskRequest, LeasedHost};
pub use call::{AdmitCall, DialCall, Done, EvictCall, EvictReason, PriceCall};
pub use connect::{ClientCriteria, ConnectReply, ConnectRequest, HostOffer, LeaseView, NextPrice, Side};
pub use daily_collected::{CollectedSums, DailyCollected};
pub use daily_statement::{
    DailyLine, DailyStatement, DailyStatementError, DailyStatementRequest, DailySums, SignedDailyStatement,
};
pub use error::{ErrorData, WireError};
pub use error_code::ErrorCode;
pub use explain::{Excluded, ExplainReply, ExplainRequest, ExplainedHost, Score, Selection};
pub use host_supply::HostSupply;
pub use leave::{ByeRequest, LeaveReason, LeaveRequest};
pub use notice::{FundsLow, NoticeCall, TrialEnds};
pub use pair_fault::PairFault;
pub use payment_terms::PaymentTerms;
pub use payout::{NextPayout, PayoutRequest, PayoutView};
pub use reach::{Admission, Reach, ReachReply, ReachRequest};
pub use report::{HostCapabilities, LeasePrice, ReportReply, ReportRequest, UpLease};
pub use statement::{
    LeasePeriod, Statement, StatementBalances, StatementCursor, StatementKind, StatementLine, StatementRange,
    StatementRequest, StatementSide,
};
pub use status::{HostStatus, PoolStats, PoolStatus};
pub use voucher::{ChannelFunds, VoucherRequest};

/// The protocol version that this crate implements.
pub const PROTOCOL: u32 = 3;
/// The header of the 101 response that carries the challenge, 64 hex characters.
pub const CHALLENGE_HEADER: &str = "vipnode-challenge";
/// The header of the 101 response that carries the pool's id, [`crate::PoolId`]. A pool without a data directory sends none.
pub const POOL_ID_HEADER: &str = "vipnode-pool";
/// The header of the 101 response that proves the pool's id: [`crate::PoolKey::prove`] over the challenge, 128 hex
/// characters. It is sent with each [`POOL_ID_HEADER`].
pub const POOL_PROOF_HEADER: &str = "vipnode-pool-proof";
/// The header of the 101 response that carries the newest changes of the pool's key, [`crate::PoolKeyChanges`]. It is sent
/// with [`POOL_ID_HEADER`] if there are any.
pub const POOL_CHANGES_HEADER: &str = "vipnode-pool-changes";
