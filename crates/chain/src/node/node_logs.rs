use serde_json::json;
use vipnode_types::Account;

use super::{BlockTag, EvmLog, node_calls::NodeCalls};
use crate::error::ChainError;

/// How often a range of blocks is halved that the node refuses; then, its error counts.
const HALVINGS: u32 = 200;

/// Reads the logs of a contract in a range of blocks from one node, both ends included.
///
/// # Errors
/// See [`EvmNodes::logs`](super::EvmNodes::logs).
pub(super) async fn read(node: &NodeCalls, contract: Account, from: u64, to: u64) -> Result<Vec<EvmLog>, ChainError> {
    let (most, most_blocks) = (node.limits().logs, node.limits().log_blocks);
    if to.saturating_sub(from) >= most_blocks {
        return Err(ChainError::ManyBlocks { most: most_blocks });
    }
    let (mut logs, mut ranges, mut halvings) = (Vec::new(), vec![(from, to)], 0);
    while let Some((from, to)) = ranges.pop() {
        let read = part(node, contract, from, to).await;
        let part = match read {
            Err(ChainError::Refused { .. } | ChainError::Answer { .. }) if from < to && halvings < HALVINGS => {
                halvings = halvings.saturating_add(1);
                let middle = from.midpoint(to);
                ranges.extend([(middle.saturating_add(1), to), (from, middle)]);
                continue;
            }
            read => read?,
        };
        if logs.len().saturating_add(part.len()) > most {
            return Err(ChainError::ManyLogs { most });
        }
        logs.extend(part);
    }
    Ok(logs)
}

async fn part(node: &NodeCalls, contract: Account, from: u64, to: u64) -> Result<Vec<EvmLog>, ChainError> {
    let number = |number| BlockTag::Number(number).to_string();
    let filter = json!([{ "address": contract, "fromBlock": number(from), "toBlock": number(to) }]);
    let logs: Vec<EvmLog> = node.read("eth_getLogs", &filter).await?;
    let asked = |log: &EvmLog| log.address == contract && (from..=to).contains(&log.block_number);
    match logs.iter().all(asked) {
        true => Ok(logs),
        false => Err(node.wrong("eth_getLogs", "a log that was not requested")),
    }
}
