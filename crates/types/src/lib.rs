//! The vocabulary of vipnode: IDs, enodes, money, the meter, signatures, and all wire messages.
//!
//! This crate uses no sockets, no clocks, and no store. Pool and agent meet only in `types`, `rpc`, `files`, and
//! `metrics`.
//!
//! - Identity: [`NodeId`], [`Enode`], [`Account`], [`AgentKey`], [`ChainSpec`].
//! - What a node serves and requires of others: [`Capability`], [`MinVersion`], [`PeerRules`].
//! - Money: [`Asset`], [`Amount`], [`Price`], [`meter`].
//! - Channels, vouchers, and deposits on an EVM: [`payment`].
//! - Time: [`Ms`] and [`UtcDay`], always passed in.
//! - Messages: [`wire`], signed as described in [`signed`]; [`protocol2`] for the agents and pools of the original.
//! - Errors and their hints: [`errors!`], [`TypedError`]; [`Failure`] is an error without its type.
//! - Limits that an operator can set: [`limits!`], [`LimitSettings`].
//! - Checks of the two cores, for tests and the simulator: [`BrokenInvariant`].
//! - Method names: [`PoolMethod`], [`AgentMethod`]. The crate `openrpc` describes the methods for other programs.
//!
//! Numbers such as D10 name faults of the original vipnode; `docs/faults.md` lists them.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod broken_invariant;
mod counted;
mod crypto;
mod error_table;
mod failure;
mod hex_data;
mod hide_credentials;
mod id;
mod limit_table;
mod methods;
mod money;
mod ms;
mod node;
pub mod payment;
pub mod protocol2;
mod quantity;
mod retry_in;
mod sanitize;
#[cfg(feature = "schema")]
mod schema;
mod text_form;
mod utc_day;
pub mod wire;

pub use broken_invariant::BrokenInvariant;
pub use counted::counted;
pub use crypto::{
    AccountAct, AccountKey, AccountRequest, AccountRequestError, AccountSignature, AccountSignatureError, AgentKey,
    AgentPublic, Delegation, DelegationError, JoinProof, JoinSecret, MeterId, NodeKey, NodeKeyError, PayoutOrder,
    PayoutOrderError, PoolId, PoolKey, PoolKeyChange, PoolKeyChanges, PoolKeyChangesError, signed,
};
pub use error_table::{ErrorRow, ErrorTable, HintRow, TypedError};
pub use failure::Failure;
pub use hex_data::HexData;
pub use hide_credentials::{hide_credentials, hide_url_credentials, hide_url_path};
pub use id::{
    Account, AccountError, AddressScope, Enode, EnodeError, EnodeHost, Hash256, LeaseId, LeaseSetHash, NodeId,
    NodeIdError, Origin, RpcUrl, RpcUrlError, ShortNodeId, is_public, keccak256, typed_text,
};
pub use limit_table::{Limit, LimitSetting, LimitSettings, LimitUnit, LimitValue};
pub use methods::{AgentMethod, PoolMethod};
pub use money::{
    Amount, AmountError, Asset, PaymentMode, PaymentModeError, Price, QuotedPrice, ShownAmount, SignedAmount,
    WHOLE_BPS, meter, percent,
};
pub use ms::Ms;
pub use node::{
    Capability, CapabilityError, ChainSpec, Direction, DropCause, HeadFact, MinVersion, MinVersionError, Mismatch,
    NodeFacts, PeerCommand, PeerFact, PeerRules, REDIAL_MS, ShortHash,
};
pub use quantity::Quantity;
pub use retry_in::RetryIn;
pub use sanitize::{is_unprintable, sanitize, sanitize_lines};
pub use text_form::HexError;
pub use utc_day::{UtcDay, UtcDayError};

/// The errors of this crate, for the book's errors page.
pub const ERROR_TABLES: &[ErrorTable] = &[
    ErrorTable { title: "Signed calls", rows: signed::EnvelopeError::ROWS },
    ErrorTable { title: "Delegations", rows: DelegationError::ROWS },
    ErrorTable { title: "Signed calls in protocol 2", rows: protocol2::SignatureError::ROWS },
    ErrorTable { title: "Params in protocol 2", rows: protocol2::FormError::ROWS },
    ErrorTable { title: "Node keys", rows: NodeKeyError::ROWS },
    ErrorTable { title: "Pool key changes", rows: PoolKeyChangesError::ROWS },
    ErrorTable { title: "Hexadecimal values", rows: HexError::ROWS },
    ErrorTable { title: "Node IDs", rows: NodeIdError::ROWS },
    ErrorTable { title: "Enodes", rows: EnodeError::ROWS },
    ErrorTable { title: "Accounts", rows: AccountError::ROWS },
    ErrorTable { title: "Account signatures", rows: AccountSignatureError::ROWS },
    ErrorTable { title: "Account requests", rows: AccountRequestError::ROWS },
    ErrorTable { title: "Payout accounts", rows: PayoutOrderError::ROWS },
    ErrorTable { title: "Typed data signatures", rows: payment::TypedDataSignatureError::ROWS },
    ErrorTable { title: "Payment channels", rows: payment::ChannelTermsError::ROWS },
    ErrorTable { title: "Vouchers", rows: payment::VoucherError::ROWS },
    ErrorTable { title: "Daily statements", rows: wire::DailyStatementError::ROWS },
    ErrorTable { title: "Server addresses", rows: RpcUrlError::ROWS },
    ErrorTable { title: "Dates", rows: UtcDayError::ROWS },
    ErrorTable { title: "Amounts and prices", rows: AmountError::ROWS },
    ErrorTable { title: "Payment modes", rows: PaymentModeError::ROWS },
    ErrorTable { title: "Capabilities", rows: CapabilityError::ROWS },
    ErrorTable { title: "Minimum versions", rows: MinVersionError::ROWS },
];
