use vipnode_pool_core::LeaseRow;
use vipnode_store::StoreSnapshot;
use vipnode_types::wire::WireError;

use super::{AdminLease, AdminLeases, AdminService, LeasesRequest};

/// Leases that are read at once.
const PAGE: usize = 4_096;
/// Leases of one answer, at most.
const MOST: u32 = 1_000;

/// Returns a page of the running leases, from the store.
pub(super) async fn leases(admin: &AdminService, request: LeasesRequest) -> Result<AdminLeases, WireError> {
    admin.service.statements.with_snapshot(move |snapshot| page(snapshot, &request)).await
}

fn page(snapshot: &mut dyn StoreSnapshot, request: &LeasesRequest) -> Result<AdminLeases, vipnode_store::StoreError> {
    let most = usize::try_from(request.most.clamp(1, MOST)).unwrap_or(usize::MAX);
    let node = request.node.as_ref().map(|node| node.to_lowercase());
    let is_meant = |row: &LeaseRow| {
        let of_node = |prefix: &String| [row.client, row.host].iter().any(|id| id.to_string().starts_with(prefix));
        let of_account = |account| row.payer == Some(account) || row.payee == Some(account);
        node.as_ref().is_none_or(of_node) && request.account.is_none_or(of_account)
    };
    let (mut leases, mut next, mut after) = (Vec::new(), None, request.after);
    'all: while let rows @ [.., last] = &snapshot.leases(after, PAGE)?[..] {
        for row in rows.iter().filter(|row| is_meant(row)) {
            if leases.len() >= most {
                next = leases.last().map(|lease: &AdminLease| lease.lease);
                break 'all;
            }
            leases.push(lease(row));
        }
        after = Some(last.id);
    }
    Ok(AdminLeases { batch: snapshot.seq(), leases, next })
}

fn lease(row: &LeaseRow) -> AdminLease {
    let ups = row.client_seen.zip(row.host_seen);
    AdminLease {
        lease: row.id,
        row: row.row,
        client: row.client,
        host: row.host,
        payer: row.payer,
        payee: row.payee,
        price: row.price,
        trial: row.trial,
        offered_ms: row.offered,
        since_ms: ups.map(|((client, _), (host, _))| client.max(host)),
    }
}
