//! The pool's core: which agents are connected, which host serves which client, and what it costs.
//!
//! One state machine: [`Core::handle`]`(now, command, &mut effects)`. It never waits, reads no clock, does no
//! I/O, and draws randomness only from its seed, so every bug can be replayed from a seed.
//!
//! The program that runs the core parses, verifies, and authenticates each message first. Afterward, it carries out the
//! [`Effect`]s in order and holds back those marked [`SendWhen::AfterCommit`] until all rows persisted so far are durable.
//!
//! `flows` has one file per command. `agents` holds who is connected, `matching` who may serve whom, `leases` which slots
//! are in use, `metering` what they cost; `protocol2` is the dialect of the original. Each folder's `mod.rs` describes
//! what lives there and what it may call. What survives the process is in `row`.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod accepted_clock;
mod account_link;
mod agents;
mod chain_answer;
mod chain_event;
mod chain_request;
mod channel_reading;
mod collections;
mod command;
mod core;
mod core_error;
mod counters;
mod credentials;
mod effect;
mod epoch_row;
mod epoch_terms;
mod epoch_view;
mod flows;
mod gauges;
mod ids;
mod leases;
mod ledger;
mod ledger_change;
mod ledger_row;
mod limits;
mod matching;
mod metering;
mod new_payout;
mod node_view;
mod order_error;
mod output;
mod pool_call;
mod pool_clock;
mod pool_limits;
mod price_schedule;
mod protocol2;
mod row;
mod steps;
mod unusable_account;

#[cfg(test)]
mod tests;

pub use self::core::Core;
pub use accepted_clock::AcceptedClock;
pub use account_link::{AccountLink, LinkConsent};
pub use agents::{
    attached_agent::AttachedAgent,
    drains::Drains,
    host_payout::HostPayout,
    proven::{PairedTime, Proven},
};
pub use chain_answer::{ChainAnswer, ChainFailure, ChainLook, SimulatedCall};
pub use chain_event::ChainEvent;
pub use chain_request::{ChainRequest, EscrowCall, GasTerms};
pub use channel_reading::ChannelReading;
pub use collections::{
    address_block::{AddressBlock, WideBlock},
    block_queues::BlockQueues,
    block_shares::BlockShares,
};
pub use command::{CallOutcome, Command, Identity};
pub use core_error::CoreError;
pub use counters::Counters;
pub use credentials::{Credentials, Signer};
pub use effect::{Effect, Reply, SendWhen};
pub use epoch_row::{ChainTransactionRow, EpochClaimRow, EpochRow, EpochStep, TransactionPurpose};
pub use epoch_terms::EpochTerms;
pub use epoch_view::{EpochPlan, EpochView};
pub use flows::{restore::RestoredCore, suspended::WhileSuspended};
pub use gauges::Gauges;
pub use ids::{CallId, ConnectionId, RequestId};
pub use leases::pricing::{NextPricing, Pricing};
pub use ledger::{
    account_figures::AccountFigures,
    balance_sheet::BalanceSheet,
    transaction::{LedgerAccount, OperatorOrder, Posting, Transaction},
};
pub use ledger_change::{LedgerAccountView, LedgerChange, LedgerChangeKind, LedgerChangeReply, PaidPayouts};
pub use ledger_row::{
    AccountRow, ChannelRow, LedgerEntry, LinkRow, PayoutRow, PayoutState, SettlementPeriodRow, UnpaidRow,
};
pub use limits::Limits;
pub use metering::pair_week::PairWeek;
pub use new_payout::NewPayout;
pub use node_view::{NodePage, NodeView};
pub use order_error::OrderError;
pub use pool_call::PoolCall;
pub use pool_limits::PoolLimits;
pub use protocol2::state::Protocol2State;
pub use row::{
    DelegationRow, HostTimeRow, LastReport, LeaseRow, MergedPeriods, MeteredPeriod, NodeRow, PricingRow, RestoreRow,
    Row, RowKey, TimesRow,
};
pub use steps::Steps;

/// The error tables of this crate, for the book's page of errors.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] = &[
    vipnode_types::ErrorTable { title: "Requests that a pool refuses", rows: CoreError::ROWS },
    vipnode_types::ErrorTable { title: "Orders of the operator that a pool refuses", rows: OrderError::ROWS },
];
