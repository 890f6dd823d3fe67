use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tokio::time::sleep;
use vipnode_pool_core::AddressBlock;
use vipnode_types::wire::WireError;

use super::{AdminBlock, AdminService, AdminTop, TopOrder, TopRequest, nodes::Pages};
use crate::{
    call_refusal::CallRefusal,
    engine::{OperatorQuery, wall_clock},
};

/// Time and bytes are measured over this time.
const MEASURED: Duration = Duration::from_secs(1);
/// Blocks of one answer, at most.
const MOST: u32 = 1_000;

/// What a block used since it was first counted, and what it has now.
#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    core_ns: u64,
    bytes_in: u64,
    bytes_out: u64,
    connections: u64,
    nodes: u64,
    slots: u64,
}

/// Returns the address blocks that use most: sums since the start would show who used much once, so they are measured twice.
pub(super) async fn top(admin: &AdminService, request: TopRequest) -> Result<AdminTop, WireError> {
    let before = used(admin).await?;
    let began = Instant::now();
    sleep(MEASURED).await;
    let mut blocks = used(admin).await?;
    let measured_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    for (block, usage) in &mut blocks {
        let old = before.get(block).copied().unwrap_or_default();
        usage.core_ns = usage.core_ns.saturating_sub(old.core_ns);
        usage.bytes_in = usage.bytes_in.saturating_sub(old.bytes_in);
        usage.bytes_out = usage.bytes_out.saturating_sub(old.bytes_out);
    }
    add_nodes(admin, &mut blocks).await?;
    let bans_and_drains = admin.service.access.bans_and_drains();
    let drains = bans_and_drains.drains();
    let (blocks, further_blocks) = largest(blocks, request);
    Ok(AdminTop {
        pool_version: concat!("vipnode/", env!("CARGO_PKG_VERSION")).to_owned(),
        measured_ms,
        blocks,
        further_blocks,
        bans: count(bans_and_drains.bans(wall_clock()).len()),
        drains_pool: drains.all,
        drained_nodes: count(drains.nodes.len()),
    })
}

/// Returns what each block used so far, without its nodes.
async fn used(admin: &AdminService) -> Result<BTreeMap<AddressBlock, Usage>, WireError> {
    let busy = CallRefusal::Rebuilding { retry_ms: admin.service.limits.retry_ms() };
    let times = admin.service.gateway.ask(OperatorQuery::CoreTime).await.ok_or(busy)?;
    let mut blocks: BTreeMap<AddressBlock, Usage> = BTreeMap::new();
    for (block, core_ns) in times {
        blocks.entry(block).or_default().core_ns = core_ns;
    }
    for (block, connections, (bytes_in, bytes_out)) in admin.limiter.usage() {
        let usage = blocks.entry(block).or_default();
        (usage.connections, usage.bytes_in, usage.bytes_out) = (count(connections), bytes_in, bytes_out);
    }
    Ok(blocks)
}

/// Adds the nodes and leases of each block.
async fn add_nodes(admin: &AdminService, blocks: &mut BTreeMap<AddressBlock, Usage>) -> Result<(), WireError> {
    let mut pages = Pages::new(0);
    while let Some(page) = pages.next(&admin.service).await? {
        for view in page {
            let usage = blocks.entry(view.address.map_or(AddressBlock::ALL, AddressBlock::of)).or_default();
            usage.nodes = usage.nodes.saturating_add(u64::from(view.connected));
            let leases = u64::from(view.leases_as_host).saturating_add(view.leases_as_client.into());
            usage.slots = usage.slots.saturating_add(leases);
        }
    }
    Ok(())
}

/// Returns the largest blocks, and the number of the others.
fn largest(blocks: BTreeMap<AddressBlock, Usage>, request: TopRequest) -> (Vec<AdminBlock>, u64) {
    let key = |usage: &Usage| match request.by {
        TopOrder::Core => usage.core_ns,
        TopOrder::Slots => usage.slots,
        TopOrder::In => usage.bytes_in,
        TopOrder::Out => usage.bytes_out,
    };
    let mut blocks: Vec<(AddressBlock, Usage)> = blocks.into_iter().collect();
    blocks.sort_by_key(|(_, usage)| std::cmp::Reverse(key(usage)));
    let most = usize::try_from(request.most.clamp(1, MOST)).unwrap_or(usize::MAX);
    let further = count(blocks.len().saturating_sub(most));
    let listed = blocks.into_iter().take(most).map(|(block, usage)| AdminBlock {
        block: block.to_string(),
        core_us: usage.core_ns / 1_000,
        slots: usage.slots,
        nodes: usage.nodes,
        connections: usage.connections,
        bytes_in: usage.bytes_in,
        bytes_out: usage.bytes_out,
    });
    (listed.collect(), further)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_the_largest_by_what_was_asked_for() {
        let usage = |core_ns, bytes_in, slots| Usage { core_ns, bytes_in, slots, ..Usage::default() };
        let block = |number| AddressBlock::of([203, 0, number, 1].into());
        let blocks = BTreeMap::from([
            (block(1), usage(5_000, 1, 2)),
            (block(2), usage(9_000, 0, 1)),
            (block(3), usage(0, 7, 3)),
        ]);
        let names = |by, most| {
            let (listed, further) = largest(blocks.clone(), TopRequest { by, most });
            (listed.into_iter().map(|block| block.block).collect::<Vec<_>>(), further)
        };
        assert_eq!(names(TopOrder::Core, 2), (vec!["203.0.2.0/24".to_owned(), "203.0.1.0/24".to_owned()], 1));
        assert_eq!(names(TopOrder::In, 1).0, ["203.0.3.0/24"]);
        assert_eq!(
            names(TopOrder::Slots, 9),
            (["203.0.3.0/24", "203.0.1.0/24", "203.0.2.0/24"].map(String::from).to_vec(), 0)
        );
    }
}
