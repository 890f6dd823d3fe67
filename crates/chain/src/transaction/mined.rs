use tokio::time::{Instant, sleep};
use vipnode_types::Hash256;

use crate::{
    error::ChainError,
    node::{EvmNodes, EvmReceipt},
};

/// Waits until a transaction was mined, at most for the node's limit.
///
/// # Errors
/// [`ChainError::NotMined`], [`ChainError::Failed`] if it reverted; others of a node.
pub async fn wait_for_receipt(node: &EvmNodes, hash: Hash256) -> Result<EvmReceipt, ChainError> {
    let (most, poll) = (node.limits().mined, node.limits().poll);
    let began = Instant::now();
    loop {
        match node.receipt(hash).await? {
            Some(receipt) if receipt.status == 1 => return Ok(receipt),
            Some(_) => return Err(ChainError::Failed { hash }),
            None if began.elapsed() >= most => return Err(ChainError::NotMined { hash, seconds: most.as_secs() }),
            None => sleep(poll).await,
        }
    }
}
