//! What the operator may see and do while the pool runs: JSON-RPC on a local socket that only the pool's user can open.
//!
//! An operator under attack needs answers that do not depend on the port under attack, and bans and drains that take
//! effect immediately where no limit helps (`auth/bans_and_drains.rs`). The socket is a file in a directory that only its owner
//! can enter; it is not reachable over the network.
//!
//! - `messages`: params and results
//! - `server`: the answers
//! - `top`, `nodes`, `leases`, `lease_messages`: the lists
//! - `ledger`, `ledger_messages`: changes of the ledger, accounts, and payouts
//! - `audit_log`, `audit_messages`: the record of admin commands
//! - `price`: announces a price
//! - `epoch`: the epochs in which the pool claims
//! - `client`: for the command line
//!
//! It may call `engine`, `fairness`, `auth`, and `methods`; none of them calls it.

mod admin_error;
mod audit_log;
mod audit_messages;
mod client;
mod epoch;
mod fold;
mod lease_messages;
mod leases;
mod ledger;
mod ledger_messages;
mod messages;
mod nodes;
#[cfg(feature = "schema")]
mod openrpc_methods;
mod payout_mark;
mod payout_references;
mod price;
mod prune;
mod server;
mod socket;
mod top;
mod with_store;

pub use admin_error::AdminError;
pub use audit_messages::{AdminAudit, AuditRecord, AuditRequest};
pub use client::AdminClient;
pub use epoch::{AdminEpoch, AdminEpochPlan, EpochRequest, SetAsideClaim};
pub use fold::{AdminFolded, FoldRequest};
pub use lease_messages::{AdminLease, AdminLeases, LeasesRequest};
pub use ledger_messages::{
    AccountStatementRequest, AccountsRequest, AdminAccount, AdminAccounts, AdminClaims, AdminPaidPayouts, AdminPayout,
    AdminPayoutState, AdminPayouts, ClaimsRequest, LedgerOrder, LedgerPosted, LedgerRequest, PayoutsRequest,
};
pub use messages::{
    AdminBans, AdminBlock, AdminDrained, AdminNodes, AdminTop, AdminUrls, BanRequest, Banned, DrainRequest, ListedNode,
    NodesRequest, TopOrder, TopRequest, UnbanRequest, UrlsRequest,
};
#[cfg(feature = "schema")]
pub use openrpc_methods::rows;
pub use price::{AdminPrice, PriceRequest};
pub use prune::{AdminPruned, PruneRequest};
pub use socket::{admin_socket, admin_sockets, own_data_dirs, running_data_dirs, running_socket};

pub(crate) use audit_log::AuditLog;
pub(crate) use server::{AdminService, listen};
pub(crate) use socket::socket_of;

/// The target in the log of what the operator ordered. It is always logged, although it is not a warning.
pub const OPERATOR_LOG: &str = "vipnode_pool::operator";

/// The names of the methods.
pub mod method {
    /// The URLs of the pool: an [`super::AdminUrls`].
    pub const URLS: &str = "vipnode_poolUrls";
    /// The address blocks that use most: an [`super::AdminTop`].
    pub const TOP: &str = "vipnode_poolTop";
    /// The connected nodes, page by page: an [`super::AdminNodes`].
    pub const NODES: &str = "vipnode_poolNodes";
    /// The running leases, page by page: an [`super::AdminLeases`].
    pub const LEASES: &str = "vipnode_poolLeases";
    /// Bans a node, an agent, or a network: a [`super::Banned`].
    pub const BAN: &str = "vipnode_poolBan";
    /// Removes a ban: an [`super::AdminBans`].
    pub const UNBAN: &str = "vipnode_poolUnban";
    /// The bans: an [`super::AdminBans`].
    pub const BANS: &str = "vipnode_poolBans";
    /// Changes the ledger: a [`super::LedgerPosted`].
    pub const LEDGER: &str = "vipnode_poolLedger";
    /// The accounts, page by page: an [`super::AdminAccounts`].
    pub const ACCOUNTS: &str = "vipnode_poolAccounts";
    /// The statement of an account, page by page: a [`vipnode_types::wire::Statement`].
    pub const STATEMENT: &str = "vipnode_poolStatement";
    /// Announces a price: an [`super::AdminPrice`].
    pub const PRICE: &str = "vipnode_poolPrice";
    /// Removes the next part of the journals: an [`super::AdminPruned`].
    pub const PRUNE: &str = "vipnode_poolPrune";
    /// Folds billing periods of the next entries: an [`super::AdminFolded`].
    pub const FOLD: &str = "vipnode_poolFold";
    /// What can be claimed of the clients' payment channels, page by page: an [`super::AdminClaims`].
    pub const CLAIMS: &str = "vipnode_poolClaims";
    /// The epochs in which the pool claims, or the order to begin one: an [`super::AdminEpoch`].
    pub const EPOCH: &str = "vipnode_poolEpoch";
    /// The payouts of a settlement period, page by page: an [`super::AdminPayouts`].
    pub const PAYOUTS: &str = "vipnode_poolPayouts";
    /// The admin commands of the operator, page by page: an [`super::AdminAudit`].
    pub const AUDIT: &str = "vipnode_poolAudit";
    /// Drains a node or the pool, or stops that: an [`super::AdminDrained`].
    pub const DRAIN: &str = "vipnode_poolDrain";
}
