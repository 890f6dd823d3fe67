use std::{path::PathBuf, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use vipnode_rpc::{CallError, OpenError, RpcLimits, open_ipc};
use vipnode_types::wire::Statement;

use super::{
    AccountStatementRequest, AccountsRequest, AdminAccounts, AdminAudit, AdminBans, AdminClaims, AdminDrained,
    AdminEpoch, AdminError, AdminFolded, AdminLeases, AdminNodes, AdminPayouts, AdminPrice, AdminPruned, AdminTop,
    AdminUrls, AuditRequest, BanRequest, Banned, ClaimsRequest, DrainRequest, EpochRequest, FoldRequest, LeasesRequest,
    LedgerPosted, LedgerRequest, NodesRequest, PayoutsRequest, PriceRequest, PruneRequest, TopRequest, UnbanRequest,
    UrlsRequest, method, server::REQUEST_BYTES,
};

/// Calls the admin socket of a running pool.
#[derive(Debug, Clone)]
pub struct AdminClient {
    socket: PathBuf,
}

/// A pool opens its socket within this time.
const OPEN: Duration = Duration::from_secs(2);
/// A pool answers within this time; a list of blocks is measured over a second.
const ANSWER: Duration = Duration::from_secs(30);
/// Bytes around the parameters of a request.
const ENVELOPE_BYTES: usize = 256;
/// Bytes of an answer: the most that a page or a table of bans has.
const ANSWER_BYTES: usize = 16 << 20;

impl AdminClient {
    /// Returns a client of the pool with this socket.
    #[must_use]
    pub const fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Asks for the address blocks that use most.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn top(&self, request: &TopRequest) -> Result<AdminTop, AdminError> {
        self.call(method::TOP, request).await
    }

    /// Asks for a page of the nodes.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn nodes(&self, request: &NodesRequest) -> Result<AdminNodes, AdminError> {
        self.call(method::NODES, request).await
    }

    /// Asks for a page of the running leases.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn leases(&self, request: &LeasesRequest) -> Result<AdminLeases, AdminError> {
        self.call(method::LEASES, request).await
    }

    /// Bans a node, an agent, or a network.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn ban(&self, request: &BanRequest) -> Result<Banned, AdminError> {
        self.call(method::BAN, request).await
    }

    /// Removes a ban. Returns those that are left.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn unban(&self, request: &UnbanRequest) -> Result<AdminBans, AdminError> {
        self.call(method::UNBAN, request).await
    }

    /// Asks for the bans.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn bans(&self) -> Result<AdminBans, AdminError> {
        self.call(method::BANS, &serde_json::json!({})).await
    }

    /// Drains a node or the pool, or stops that. Returns what is drained then.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn drain(&self, request: &DrainRequest) -> Result<AdminDrained, AdminError> {
        self.call(method::DRAIN, request).await
    }

    /// Asks for a page of the audit log.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn audit(&self, request: &AuditRequest) -> Result<AdminAudit, AdminError> {
        self.call(method::AUDIT, request).await
    }

    /// Changes the ledger.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn change_ledger(&self, request: &LedgerRequest) -> Result<LedgerPosted, AdminError> {
        self.call(method::LEDGER, request).await
    }

    /// Asks for a page of the accounts.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn accounts(&self, request: &AccountsRequest) -> Result<AdminAccounts, AdminError> {
        self.call(method::ACCOUNTS, request).await
    }

    /// Asks for a page of the statement of an account.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn statement(&self, request: &AccountStatementRequest) -> Result<Statement, AdminError> {
        self.call(method::STATEMENT, request).await
    }

    /// Asks for a page of what can be claimed.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn claims(&self, request: &ClaimsRequest) -> Result<AdminClaims, AdminError> {
        self.call(method::CLAIMS, request).await
    }

    /// Asks about the epochs, or has one begin.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn epoch(&self, request: EpochRequest) -> Result<AdminEpoch, AdminError> {
        self.call(method::EPOCH, &request).await
    }

    /// Asks for a page of the payouts of a settlement period.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn payouts(&self, request: &PayoutsRequest) -> Result<AdminPayouts, AdminError> {
        self.call(method::PAYOUTS, request).await
    }

    /// Returns the URLs of the pool.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn urls(&self) -> Result<AdminUrls, AdminError> {
        self.call(method::URLS, &UrlsRequest {}).await
    }

    /// Announces a price.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn price(&self, request: &PriceRequest) -> Result<AdminPrice, AdminError> {
        self.call(method::PRICE, request).await
    }

    /// Removes the next part of the journals.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn prune(&self, request: &PruneRequest) -> Result<AdminPruned, AdminError> {
        self.call(method::PRUNE, request).await
    }

    /// Folds billing periods of the next entries.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn fold(&self, request: &FoldRequest) -> Result<AdminFolded, AdminError> {
        self.call(method::FOLD, request).await
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, request: &impl Serialize) -> Result<T, AdminError> {
        let path = self.socket.clone();
        // The pool closes the connection at a larger one, and the system then discards the reason.
        let bytes = serde_json::to_vec(request).map_or(0, |json| json.len());
        if bytes.saturating_add(ENVELOPE_BYTES) > REQUEST_BYTES {
            return Err(AdminError::TooLarge { bytes, most: REQUEST_BYTES.saturating_sub(ENVELOPE_BYTES) });
        }
        let limits = RpcLimits { open: OPEN, frame_bytes: ANSWER_BYTES, ..RpcLimits::default() };
        let opened = match open_ipc(&path, &limits).await {
            Ok(opened) => opened,
            Err(OpenError::Unreachable { why, .. }) => return Err(AdminError::Gone { path, why }),
            Err(error) => return Err(AdminError::Gone { path, why: error.to_string() }),
        };
        match opened.peer.call(method, &[request], ANSWER).await {
            Ok(answer) => serde_json::from_str(answer.get())
                .map_err(|error| AdminError::Unreadable { path, why: error.to_string() }),
            Err(CallError::Remote(error)) => Err(AdminError::Refused(error)),
            Err(error) => Err(AdminError::Silent { path, why: error.to_string() }),
        }
    }
}
