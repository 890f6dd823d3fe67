use serde::{Deserialize, Serialize};
use vipnode_pool_core::{AddressBlock, HostTimeRow, PairTime, TimesRow};
use vipnode_types::NodeId;

/// A [`TimesRow`] as a line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredTimes {
    client: NodeId,
    block: Option<u64>,
    others: StoredTime,
    hosts: Vec<StoredHost>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredHost {
    host: NodeId,
    block: Option<u64>,
    time: StoredTime,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredTime {
    day: u32,
    unpaired_ms: u32,
    counted_ms: u32,
    block_ms: u32,
    billed_ms: [u32; 7],
}

impl From<&TimesRow> for StoredTimes {
    fn from(row: &TimesRow) -> Self {
        let TimesRow { client, block, others, hosts } = row;
        let hosts = hosts.iter().map(|HostTimeRow { host, block, time }| StoredHost {
            host: *host,
            block: block.map(AddressBlock::to_bits),
            time: (*time).into(),
        });
        let block = block.map(AddressBlock::to_bits);
        Self { client: *client, block, others: (*others).into(), hosts: hosts.collect() }
    }
}

impl From<StoredTimes> for TimesRow {
    fn from(stored: StoredTimes) -> Self {
        let hosts = stored.hosts.into_iter().map(|StoredHost { host, block, time }| HostTimeRow {
            host,
            block: block.map(AddressBlock::from_bits),
            time: time.into(),
        });
        let block = stored.block.map(AddressBlock::from_bits);
        Self { client: stored.client, block, others: stored.others.into(), hosts: hosts.collect() }
    }
}

impl From<PairTime> for StoredTime {
    fn from(time: PairTime) -> Self {
        let PairTime { day, unpaired_ms, counted_ms, block_ms, billed_ms } = time;
        Self { day, unpaired_ms, counted_ms, block_ms, billed_ms }
    }
}

impl From<StoredTime> for PairTime {
    fn from(stored: StoredTime) -> Self {
        let StoredTime { day, unpaired_ms, counted_ms, block_ms, billed_ms } = stored;
        Self { day, unpaired_ms, counted_ms, block_ms, billed_ms }
    }
}
