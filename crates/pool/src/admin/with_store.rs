use vipnode_store::{Store, StoreError};
use vipnode_types::wire::WireError;

use super::AdminService;
use crate::call_refusal::CallRefusal;

/// Has the store of a running pool do something short between two commits.
pub(super) async fn with_store<T: Send + 'static>(
    admin: &AdminService,
    work: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, WireError> {
    let done = admin.service.gateway.with_store(work).await;
    let done = done.ok_or(CallRefusal::Rebuilding { retry_ms: admin.service.limits.retry_ms() })?;
    Ok(done.map_err(|why| CallRefusal::Store { why })?)
}
